"""What a labelled sample says about an archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.hints import in_python
from bench.api.progress import described
from bench.api.shown import Shown, ends, picture
from bench.api.words import one_task
from bench.support.records import plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bench.data.task import Task
    from bench.results.shares import Estimates


class Shares(Shown):
    """The shares of labels in an archive.

    Parameters
    ----------
    record : Estimates
        The shares of the whole archive and of its parts by each method, the differences, and the warnings.
    notes : sequence of str
        How the archive was read, and what else to know, a sentence each.
    """

    def __init__(self, record: Estimates, notes: Sequence[str] = ()) -> None:
        self.record, self.notes = record, tuple(notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where the labelled examples do not look drawn from the archive."""
        return self.record.warnings

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each label of the whole archive and of each part, with the 95 % interval of its share.

        `counted` is biased: labels where they are known, the model's labels elsewhere.
        """
        import pandas as pd

        rows = []
        for part in (self.record.whole, *self.record.parts):
            facts = {"part": part.part or "", "texts": part.n_texts, "labelled": part.n_labelled}
            for each in part.shares:
                own = {"share": each.powered.value, **ends(each.powered.interval)}
                rows.append({**facts, "label": each.label, **own, "counted": each.counted})
        return pd.DataFrame(rows)

    def differences_to_frame(self) -> pd.DataFrame:
        """Return a row for each label and each difference that was asked for, with its 95 % interval."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"one": each.one, "other": each.other, "label": each.label, "difference": each.difference.value}
                | ends(each.difference.interval)
                for each in self.record.differences
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all that ``bench estimate --format json`` prints."""
        return dict(plain(self.record))

    def plot(self) -> Figure:
        """Draw the shares with their intervals; returns a `matplotlib.figure.Figure`."""
        from bench.reporting.shares import share_figure

        return share_figure(self.record)

    def _drawn(self) -> str:
        return picture(self.plot(), "Shares with their intervals")


@in_python
def estimate(
    task: str | Task,
    archive: pd.DataFrame | str | Path,
    *,
    model: str | None = None,
    by: str | None = None,
    difference: Sequence[tuple[str, str]] | tuple[str, str] = (),
    within: float = 2.0,
    text: str | None = None,
    claim: str | None = None,
    results: str | Path = "results",
    progress: bool | None = None,
) -> Shares:
    """Estimate how much of an archive has each label, by prediction-powered inference.

    The intervals hold if the labelled examples were drawn from the archive, at random or at known rates.

    Parameters
    ----------
    task : str or Task
        The task with the labelled examples. A run of it is stored.
    archive : pandas.DataFrame of shape (n_texts, n_columns), str or pathlib.Path
        All texts of the archive, or its file. The labelled ones may be among them.
    model : str, optional
        The model that predicts; by default that of the best stored run.
    by : str, optional
        The column that divides the archive; ``"published:month"`` for the months of a column of dates.
    difference : (str, str) or sequence of (str, str)
        Parts whose shares to subtract.
    within : float
        The half width, in percentage points, that further labels are counted for.
    text, claim : str, optional
        The archive's columns of these inputs, where they have other names.
    results : str or pathlib.Path
        The store.
    progress : bool, optional
        Whether to show what is being done; by default in a notebook only.

    Raises
    ------
    bench.errors.UserError
        If there is no such run, the task's data have changed since, or a column of the archive is missing.
    """
    from bench.prediction.choice import PredictRequest
    from bench.shares.request import estimate_archive, estimate_request

    alone = len(difference) == 2 and all(isinstance(name, str) for name in difference)
    pairs: Sequence[Any] = [difference] if alone else difference
    request = estimate_request(
        PredictRequest(one_task(task), model, results=Path(results).expanduser()),
        Path(archive).expanduser() if isinstance(archive, str | Path) else archive,
        by,
        pairs,
        within,
        {"text": text, "claim": claim},
    )
    with described(progress) as doing:
        done = estimate_archive(request, doing)
    return Shares(done.estimates, [*done.notes, *done.warnings])
