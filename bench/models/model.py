"""A model: an estimator, the features it reads, and the space that its search explores."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError, nearest
from bench.models.parameter_names import canonical_name, check_plain_words, qualified
from bench.models.space import Choice, Range, SearchSpace, Setting
from bench.schema.dialect import place_of
from bench.support.plugins import found_here, import_plugin, own_file

ADJUSTMENTS = {"calibrate": "temperature", "thresholds": "tuned"}
"""The parameters that adjust any estimator with probabilities, each with its only value besides null."""


if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from bench.data.task import Task


@dataclass(frozen=True)
class Model:
    """A named recipe for scikit-learn compatible classifiers.

    Parameters
    ----------
    name : str
        The model's name, as in ``model=name``.
    estimator : str
        The import path of a scikit-learn compatible classifier class.
    features : str or None
        A feature set of `bench.features` or the import path of a transformer class over a
        pandas frame of the task's input columns; None if the estimator takes that
        frame itself.
    params : mapping of str to object
        Fixed parameters. A plain name is the estimator's; ``features.<name>`` and
        ``estimator.<name>`` give its owner, and more dots refer to nested parts.
    search : SearchSpace
        The parameters that are searched, with names of the same form.
    prune : bool
        Whether the search stops a setting that is below the median of earlier ones after some of the inner folds.
    description : str
        A one-line description.
    origin : str
        Where the definition comes from: a file, or a package's entry point.
    """

    name: str
    estimator: str
    features: str | None = None
    params: Setting = field(default_factory=dict)
    search: SearchSpace = field(default_factory=lambda: SearchSpace({}))
    description: str = ""
    origin: str = ""
    prune: bool = False

    def __post_init__(self) -> None:
        for name, value in self.params.items():
            if not _is_plain(value):
                raise ModelError(
                    f"{self.origin or self.name}: params.{name} is {type(value).__name__}, which cannot be stored.",
                    "Use numbers, text, true, false, null, lists and mappings. Create objects inside the estimator.",
                )
        for section, names in (("params", self.params), ("search", self.search.dimensions)):
            self._check_names(section, names)

    def _check_names(self, section: str, names: Iterable[str]) -> None:
        """Reject unknown parameter names, and two names of one parameter, since they would have no effect."""
        given: dict[str, str] = {}
        for name in names:
            if not canonical_name(name).partition(".")[2]:
                raise ModelError(
                    f"{self.origin or self.name}: {section}.{name}: unknown parameter '{name}'.",
                    "Name parameters features.NAME or estimator.NAME. To compare feature sets or estimators, "
                    "write one model for each.",
                )
            first = given.setdefault(canonical_name(name), name)
            if first != name:
                raise ModelError(
                    f"{self.origin or self.name}: {section}: '{first}' and '{name}' are the same parameter.",
                    "Keep one of them.",
                )

    @classmethod
    def parse(cls, definition: object, origin: str, name: str) -> Model:
        """Read a model from the content of its YAML file.

        Parameters
        ----------
        definition : object
            The file's content.
        origin : str
            The file, named in errors.
        name : str
            The name under which the file is found.

        Raises
        ------
        bench.errors.ModelError
            If a key is missing or unknown, a value has the wrong type, or the search
            space is empty or malformed.
        """
        from bench.schema.check import Place, check, keys_of
        from bench.schema.model import ModelFile

        if not isinstance(definition, Mapping):
            raise ModelError(f"{origin}: expected a mapping with the keys {', '.join(keys_of(ModelFile))}.")
        read = check(ModelFile, definition, Place(origin, error=ModelError))
        check_plain_words(definition, origin)
        if read.name != name:
            raise ModelError(
                f"{place_of(origin, definition, 'name')}: name is '{read.name}', but the file's name is '{name}'.",
                "Give the file and the model the same name.",
            )
        return cls(
            name=name,
            estimator=read.estimator,
            features=read.features,
            params={
                **{key: getattr(read, key) for key in ADJUSTMENTS if getattr(read, key) is not None},
                **{key: _plain(value) for key, value in (read.params or {}).items()},
            },
            search=SearchSpace.parse(read.search, origin, definition),
            description=read.description or "",
            origin=origin,
            prune=read.prune,
        )

    @property
    def first_setting(self) -> Setting | None:
        """The values in `params` of all searched parameters, which the search tries first.

        None if one of them has no value there, or one outside the search space.
        """
        own = {canonical_name(name): value for name, value in self.params.items()}
        setting = {name: own[canonical_name(name)] for name in self.search.dimensions if canonical_name(name) in own}
        return setting if setting and self.search.holds(setting) else None

    @property
    def written_params(self) -> Setting:
        """The fixed parameters as runs record them."""
        return self.params

    @property
    def own_code(self) -> Mapping[str, str]:
        """What its numbers rest on besides what its import paths name."""
        return {}

    def build(self, params: Setting, task: Task, seed: int) -> BaseEstimator:
        """Build an unfitted classifier over a frame of the task's input columns.

        Parameters
        ----------
        params : mapping of str to object
            Values that override the model's own, by dotted name.
        task : Task
            The task with the input columns and labels.
        seed : int
            The value of every ``random_state`` that the parts have.

        Raises
        ------
        bench.errors.ModelError
            If an import path or a parameter is unknown.
        """
        from sklearn.pipeline import Pipeline

        transformer = self.build_features(params, task, seed)
        estimator = self.build_estimator(params, task, seed)
        if transformer is None:
            return estimator
        return Pipeline([("features", transformer), ("estimator", estimator)])

    def build_features(self, params: Setting, task: Task, seed: int) -> BaseEstimator | None:
        """Build the unfitted transformer from the task's input columns, None without one."""
        if self.features is None:
            if any(name.startswith("features.") for name in {**self.params, **params}):
                raise ModelError(
                    f"{self.origin}: it has parameters of features, but no features.",
                    "Add a feature set, for example features: tfidf.",
                )
            return None
        from bench.features import FEATURE_SETS

        if self.features in FEATURE_SETS:
            transformer = FEATURE_SETS[self.features](task.inputs)
        elif "." in self.features:
            transformer = self._made(self.features, "features")
        else:
            raise ModelError(
                f"{self.origin}: unknown feature set '{self.features}'.", nearest(self.features, FEATURE_SETS)
            )
        transformer.set_params(**_seeds(transformer, seed))
        return self._with_params(transformer, self._params_of("features", params), "features")

    def build_estimator(self, params: Setting, task: Task, seed: int) -> BaseEstimator:
        """Build the unfitted classifier that comes after the features.

        An estimator whose constructor takes ``labels``, ``inputs``, ``label_map`` or ``descriptions`` is given
        the task's. One that knows only certain tasks needs a method ``check_task``, which raises
        `ModelError` for any other and is called before anything runs.
        """
        estimator = self._made(self.estimator, "estimator")
        if not all(hasattr(estimator, method) for method in ("fit", "predict", "get_params", "set_params")):
            raise ModelError(
                f"{self.origin}: estimator {self.estimator} is not a scikit-learn classifier: it needs fit, predict, "
                "get_params and set_params."
            )
        known = estimator.get_params(deep=False)
        told = {key: value for key, value in task.context.items() if key in known}
        estimator.set_params(**_seeds(estimator, seed), **told)
        given, adjustments = self._without_adjustments(estimator, params)
        built = self._with_params(estimator, given, "estimator")
        if hasattr(built, "check_task"):
            built.check_task()
        if adjustments is None:
            return built
        self._check_adjustments(built, adjustments, task)
        return _adjusted(built, adjustments).set_params(
            metric=task.metric, labels=tuple(task.labels), random_state=seed
        )

    def _without_adjustments(
        self, estimator: BaseEstimator, params: Setting
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The parameters of the estimator itself, and those of its adjustment; None if the model names none of them."""
        given, own = self._params_of("estimator", params), estimator.get_params(deep=False)
        named = {canonical_name(name) for name in (*self.params, *self.search.dimensions, *params)}
        if not any(f"estimator.{name}" in named and name not in own for name in ADJUSTMENTS):
            return given, None
        return given, {name: given.pop(name, None) for name in ADJUSTMENTS if name not in own}

    def _check_adjustments(self, estimator: BaseEstimator, adjustments: Setting, task: Task) -> None:
        """Raise a ModelError if an adjustment is unknown, or cannot be made for an estimator and a task."""
        for name in adjustments:
            searched = next(
                (each for key, each in self.search.dimensions.items() if qualified(key) == f"estimator.{name}"), None
            )
            values = [adjustments[name], *(searched.values if isinstance(searched, Choice) else ())]
            wrong = [value for value in values if value not in (None, ADJUSTMENTS[name])]
            if wrong or isinstance(searched, Range):
                shown = repr(wrong[0]) if wrong else "a range"
                raise ModelError(
                    f"{self.origin or self.name}: {name} is {shown}.", f"It can be {ADJUSTMENTS[name]} or null."
                )
            if not any(values):
                continue
            if not hasattr(estimator, "predict_proba") or hasattr(estimator, "restored"):
                raise ModelError(
                    f"{self.origin or self.name}: {name}: {ADJUSTMENTS[name]} needs a trained estimator with "
                    f"probabilities, and {type(estimator).__name__} is none.",
                    f"Remove {name}, or choose an estimator with predict_proba.",
                )
            if name == "thresholds" and task.scored_by.needs_probabilities:
                raise ModelError(
                    f"{self.origin or self.name}: thresholds: tuned changes predicted labels, and the metric of task "
                    f"'{task.name}', {task.scored_by.title}, does not depend on them.",
                    "Remove thresholds, or choose a metric of labels with task.metric=NAME.",
                )

    def unfitted(self) -> BaseEstimator:
        """Build the estimator with the model's own parameters, without a task.

        Raises
        ------
        bench.errors.ModelError
            If an import path or a parameter is unknown.
        """
        estimator = self._made(self.estimator, "estimator")
        given, adjustments = self._without_adjustments(estimator, {})
        built = self._with_params(estimator, given, "estimator")
        return built if adjustments is None else _adjusted(built, adjustments)

    @property
    def restores_from_definition(self) -> bool:
        """Whether a stored estimator is rebuilt from this definition because its class has a method ``restored``."""
        return hasattr(self.unfitted(), "restored")

    def stored_classes(self) -> dict[str, type]:
        """The classes in this definition, which a stored model may contain, by stored name.

        Those of the estimator and the features, of their parts before fitting, and of what their classes
        list in ``stored_parts``.

        Raises
        ------
        bench.errors.ModelError
            If an import path or a parameter is unknown.
        """
        from bench.features import FEATURE_SETS
        from bench.models.parts import stored_name

        built = [self.unfitted()]
        if self.features is not None and self.features not in FEATURE_SETS:
            built.append(self._made(self.features, "features"))
        held = [part for whole in built for part in (whole, *whole.get_params().values())]
        named = [type(part) for part in held if hasattr(part, "get_params") and not isinstance(part, type)]
        named += [part for cls in named for part in getattr(cls, "stored_parts", ())]
        return {stored_name(cls): cls for cls in named if not hasattr(cls, "restored")}

    def stored_functions(self) -> frozenset[str]:
        """The functions that this definition names, which a stored model may hold, by their dotted names."""
        return frozenset()

    def _params_of(self, part: str, params: Setting) -> dict[str, Any]:
        own, given = (
            {canonical_name(name): value for name, value in source.items()} for source in (self.params, params)
        )
        return {
            name.removeprefix(f"{part}.").replace(".", "__"): value
            for name, value in (own | given).items()
            if name.startswith(f"{part}.")
        }

    def _with_params(self, built: BaseEstimator, params: Setting, part: str) -> BaseEstimator:
        for name, value in params.items():
            known = built.get_params()
            if name not in known:
                dotted = name.replace("__", ".")
                raise ModelError(
                    f"{self.origin}: unknown parameter '{part}.{dotted}' of {type(built).__name__}.",
                    getattr(built, "refused_params", {}).get(name)
                    or nearest(f"{part}.{dotted}", (f"{part}.{key.replace('__', '.')}" for key in known)),
                )
            built.set_params(**{name: value})
        return built

    def _made(self, path: str, key: str) -> BaseEstimator:
        factory = self._class(path, key)
        try:
            with found_here():
                return factory()
        except Exception as error:  # The class may be a plug-in.
            raise ModelError(
                f"{self.origin}: {key} {path} cannot be created without arguments: {type(error).__name__}: {error}.",
                "Give every argument of its __init__ a default, and check values in fit, as scikit-learn requires.",
            ) from error

    def _class(self, path: str, key: str) -> Callable[..., Any]:
        module, _, name = path.rpartition(".")
        if not module:
            raise ModelError(
                f"{self.origin}: {key}: '{path}' is not an import path.",
                "Write package.module.Class, such as sklearn.linear_model.LogisticRegression.",
            )
        try:
            imported = import_plugin(module)
        except (Exception, SystemExit) as error:  # Importing a plug-in runs its code.
            raise ModelError(
                f"{self.origin}: {key}: cannot import '{module}': {type(error).__name__}: {error}.",
                "Install the package, or fix the path or the module.",
            ) from error
        found = getattr(imported, name, None)
        if not callable(found):
            own = own_file(module)
            if own is not None and getattr(imported, "__file__", None) != str(own):
                raise ModelError(
                    f"{self.origin}: {key}: '{module}' is a module of Python or of an installed package, so {own} "
                    "cannot be imported under that name.",
                    "Rename the file.",
                )
            names = [n for n, value in vars(imported).items() if inspect.isclass(value)]
            raise ModelError(f"{self.origin}: {key}: '{module}' has no class '{name}'.", nearest(name, names))
        return found


def _adjusted(estimator: BaseEstimator, adjustments: Setting) -> BaseEstimator:
    from bench.models.adjusted import AdjustedClassifier

    return AdjustedClassifier(estimator, **adjustments)


def _seeds(part: BaseEstimator, seed: int) -> dict[str, int]:
    return {key: seed for key in part.get_params() if key.split("__")[-1] == "random_state"}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def _plain(value: Any) -> Any:
    return tuple(_plain(item) for item in value) if isinstance(value, list) else value
