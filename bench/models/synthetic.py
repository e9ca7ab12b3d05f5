"""Small synthetic Arabic tasks, on which models are examined."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench.data.task import Task

EXAMPLES = 60
"""Examples of a synthetic task."""

LABEL_SETS: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {
    ("text",): (
        ("sport", "economy", "health"),
        ("denial", "none", "non_confirmation"),
        ("government", "unattributed", "expert"),
    ),
    ("claim", "text"): (("sport", "economy", "health"), ("disagree", "agree", "unrelated")),
}
"""Label names to try, by input columns: neutral ones, then those of the built-in tasks, which rules written
for one task may insist on. A task of two classes has the first two."""

TOPICS = (
    "المباراة الفريق اللاعب البطولة المدرب الهدف",
    "السوق الأسعار البنك النفط الاقتصاد الاستثمار",
    "المستشفى الأطباء المرض العلاج اللقاح المرضى",
)

FILLER = "في من على إلى قال اليوم أمس خلال بعد جديد كبير الذي التي مدينة عام بلاد حول أكثر مع هذا"


def synthetic_task(inputs: tuple[str, ...], labels: tuple[str, ...]) -> Task:
    """Make a small Arabic task whose classes differ in their words.

    Parameters
    ----------
    inputs : tuple of str
        The input columns.
    labels : tuple of str
        Up to three label names, each of which gets an equal share of `EXAMPLES`.

    Returns
    -------
    Task
        The same one for the same arguments.

    Examples
    --------
    >>> task = synthetic_task(("text",), ("sport", "economy"))
    >>> len(task), task.y[:4].tolist()
    (60, ['sport', 'economy', 'sport', 'economy'])
    """
    rng = np.random.default_rng(0)
    filler = FILLER.split()
    names = [labels[row % len(labels)] for row in range(EXAMPLES)]
    columns: dict[str, list[str]] = {name: [] for name in inputs}
    for row in range(EXAMPLES):
        topic = TOPICS[row % len(labels)].split()
        for column in columns.values():
            words = [*rng.choice(topic, 3), *rng.choice(filler, 6)]
            column.append(" ".join(rng.permutation(words)) + ".")
    examples = pd.DataFrame(
        {"id": [f"example-{row}" for row in range(EXAMPLES)], **columns, "label": names}
        | {"document": [f"document-{row % 6}" for row in range(EXAMPLES)]}
    )
    return Task(
        name=f"synthetic-{'-'.join(inputs)}",
        version=1,
        description="Synthetic Arabic sentences for examining models.",
        inputs=inputs,
        labels=labels,
        metric="macro_f1",
        group="document",
        examples=examples,
        descriptions={label: f"نص عن {topic}" for label, topic in zip(labels, TOPICS, strict=False)},
    )
