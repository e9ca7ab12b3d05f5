"""The conformance kit: tries on a model what every model must do.

Like scikit-learn's ``sklearn.utils.estimator_checks``, with what the harness requires beyond
it: small Arabic tasks, empty and very long texts, other processes, storage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.engines.engine import Unit, outcome_of, value_of
from bench.engines.local import LocalEngine
from bench.errors import UserError
from bench.models.model import Model
from bench.models.rules import LIMIT, RULES, ModelSubject
from bench.models.synthetic import EXAMPLES, LABEL_SETS, synthetic_task
from bench.support.plugins import import_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class RuleResult:
    """Whether a model keeps a rule.

    Parameters
    ----------
    code : str
        The rule's code, such as ``"M01"``.
    name : str
        What the model does if it keeps the rule.
    passed : bool
        Whether it does.
    reason : str
        The reason for failure; empty if it passed.
    tried : bool
        Whether it was tested. It is not if a rule that it depends on fails.
    """

    code: str
    name: str
    passed: bool
    reason: str = ""
    tried: bool = True


def subject_of(model: Model) -> ModelSubject:
    """Find the synthetic tasks that a model can be fitted on.

    A model may reject a task with a `bench.errors.UserError` when it is built or fitted, as one whose rules
    are written for certain labels does. Where it refuses all, it is examined on the neutral ones, and
    fails with its own reason. An estimator that asks a server names in ``examined_as`` the import path of a
    subclass that asks none, which is examined in its place.
    """
    model = _offline(model)
    suited = {}
    for inputs, label_sets in LABEL_SETS.items():
        for labels in label_sets:
            task = synthetic_task(inputs, labels)
            try:
                model.build({}, task, seed=0).fit(task.frame, task.y)
            except UserError:
                continue
            except Exception:  # The rules report it.
                pass
            suited[inputs] = labels
            break
    return ModelSubject(model, suited or {inputs: label_sets[0] for inputs, label_sets in LABEL_SETS.items()})


def _offline(model: Model) -> Model:
    module, _, name = model.estimator.rpartition(".")
    try:
        found = getattr(import_plugin(module), name)
    except Exception:  # The rules report it.
        return model
    return replace(model, estimator=getattr(found, "examined_as", model.estimator))


def check_model(model: Model, limit: float = LIMIT) -> list[RuleResult]:
    """Try all rules on a model.

    Parameters
    ----------
    model : Model
        The model.
    limit : float
        Seconds that one rule may take.

    Returns
    -------
    list of RuleResult
        One a rule, in the order of `RULES`.
    """
    return list(iter_checks(model, limit))


def iter_checks(model: Model, limit: float = LIMIT) -> Iterator[RuleResult]:
    """Try all rules on a model, and yield each result as it comes.

    The rules run in a separate process, which is stopped if a rule takes longer than `limit`
    seconds; the rules after that one are not tried and do not pass, nor are those that need a rule that fails.
    """
    stopped = ""
    failed: dict[str, str] = {}
    with LocalEngine(fresh=True) as engine:
        try:
            subject = value_of(outcome_of(engine, Unit(subject_of, (model,), limit)))
        except (TimeoutError, ChildProcessError) as error:
            stopped = f"not tested: fitting {EXAMPLES} short texts failed: {error}."
        for rule in RULES.values():
            broken = next((code for code in rule.needs if code in failed), None)
            if stopped or broken:
                failed[rule.code] = failed.get(broken or "", rule.code)
                reason = stopped or f"not tested because {failed[rule.code]} fails."
                yield RuleResult(rule.code, rule.name, False, reason, tried=False)
                continue
            try:
                result = value_of(outcome_of(engine, Unit(check_rule, (rule.code, subject), limit)))
            except (TimeoutError, ChildProcessError) as error:
                result = RuleResult(rule.code, rule.name, False, f"{error}.")
                if isinstance(error, TimeoutError):
                    stopped = f"not tested because {rule.code} was stopped."
            if not result.passed:
                failed[rule.code] = rule.code
            yield result


def check_rule(code: str, subject: ModelSubject) -> RuleResult:
    """Try one rule in this process."""
    rule = RULES[code]
    try:
        rule.examine(subject)
    except AssertionError as error:
        return RuleResult(code, rule.name, False, str(error) or "AssertionError without a message.")
    except Exception as error:
        return RuleResult(code, rule.name, False, f"{type(error).__name__}: {error}")
    return RuleResult(code, rule.name, True)
