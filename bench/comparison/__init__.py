"""Comparing stored runs: which compare, how they differ, and whether that is real."""
