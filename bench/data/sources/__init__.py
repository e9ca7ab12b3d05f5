"""The kinds of source that a task's examples come from."""

from bench.data.sources.kinds import KINDS, read_source
from bench.data.sources.records import Records

__all__ = ["KINDS", "Records", "read_source"]
