"""The labelling loop: what to label next, labels back into a task, and labels worth a second look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.api.hints import in_python
from bench.api.progress import described
from bench.api.shown import Shown
from bench.api.words import names_of_models, names_of_tasks, words_of
from bench.errors import ConfigError, nearest
from bench.support.records import plain

if TYPE_CHECKING:
    import pandas as pd

    from bench.data.task import Task
    from bench.labelling.adding import Added
    from bench.labelling.drawn import Sample
    from bench.labelling.second_look import SecondLook
    from bench.labelling.tools import Sheet
    from bench.models.model import Model

Tool = Literal["label-studio", "doccano", "csv"]


class Draw(Shown):
    """Texts of an archive to label next, each drawn with a known probability.

    Parameters
    ----------
    record : Sample
        The drawn texts, and the strata that they were drawn from.
    """

    def __init__(self, record: Sample) -> None:
        self.record = record

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, a sentence each."""
        return self.record.notes

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each text, in the order in which to label them.

        Returns
        -------
        pandas.DataFrame
            ``example_id``, the inputs, the archive's further columns, ``stratum`` and ``probability`` of the draw, its
            ``seed``, the digest of the ``archive``, and ``predicted`` with its ``predicted_probability`` unless blind.
        """
        import pandas as pd

        return pd.DataFrame(self._sheet().rows)

    def strata(self) -> pd.DataFrame:
        """Return one row for each stratum: how many texts it has, how many were drawn, and their probability."""
        import pandas as pd

        return pd.DataFrame(
            {"stratum": each.what, "texts": each.size, "drawn": each.drawn, "probability": each.probability}
            for each in self.record.strata
        )

    def write(self, path: str | Path, tool: Tool = "label-studio", *, force: bool = False) -> list[Path]:
        """Write the texts for an annotation tool.

        Parameters
        ----------
        path : str or pathlib.Path
            The file; for Label Studio its labelling configuration is written beside it.
        tool : {"label-studio", "doccano", "csv"}
            Which one.
        force : bool
            Whether to write over files that are there.

        Returns
        -------
        list of pathlib.Path
            The files.
        """
        return _written(self._sheet(), path, tool, force)

    def to_dict(self) -> dict[str, Any]:
        """Return the texts, the strata and the notes as plain values."""
        strata = [{"name": each.name, **row} for each, row in zip(self.record.strata, self._rows(), strict=True)]
        facts = {"task": self.record.task.name, "model": self.record.model, "notes": list(self.notes)}
        return {**facts, "texts": [dict(row) for row in self._sheet().rows], "strata": strata}

    def _sheet(self) -> Sheet:
        from bench.labelling.tools import sheet_of

        return sheet_of(self.record)

    def _rows(self) -> list[dict[str, Any]]:
        return [{str(name): value for name, value in row.items()} for row in self.strata().to_dict("records")]


@in_python
def sample(
    task: str | Task,
    archive: pd.DataFrame | str | Path,
    n: int,
    *,
    by: Literal["mixed", "uncertainty", "random", "diverse"] = "mixed",
    model: str | None = None,
    blind: bool = False,
    seed: int = 0,
    text: str | None = None,
    claim: str | None = None,
    results: str | Path = "results",
    progress: bool | None = None,
) -> Draw:
    """Draw texts of an archive to label next, with known probabilities.

    Every text of the archive can be drawn, except repeats and near repeats of labelled texts. Scores and shares that
    weigh the labels by these probabilities stay valid.

    Parameters
    ----------
    task : str or Task
        What is labelled.
    archive : pandas.DataFrame of shape (n_texts, n_columns), str or pathlib.Path
        The archive, or its file.
    n : int
        How many texts to draw.
    by : {"mixed", "uncertainty", "random", "diverse"}
        Draw more texts that the model is uncertain about (uncertainty), half of these and half at random (mixed), all
        with equal chances (random), or as many of rare as of frequent subjects (diverse).
    model : str, optional
        What labels the archive; by default the model of the best stored run.
    blind : bool
        Whether to leave out what the model says.
    seed : int
        The seed of the draw.
    text, claim : str, optional
        The archive's columns of these inputs, where they have other names.
    results : str or pathlib.Path
        The store.
    progress : bool, optional
        Whether to show what is being done; by default in a notebook only.

    Returns
    -------
    Draw
        `Draw.write` writes it for an annotation tool, whose export `add` reads.

    Raises
    ------
    bench.errors.UserError
        If the task, the run or the archive is not usable, or the archive has too few texts.

    Examples
    --------
    >>> import bench
    >>> import pandas as pd
    >>> archive = pd.DataFrame({"text": [f"قال المتحدث رقم {number} ذلك" for number in range(50)]})
    >>> draw = bench.sample("denial", archive, 10, by="random", results="none")
    >>> draw.strata()
      stratum  texts  drawn  probability
    0     all     50     10          0.2
    """
    from bench.labelling.drawn import WAYS, SampleRequest
    from bench.labelling.sampling import draw_sample, parse_sample_words

    _among("by", by, WAYS)
    if not hasattr(n, "__index__") or n < 2:
        raise ConfigError(f"n={n!r}: expected a whole number: draw at least two texts.")
    run, seed = parse_sample_words(
        words_of({"task": names_of_tasks(task), "model": model, "seed": seed, "results": results})
    )
    given = Path(archive).expanduser() if isinstance(archive, str | Path) else archive
    with described(progress) as doing:
        request = SampleRequest(run, given, n, by, blind, seed, {"text": text, "claim": claim})
        return Draw(draw_sample(request, doing))


class AddedLabels(Shown):
    """What was added to a task.

    Parameters
    ----------
    record : Added
        The counts, the agreement of each annotator with the labels that were there, and the files.
    """

    def __init__(self, record: Added) -> None:
        self.record = record

    @property
    def task(self) -> Task:
        """The new version of the task."""
        return self.record.task

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were written."""
        return self.record.files

    @property
    def answer(self) -> list[str]:
        """How many examples are new or have another label now, and how far annotators agree, a sentence each."""
        from bench.labelling.shown import added_sentences

        return added_sentences(self.record)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each annotator who labelled labelled examples again.

        Returns
        -------
        pandas.DataFrame
            ``annotator``, how many examples were labelled ``again``, on how many the annotator gave the ``same`` label,
            and Cohen's ``kappa``.
        """
        import pandas as pd

        return pd.DataFrame(
            [(each.annotator, each.n, each.same, each.kappa) for each in self.record.agreement],
            columns=["annotator", "again", "same", "kappa"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, the agreement and the files as plain values."""
        added = self.record
        agreement = self.to_frame().to_dict("records")
        facts = {"task": added.task.name, "version": added.task.version, "tied": list(added.tied)}
        return {
            **facts,
            **{name: getattr(added, name) for name in ("new", "again", "changed", "unlabelled")},
            "agreement": [{**row, "kappa": None if math.isnan(row["kappa"]) else row["kappa"]} for row in agreement],
            "files": [str(path) for path in added.files],
        }

    def _told(self) -> list[str]:
        return self.answer


@in_python
def add(
    labels: str | Path, to: str, *, annotator: str | None = None, text: str | None = None, claim: str | None = None
) -> AddedLabels:
    """Add labels that an annotation tool exported to a task, as a new version of it.

    New texts become examples. Examples that are labelled again get one more vote from each annotator. The files of the
    earlier version are kept.

    Parameters
    ----------
    labels : str or pathlib.Path
        The export of Label Studio, doccano or Prodigy, or the filled-in table of `Draw`.
    to : str
        The task, which is in a file ``tasks/NAME/task.yaml``.
    annotator : str, optional
        Who gave the labels without a name, or all if the export names one annotator.
    text, claim : str, optional
        The columns of a table with the texts and the claims, if they have other names.

    Returns
    -------
    AddedLabels
        What was added, with the task's new version.

    Raises
    ------
    bench.errors.UserError
        If the export or the task is not usable. Nothing is changed then.
    """
    from bench.labelling.adding import add_labels

    return AddedLabels(add_labels(Path(labels).expanduser(), to, {"text": text, "claim": claim}, annotator=annotator))


class Suspects(Shown):
    """Labels of a task that all good models contradict.

    Parameters
    ----------
    record : SecondLook
        The task, and its suspects.
    """

    def __init__(self, record: SecondLook) -> None:
        self.record = record

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each label that is worth a second look, the surest contradictions first.

        Returns
        -------
        pandas.DataFrame
            ``id``, ``group``, ``label``, what the models ``predicted``, how many kinds of ``models`` agree, the
            ``margin`` between their probabilities of the two labels, and the inputs.
        """
        import pandas as pd

        found, inputs = self.record.suspects, self.record.task.inputs
        texts = [{name: each.fields[name] for name in inputs} for each in self.record.sheet().texts]
        rows = [
            {"id": each.id, "group": each.group, "label": each.gold, "predicted": each.predicted}
            | {"models": each.models, "margin": math.nan if each.margin is None else each.margin, **text}
            for each, text in zip(found, texts, strict=True)
        ]
        columns = ["id", "group", "label", "predicted", "models", "margin", *inputs]
        return pd.DataFrame(rows, columns=columns)

    def write(
        self, path: str | Path, tool: Tool = "label-studio", *, blind: bool = False, force: bool = False
    ) -> list[Path]:
        """Write the examples for an annotation tool, whose export `add` reads.

        Parameters
        ----------
        path, tool, force
            As for `Draw.write`.
        blind : bool
            Whether to leave out the label and what the models say.

        Returns
        -------
        list of pathlib.Path
            The files.
        """
        return _written(self.record.sheet(blind), path, tool, force)

    def to_dict(self) -> dict[str, Any]:
        """Return the suspects as plain values."""
        return {"task": self.record.task.name, "suspects": [plain(each) for each in self.record.suspects]}


def suspects(
    task: str | Task,
    model: str | Model | Sequence[str | Model] | None = None,
    *,
    metric: str | None = None,
    seed: int | None = None,
    search: str | None = None,
    results: str | Path = "results",
) -> Suspects:
    """List the labels of a task that all good models contradict, for a second look.

    Only stored runs are read, and predictions are out-of-fold. If you review only these examples, labels move
    towards the models, which then score too well: review a random draw of the others too.

    Parameters
    ----------
    task : str or Task
        The task.
    model : str, Model, or sequence of these, optional
        Which models, with a baseline; all that are stored by default.
    metric : str, optional
        What a good model is better than the baseline by; the task's own metric by default.
    seed, search : optional
        Which runs, where several are stored; the last run's by default.
    results : str or pathlib.Path
        The store.

    Raises
    ------
    bench.errors.UserError
        If the runs are not stored or do not compare, or the task's data have changed since.

    Examples
    --------
    >>> import bench, tempfile
    >>> import pandas as pd
    >>> texts = [f"{'نفى' if number % 2 else 'أعلن'} الوزير الخبر {number}" for number in range(40)]
    >>> labels = ["denial" if number % 2 else "none" for number in range(40)]
    >>> labels[6] = "denial"
    >>> task, store = bench.new_task(pd.DataFrame({"text": texts, "label": labels})), tempfile.mkdtemp()
    >>> models = ["complement-nb", "logreg"]
    >>> _ = bench.run(task, models, search="none", tracking=False, results=store)
    >>> bench.suspects(task, results=store).to_frame()[["text", "label", "predicted"]]
                      text   label predicted
    0  أعلن الوزير الخبر 6  denial      none
    """
    from bench.labelling.second_look import look_again

    given = {"metric": metric, "seed": seed, "search": search, "results": results}
    return Suspects(look_again(words_of({"task": names_of_tasks(task), "model": names_of_models(model), **given})))


def _written(sheet: Sheet, path: str | Path, tool: str, force: bool) -> list[Path]:
    from bench.labelling.tools import FORMATS, write_sheet, written_files
    from bench.prediction.writing import check_output

    _among("tool", tool, tuple(FORMATS))
    target = Path(path).expanduser()
    for file in written_files(tool, target):
        check_output(file, force)
    return write_sheet(sheet, tool, target)


def _among(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ConfigError(f"{name}={value!r}: expected {', '.join(known)}.", nearest(str(value), known))
