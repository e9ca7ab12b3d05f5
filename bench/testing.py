"""The conformance kit for a plug-in author's own tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from bench.models.conformance import check_model, subject_of
from bench.models.rules import RULES, ModelSubject, Rule
from bench.support.plugins import found_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.models.model import Model

__all__ = ["BoundRule", "check_model", "parametrize_with_rules"]


@dataclass(frozen=True)
class BoundRule:
    """One rule and one model. Call it to test the rule; it raises an error if the model breaks the rule."""

    rule: Rule
    subject: Callable[[], ModelSubject]

    def __call__(self) -> None:
        """Test the rule in this process, so that a debugger and a coverage tool see the model's code."""
        with found_here():
            self.rule.examine(self.subject())


def parametrize_with_rules(*models: str | Model) -> pytest.MarkDecorator:
    """Run each rule of the conformance kit on each model as a test of its own.

    Like ``sklearn.utils.estimator_checks.parametrize_with_checks``. The test function has one
    argument, ``rule``, and calls it.

    Parameters
    ----------
    *models : str or Model
        Names, as in ``model=NAME``, or models. A name is looked up when its first test runs.

    Returns
    -------
    pytest.MarkDecorator
        A parametrization with ids of the model's name, the rule's code and its name.

    Examples
    --------
    >>> @parametrize_with_rules("logreg")
    ... def test_logreg(rule):
    ...     rule()
    """
    cases = []
    for model in models:
        subject = _subject(model)
        name = model if isinstance(model, str) else model.name
        cases += [
            pytest.param(BoundRule(rule, subject), id=f"{name}-{code}-{rule.name.replace(' ', '-')}")
            for code, rule in RULES.items()
        ]
    return pytest.mark.parametrize("rule", cases)


def _subject(model: str | Model) -> Callable[[], ModelSubject]:
    @cache
    def subject() -> ModelSubject:
        from bench.catalogue import load_model

        return subject_of(load_model(model) if isinstance(model, str) else model)

    return subject
