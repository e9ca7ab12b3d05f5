# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # What an archive says
#
# Label new text with the best stored model, and say how much the counts are worth.

# %%
import re
from pathlib import Path

import pandas as pd

import bench

runs = bench.run("denial", ["complement-nb", "logreg"], search="quick", tracking=False)
run = runs.best()
run

# %% [markdown]
# Here the archive is the sentences of the five articles that come with the package, so that this page needs no other
# file. The model was trained on parts of them; your own archive, read with pandas, holds texts that it has never seen.

# %%
from bench.discovery import defaults_folder

sentences = [
    {"article": path.stem[:3], "text": sentence.strip()}
    for path in sorted((defaults_folder() / "seeds").glob("*.txt"))
    for sentence in re.split(r"(?<=[.!؟])\s+|\n+", Path(path).read_text(encoding="utf-8"))
    if len(sentence.split()) > 4
]
archive = pd.DataFrame(sentences)
len(archive)

# %%
labelled = archive.join(bench.predict(run, archive["text"]))
pd.crosstab(labelled["article"], labelled["label"])

# %% [markdown]
# A count of labels is not the truth: it inherits the errors of the model. Before you report a share, look at how the
# model does on articles that it was not trained on. That is what the out-of-fold scores say:

# %%
run.per_class()

# %% [markdown]
# A label with a low recall is missed more often than it is found, so its count is too low. With intervals as wide as
# these, report the counts as what one model says, name its score with the interval, and read a sample of the texts of
# each label:

# %%
print(f"{run.model}: {run.metric} {run.score:.2f}, 95 % interval {run.interval.low:.2f} to {run.interval.high:.2f}")
labelled.groupby("label").sample(2, random_state=0, replace=True)[["label", "text"]]
