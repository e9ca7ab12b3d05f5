"""Which draws from an archive the examples of a task come from."""

from __future__ import annotations

import pandas as pd
import pytest

from bench.data.drawn import draws_of

OWN = ("x1", "0.05", "")
FIRST = ("0123abcd-1", "0.1", "89abcdef/none/sure")
SECOND = ("0123abcd-2", "0.2", "76543210/none/sure")
ELSEWHERE = ("fedcba98-1", "0.1", "11111111/none/sure")
NOT_DRAWN = ("x2", "", "")


@pytest.mark.parametrize(
    ("examples", "draws"),
    [
        ([NOT_DRAWN, NOT_DRAWN], [0, 0]),
        ([OWN, OWN], [0, 0]),
        ([NOT_DRAWN, FIRST, SECOND, FIRST], [-1, 0, 1, 0]),
        ([ELSEWHERE, FIRST], [-1, 0]),
        ([OWN, NOT_DRAWN, FIRST, SECOND], [0, -1, 1, 2]),
        ([OWN, ELSEWHERE, FIRST], [0, -1, 1]),
        ([FIRST, OWN], [0, 1]),
        ([("20240103-17", "0.1", ""), ("20240104-3", "0.1", "")], [0, 0]),
        ([("20240103-17", "0.1", "20240103"), ("20240104-3", "0.1", "20240104")], [0, 0]),
        ([("x1", "0.1", FIRST[2]), ("x2", "0.1", SECOND[2])], [-1, 0]),
    ],
)
def test_examples_with_a_known_probability_are_of_a_draw_from_one_archive(
    examples: list[tuple[str, str, str]], draws: list[int]
) -> None:
    assert draws_of(pd.DataFrame(examples, columns=["id", "probability", "stratum"])).tolist() == draws
