# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A first leaderboard
#
# Run some models on a task, rank them, and read what the ranking is worth. Everything is stored in `results/`: run a
# cell again, and nothing is computed twice.

# %%
import bench

task = bench.load_task("denial")
task

# %% [markdown]
# Each row is a segment of one of five news articles. The group of an example is its article: no article is ever on both
# sides of a split.

# %%
task.to_pandas()[["text", "label", "group"]].head(3)

# %%
models = ["lexicon", "complement-nb", "logreg"]
runs = bench.run(task, models, search="quick", tracking=False)
runs

# %% [markdown]
# `low` and `high` are the ends of the 95 % interval of the score, over groups. The `majority` baseline always runs too.
# What the data made the harness leave out or change is in the notes:

# %%
for note in runs.notes:
    print("-", note)

# %% [markdown]
# The leaderboard has all metrics, and how well each annotation pass agrees with the gold labels:

# %%
bench.leaderboard(task)

# %% [markdown]
# Is the best model really better? With five articles, hardly anything can be decided; the comparison says so.

# %%
bench.compare(task)

# %% [markdown]
# A run's out-of-fold predictions are a data frame, so any question about its errors is one line:

# %%
best = runs.best()
predictions = best.predictions()
predictions[predictions["label"] != predictions["predicted"]].head()

# %%
best.confusion()
