"""The models of a run's outer folds: loaded, or fitted again with the settings that their searches have chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.evaluation.evaluation import Evaluation
from bench.models.space import Setting
from bench.prediction.fitted import FittedModel, load_fitted
from bench.results.cell_files import MODEL
from bench.results.files import is_stored
from bench.results.store import RunFolder


@dataclass(frozen=True, eq=False)
class Refitted:
    """The models of a run's folds, fitted again with their stored settings."""

    evaluation: Evaluation
    settings: Mapping[int, Setting]

    def model(self, fold: int) -> FittedModel:
        """Fit the setting that the fold's search has chosen on its training part, as the run did."""
        from bench.evaluation.clock import Clock
        from bench.evaluation.fitting import Fitter
        from bench.features.cache import FeatureCache

        evaluation, params = self.evaluation, self.settings[fold]
        split, task = evaluation.splits[fold], evaluation.task
        fitter = Fitter(evaluation, evaluation.seed_of(fold, "model"), FeatureCache(task.frame), Clock())
        estimator, _ = fitter.fit(params, split)
        return FittedModel(task.inputs, task.labels, fitter.whole(params, split, estimator))


@dataclass(frozen=True, eq=False)
class StoredModel:
    """The model that a run of one published split has stored: the one that it scored."""

    folder: RunFolder
    overrides: Mapping[str, object] = field(default_factory=dict)

    def model(self, fold: int) -> FittedModel:
        """Load it."""
        return load_fitted(self.folder, self.overrides)


Models = Refitted | StoredModel


def models_of(folder: RunFolder, evaluation: Evaluation, overrides: Mapping[str, object]) -> Models:
    """What gives the models of a run's folds.

    Parameters
    ----------
    folder : RunFolder
        The run.
    evaluation : Evaluation
        What its cells shared, as `bench.prediction.rebuilt.rebuilt` gives it.
    overrides : mapping of str to object
        Dotted keys of the model's definition here with the values to put in their place.
    """
    if len(evaluation.splits) == 1 and is_stored(folder.cell_path(0) / MODEL):
        return StoredModel(folder, overrides)
    settings = {fold: folder.read_result(fold).params for fold in range(len(evaluation.splits))}
    return Refitted(evaluation, settings)
