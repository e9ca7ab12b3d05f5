"""Checks of a task's data for problems that make its scores wrong or misleading."""

from bench.checks.finding import Finding
from bench.checks.registry import CHECKS, Check, check_task, unreadable

__all__ = ["CHECKS", "Check", "Finding", "check_task", "unreadable"]
