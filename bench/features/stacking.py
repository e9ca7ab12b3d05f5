"""Build a large sparse matrix from parts of its rows without a second copy in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterable


def stack_rows(parts: Iterable[sparse.csr_matrix]) -> sparse.csr_matrix:
    """Put parts of a matrix below each other, taking them one by one.

    `scipy.sparse.vstack` needs all parts and the whole at once. Here, each part extends the arrays in place, moving no
    memory if the system can remap it (``mremap`` on Linux).

    Parameters
    ----------
    parts : iterable of scipy.sparse.csr_matrix of float64 of shape (n_part_rows, n_columns)
        The parts; one at least.

    Returns
    -------
    scipy.sparse.csr_matrix of float64 of shape (n_rows, n_columns)
        Its indices are sorted where those of the parts are.

    Examples
    --------
    >>> stack_rows((sparse.csr_matrix([row]) for row in ([0.0, 1.0], [2.0, 0.0]))).toarray()
    array([[0., 1.],
           [2., 0.]])
    """
    data, indices = np.empty(0), np.empty(0, dtype=np.int32)
    ends = [np.zeros(1, dtype=np.int64)]
    for part in parts:
        start, size = len(data), len(data) + part.nnz
        for whole, added in ((data, part.data), (indices, part.indices)):
            whole.resize(size, refcheck=False)  # nothing else refers to either
            whole[start:] = added
        ends.append(start + part.indptr[1:].astype(np.int64))
    indptr = np.concatenate(ends)
    n_columns = part.shape[1]
    if len(data) <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    return sparse.csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, n_columns))
