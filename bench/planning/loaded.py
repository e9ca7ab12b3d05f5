"""Imported last by the server of workers: what the first unit of each worker would do again."""

import pandas as pd
from sklearn.utils.multiclass import type_of_target

# scikit-learn looks for other kinds of data frames in the metadata of all installed packages, once in each process.
type_of_target(["a", "b"])

# Text columns load what they need of pyarrow as they are first read.
pd.DataFrame({"text": ["a"], "label": ["b"]}).set_index("text")["label"].tolist()
