"""Uncertainty: intervals and agreement."""
