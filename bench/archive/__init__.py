"""Stored runs as things that are kept: listed, removed, moved between machines, and given to other tools."""
