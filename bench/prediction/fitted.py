"""Load a stored run's fitted model safely, and get its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from bench.data.messages import check_name
from bench.errors import BenchError, ModelError, UserError
from bench.models.sources import code_sources, installed_versions, is_digest
from bench.support.plugins import found_here

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from bench.models.model import Model
    from bench.results.record import RunRecord
    from bench.results.store import RunFolder

DISTRIBUTIONS = {"bench": "bench-arabic"}
"""Packages that run.json names otherwise than pip does."""

DECIDING = ("bench", "scikit-learn", "numpy", "scipy", "lightgbm")
"""Packages whose version may change labels."""


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A fitted classifier with the inputs and labels of the run that it comes from.

    Parameters
    ----------
    inputs : tuple of str
        The columns that it reads, in order.
    labels : tuple of str
        The labels that it gives, in the order of the run's task.
    estimator : object
        A fitted scikit-learn classifier over a frame of the input columns.
    """

    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    estimator: Any

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of an answer: ``label``, and ``p_<label>`` if the model gives probabilities."""
        probable = hasattr(self.estimator, "predict_proba")
        return ("label", *(f"p_{label}" for label in self.labels)) if probable else ("label",)

    def label(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Label texts.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_texts, n_inputs)
            The input columns.

        Returns
        -------
        pandas.DataFrame of shape (n_texts, n_columns)
            The columns of `columns`. The label is empty if the model gave no answer. Probabilities sum to 1; that
            of a label that training lacked is 0.

        Raises
        ------
        bench.errors.BenchError
            If the model raises an error, or its answer is invalid.
        """
        import pandas as pd
        from sklearn.pipeline import Pipeline

        from bench.evaluation.predictions import predict
        from bench.metrics.confusion import UNANSWERED

        X, last = frame[list(self.inputs)], self.estimator
        try:
            with found_here():
                if isinstance(last, Pipeline):
                    # Labels and probabilities then share features that are computed once.
                    X, last = last[:-1].transform(X), last[-1]
                given = predict(last, X, self.labels)
        except BenchError:
            raise
        except Exception as error:  # The estimator may be a plug-in.
            raise BenchError(f"the model cannot label these texts: {type(error).__name__}: {error}") from error
        names = ["" if code == UNANSWERED else self.labels[code] for code in given.codes.tolist()]
        answers = pd.DataFrame({"label": pd.Series(names, dtype=object)})
        if given.probabilities is not None:
            answers[list(self.columns[1:])] = given.probabilities
        return answers


def load_fitted(folder: RunFolder, overrides: Mapping[str, object] | None = None) -> FittedModel:
    """Load a run's fitted model.

    The model of that name, as defined in ``configs/model/`` or by an
    installed package. What the run's own files name does not count, since they come with the model.

    Parameters
    ----------
    folder : RunFolder
        The run.
    overrides : mapping of str to object, optional
        Dotted keys of the model's definition with the values to put in their place.

    Raises
    ------
    bench.errors.UserError
        If the run has no fitted model, or its files are damaged, or no model of that name is defined here, or the
        stored one differs or contains forbidden parts, or the code of a plug-in has changed since the run.
    """
    from bench.models.persistence import loads
    from bench.results.files import read_bytes

    record = folder.read_record()
    for part, names in (("inputs", record.task.inputs), ("labels", record.task.labels)):
        for name in names:
            # They become the columns of answers.
            check_name(name, str(folder.path / "run.json"), f"name in task.{part},")
    path = folder.model_path()
    if path is None:
        raise UserError(f"{folder.path}: no fitted model is stored.", "Run the same command again.")
    model = _defined(path, record.model.name, overrides or {})
    if changed := changed_code(record):
        raise UserError(
            f"{folder.path}: {changed}, so the run's score does not apply to its labels.",
            f"Rerun it: {record.command} Or restore the code.",
        )
    try:
        with found_here():
            estimator = loads(read_bytes(path), model)
    except UserError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from None
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"{path}: cannot be loaded here: {error}.", "Install what the model needs; run.json has the versions."
        ) from error
    except Exception as error:  # A damaged archive breaks in many ways.
        raise UserError(
            f"{path}: not readable as a model: {type(error).__name__}: {error}.",
            f"Delete {folder.path} and run the same command again: {record.command}",
        ) from error
    return FittedModel(record.task.inputs, record.task.labels, estimator)


def changed_code(record: RunRecord) -> str | None:
    """Name a class of a run's model whose code has changed since the run; None if none has.

    Only classes in the local definition of the model are examined, since this imports them.

    Parameters
    ----------
    record : RunRecord
        What is stored of the run.
    """
    from bench.catalogue import load_model
    from bench.discovery import model_names

    then, name = record.model.sources, record.model.name
    if not any(is_digest(source) for source in then.values()) or name not in model_names():
        return None
    model = load_model(name)
    paths = [path for path in (model.estimator, model.features, *model.own_code) if path and is_digest(then.get(path))]
    now = code_sources(paths) | dict(model.own_code)
    changed = next((path for path in paths if now.get(path, then[path]) != then[path]), None)
    if changed is None:
        return None
    return (
        f"the code of {changed}, with its imports and files, has changed since the run (digest {then[changed]}, "
        f"now {now[changed]})"
    )


def other_versions(record: RunRecord) -> str | None:
    """List packages whose versions have changed since a run was stored; None if there are none.

    Parameters
    ----------
    record : RunRecord
        What is stored of the run.
    """
    packages, model = record.environment.packages, record.model
    then = {name: packages[name] for name in DECIDING if name in packages}
    then |= {**model.requirements, **installed_versions(model.sources)}
    now = {name: _version(DISTRIBUTIONS.get(name, name)) for name in then}
    return ", ".join(f"{name} {then[name]} (now {now[name]})" for name in then if then[name] != now[name]) or None


def _defined(path: Path, name: str, overrides: Mapping[str, object]) -> Model:
    from bench.catalogue import load_model
    from bench.discovery import model_names

    if name not in model_names():
        raise ModelError(
            f"{path}: no model '{name}' is defined here, so there is no list of classes that the file may contain.",
            f"If you trust the model, put its definition into configs/model/{name}.yaml in this folder.",
        )
    return load_model(name, overrides)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
