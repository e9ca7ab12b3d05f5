"""Checks of a task's data: what makes its scores wrong, or worth less than they seem."""

from bench.checks.finding import Finding
from bench.checks.registry import CHECKS, Check, check_task, unreadable

__all__ = ["CHECKS", "Check", "Finding", "check_task", "unreadable"]
