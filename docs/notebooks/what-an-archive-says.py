# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # What an archive says
#
# Label new text with the best stored model, and say how much of the archive has each label, with an interval.

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
# A count of labels is not the truth: it inherits the errors of the model. `bench.estimate` corrects the predictions by
# the labelled examples. It recognises those that are in the archive, and has each fold's model predict what it was not
# trained on:

# %%
shares = bench.estimate("denial", archive)
shares

# %% [markdown]
# With labels of five articles the intervals are wide, and they should be. The warnings say what to doubt:

# %%
shares.warnings

# %% [markdown]
# The intervals assume that the labelled examples were drawn from the archive, at random or at known rates, as
# `bench sample` draws them. The model's errors on articles that it was not trained on show why counting is not enough:

# %%
run.per_class()

# %% [markdown]
# Read a sample of the texts of each label before you report anything:

# %%
labelled.groupby("label").sample(2, random_state=0, replace=True)[["label", "text"]]
