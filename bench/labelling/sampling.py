"""Draw the texts of an archive to label next, each with a known probability."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.catalogue import load_task
from bench.comparison.made import runs_of
from bench.data.messages import listed
from bench.errors import ConfigError, UserError
from bench.labelling.clusters import cluster_names, clusters
from bench.labelling.design import Strata, allocate, by_names, by_uncertainty, draw, one_stratum
from bench.labelling.drawn import (
    NEED_A_MODEL,
    NO_ANSWER,
    OWN_FIELDS,
    DrawnStratum,
    DrawnText,
    Sample,
    SampleRequest,
    rows_digest,
)
from bench.labelling.survey import Survey, survey
from bench.prediction.blanks import Blanks
from bench.prediction.choice import PredictRequest, choose_run, parse_predict_request
from bench.prediction.fitted import load_fitted
from bench.prediction.labelling import CHUNK, label_chunk
from bench.prediction.reading import NewText, archive_title, named_columns, read_texts
from bench.support.digests import file_digest
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from bench.data.task import Task
    from bench.prediction.fitted import FittedModel


def parse_sample_words(words: Sequence[str]) -> tuple[PredictRequest, int]:
    """Read the words of a command line: those of ``bench predict``, and ``seed``.

    Raises
    ------
    bench.errors.ConfigError
        If a key or a value is wrong, or no task is named.

    Examples
    --------
    >>> request, seed = parse_sample_words(["task=stance", "seed=3"])
    >>> request.task, seed
    ('stance', 3)
    """
    seeds = [word.partition("=")[2] for word in words if word.startswith("seed=")]
    if len(seeds) > 1:
        raise ConfigError("seed is repeated.", "Give each key once.")
    if seeds and not (seeds[0].isascii() and seeds[0].isdigit()):
        raise ConfigError(f"seed={seeds[0]}: it must be a whole number from 0.")
    others = [word for word in words if not word.startswith("seed=")]
    return parse_predict_request(others), int(seeds[0]) if seeds else 0


def draw_sample(request: SampleRequest, told: Callable[[str], None] = lambda what: None) -> Sample:
    """Draw texts of an archive.

    Every text of the archive that does not repeat a labelled one, or another text of the archive, has a known
    probability above 0: a fixed number is drawn from each stratum, at random and without replacement. The strata and
    these numbers follow from the archive, the model and the task, and the seed decides only which texts are drawn.

    Parameters
    ----------
    request : SampleRequest
        What to draw.
    told : callable
        Is called with what is done.

    Raises
    ------
    bench.errors.UserError
        If the task, the run or the archive is not usable, or the archive has too few texts.
    """
    task = load_task(request.run.task)
    model, name, notes = _model(request, task)
    columns = named_columns(task.inputs, request.columns)

    title = archive_title(request.archive)

    def read() -> NewText:
        return read_texts(request.archive, columns, task.columns, request.asked)

    told(f"reading {title}")
    new = read()
    blanks = Blanks(title, new.columns)
    deque(blanks.filled(new), maxlen=0)  # a mistake in the last line is reported before the first text is labelled
    notes += [*new.remarks, *blanks.left_out()]
    archive = file_digest(request.archive) if isinstance(request.archive, Path) else rows_digest(read())
    labelling = model if request.by in NEED_A_MODEL else None  # else only what was drawn is labelled
    found = survey(read(), task, labelling, lambda number: told(f"looking at the archive: {number:,} texts so far"))
    _check_size(request, found)
    if request.by == "uncertainty" and found.uncertainty is None:
        raise UserError(
            f"--by uncertainty: {name} gives no probabilities.", "Choose another model with model=NAME, or --by random."
        )
    if request.by == "mixed" and found.uncertainty is None:
        notes.append(
            f"{name} gives no probabilities, so no text is drawn because the model is uncertain about it: each "
            "predicted label gives its share, at random. To draw uncertain ones, choose another model with model=NAME."
        )
    strata, weights = _design(request, found, read, told)
    numbers = allocate(strata.sizes, weights, request.n)
    rng = np.random.default_rng(derive_seed(request.seed, "sample"))
    chosen = draw(strata, numbers, rng)
    prefix = _draw_name(request, archive, name, task, found)
    drawn_strata = tuple(
        DrawnStratum(f"{prefix}/{number:02d}" if request.blind else f"{prefix}/{what}", what, size, drawn)
        for number, (what, size, drawn) in enumerate(
            zip(strata.names, strata.sizes.tolist(), numbers.tolist(), strict=True), start=1
        )
    )
    told("writing")
    texts, left = _texts(chosen, found, strata, drawn_strata, read(), archive, task, request.blind)
    if model is not None and labelling is None:
        texts = _labelled(texts, model)
    notes += [*_told(found), *_names_left(left)]
    return Sample(task, texts, drawn_strata, request.seed, archive, name, request.blind, tuple(notes))


def _model(request: SampleRequest, task: Task) -> tuple[FittedModel | None, str, list[str]]:
    """The model that labels the archive, its name, and notes on it; None if none is needed or stored."""
    wanted = request.run
    if request.by not in NEED_A_MODEL and (request.blind or not runs_of(wanted.results, wanted.task)):
        return None, "", []
    try:
        chosen = choose_run(wanted)
    except UserError as error:
        if request.by not in NEED_A_MODEL or runs_of(wanted.results, wanted.task):
            raise
        raise UserError(error.message, f"{error.hint} To draw without a model: --by random") from None
    model = load_fitted(chosen.folder, wanted.overrides)
    if set(model.inputs) != set(task.inputs):
        raise UserError(
            f"{chosen.folder.path}: the run's inputs are {', '.join(model.inputs)}, the task's are now "
            f"{', '.join(task.inputs)}.",
            f"Rerun it: bench run task={task.name}",
        )
    return model, f"{chosen.record.model.name} {chosen.folder.key}", list(chosen.notes)


def _check_size(request: SampleRequest, found: Survey) -> None:
    if len(found.rows) < request.n:
        some = (
            f"only {len(found.rows):,} of the {found.n_rows:,} texts of {archive_title(request.archive)} can be drawn."
        )
        raise UserError(
            " ".join([f"--n {request.n}: {some}", *_told(found)]),
            "Draw fewer texts, or give a larger archive.",
        )


def _design(
    request: SampleRequest, found: Survey, read: Callable[[], NewText], told: Callable[[str], None]
) -> tuple[Strata, NDArray[np.float64]]:
    """The strata, and what the numbers of drawn texts are proportional to."""
    if request.by == "random":
        strata = one_stratum(len(found.rows))
        return strata, strata.sizes.astype(np.float64)
    if request.by == "diverse":
        told("grouping the archive by its words")
        seed = derive_seed(0, "sample", "clusters")  # so that the seed decides only which texts are drawn
        codes = clusters(
            lambda: _drawable_texts(read(), found.rows),
            len(found.rows),
            request.n,
            seed,
            lambda number: told(f"grouping the archive by its words: {number:,} texts so far"),
        )
        strata = by_names(cluster_names(codes.tolist()), request.n)
        return strata, np.sqrt(strata.sizes)
    assert found.predicted is not None
    strata, rates = by_uncertainty([label or NO_ANSWER for label in found.predicted], found.uncertainty, request.n)
    sizes = strata.sizes.astype(np.float64)
    unsure = sizes * rates
    if request.by == "uncertainty":
        return strata, unsure
    return strata, sizes / sizes.sum() + unsure / unsure.sum()


def _drawable_texts(new: NewText, rows: NDArray[np.intp]) -> Iterator[str]:
    for values in _drawable(new, rows):
        yield " ".join(str(values[column]) for column in new.columns.values())


def _drawable(new: NewText, rows: Iterable[int]) -> Iterator[Mapping[str, object]]:
    """The values of some of the rows, whose numbers are in order."""
    wanted = iter(rows)
    at = next(wanted, None)
    for number, (_, values) in enumerate(new.rows):
        if number == at:
            yield values
            at = next(wanted, None)
            if at is None:
                return


def _draw_name(request: SampleRequest, archive: str, model: str, task: Task, found: Survey) -> str:
    """Eight digits that identify a draw, which make its strata's names unique."""
    what = (archive, model, task.name, task.digest, request.by, request.n, request.seed, len(found.rows))
    return hashlib.sha256(repr(what).encode()).hexdigest()[:8]


def _texts(
    chosen: NDArray[np.intp],
    found: Survey,
    strata: Strata,
    drawn: Sequence[DrawnStratum],
    new: NewText,
    archive: str,
    task: Task,
    blind: bool,
) -> tuple[tuple[DrawnText, ...], list[str]]:
    """Read the drawn texts, and name the archive's columns that are not written."""
    order = np.sort(chosen)
    by_place: dict[int, DrawnText] = {}
    left: dict[str, None] = {}
    for place, values in zip(order.tolist(), _drawable(new, found.rows[order].tolist()), strict=True):
        further = {name: value for name, value in values.items() if name not in new.columns.values()}
        left |= dict.fromkeys(name for name in further if name in (*OWN_FIELDS, *task.inputs))
        shown = found.predicted is not None and not blind
        by_place[place] = DrawnText(
            id=f"{archive[:8]}-{found.rows[place] + 1}",
            inputs={name: str(values[new.columns[name]]) for name in task.inputs},
            further={name: value for name, value in further.items() if name not in left},
            stratum=drawn[strata.codes[place]],
            predicted=(found.predicted[place] or None) if shown and found.predicted is not None else None,
            probability=float(found.probabilities[place]) if shown and found.probabilities is not None else None,
        )
    return tuple(by_place[place] for place in chosen.tolist()), list(left)


def _labelled(texts: Sequence[DrawnText], model: FittedModel) -> tuple[DrawnText, ...]:
    """Drawn texts with what a model says of them."""
    made: list[DrawnText] = []
    for start in range(0, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        frame = pd.DataFrame([dict(each.inputs) for each in part])
        answers = label_chunk(model, frame, f"the drawn text {part[0].id}")
        chances = answers[list(model.columns[1:])].to_numpy(dtype=np.float64) if len(model.columns) > 1 else None
        made += [
            replace(each, predicted=label or None, probability=None if chances is None else float(chances[place].max()))
            for place, (each, label) in enumerate(zip(part, answers["label"].tolist(), strict=True))
        ]
    return tuple(made)


def _told(found: Survey) -> list[str]:
    told = []
    if found.n_labelled:
        be = "text repeats" if found.n_labelled == 1 else "texts repeat"
        told.append(f"{found.n_labelled:,} {be} a labelled text, or nearly, and cannot be drawn.")
    if found.n_repeats:
        be = "text repeats" if found.n_repeats == 1 else "texts repeat"
        told.append(f"{found.n_repeats:,} {be} an earlier text of the archive, which counts once.")
    return told


def _names_left(left: Sequence[str]) -> list[str]:
    if not left:
        return []
    names = listed([f"'{name}'" for name in left])
    return [f"These columns of the archive are not written, because the draw has its own of that name: {names}."]
