"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("bench", deadline=None)  # the first example pays for an import
settings.load_profile("bench")
