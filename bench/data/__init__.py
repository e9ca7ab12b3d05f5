"""Tasks and what they are built from: documents, segments, claims and annotation passes."""

from bench.data.task import Task

__all__ = ["Task"]
