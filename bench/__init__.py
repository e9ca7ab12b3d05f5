"""A benchmark harness for Arabic text classification on small labelled corpora."""

__version__ = "0.1.0"
