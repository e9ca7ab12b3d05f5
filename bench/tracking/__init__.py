"""Showing stored runs in MLflow; all of it can be made again from the results folder."""

from bench.tracking.tracker import Tracker
from bench.tracking.uri import tracking_uri

__all__ = ["Tracker", "tracking_uri"]
