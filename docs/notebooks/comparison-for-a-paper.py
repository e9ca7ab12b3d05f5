# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A comparison for a paper
#
# Say which model is better, whether that is real, and how it was found out, in the form that a paper needs.

# %%
import bench

models = ["lexicon", "complement-nb", "logreg"]
bench.run("source-type", models, search="quick", tracking=False)
compared = bench.compare("source-type")
compared

# %% [markdown]
# The first sentences are the answer. The picture shows the differences on which the verdicts rest, with intervals that
# are adjusted for all pairs of models. Save it for the paper:

# %%
compared.plot().savefig("results/comparison.pdf")

# %% [markdown]
# Every pair, with its tests:

# %%
compared.pairs()[["first", "second", "groups.difference", "verdict"]]

# %% [markdown]
# The table, for LaTeX's `booktabs`:

# %%
print(compared.to_latex())

# %% [markdown]
# The out-of-fold predictions of all models side by side, for an error analysis or another test:

# %%
compared.predictions().head(3)
