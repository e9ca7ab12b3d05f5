"""Readers for each kind of source of a task's examples."""

from bench.data.sources.further import Further
from bench.data.sources.kinds import KINDS, read_source
from bench.data.sources.records import Records

__all__ = ["KINDS", "Further", "Records", "read_source"]
