"""Commands that join files into one table, for messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from bench.data.column_names import is_known
from bench.data.encodings import detect_encoding
from bench.data.files import open_text
from bench.data.messages import free_name, listed
from bench.data.task import ROLES, TEST, TRAIN
from bench.errors import DataError
from bench.scaffold.parts import files_by_role, names_labels

READ_BY_PANDAS = {
    ".csv": "pandas.read_csv(name, dtype=str, keep_default_na=False)",
    ".tsv": r"pandas.read_csv(name, dtype=str, keep_default_na=False, sep='\t')",
    ".jsonl": "pandas.read_json(name, lines=True, dtype=False)",
    ".json": "pandas.read_json(name, dtype=False)",
    ".parquet": "pandas.read_parquet(name)",
    ".xlsx": "pandas.read_excel(name, dtype=str, keep_default_na=False)",
}
"""The pandas code that reads a table, by suffix, with every value as it stands there."""

_NAMED = ".assign(label=pathlib.Path(name).stem)"


def called_as_labels(paths: Sequence[Path]) -> str:
    """The command that joins files named after their labels into one table; empty if only one file has the suffix."""
    suffix = paths[0].suffix.lower()
    files = [path for path in paths if path.suffix.lower() == suffix]
    if len(files) < 2:
        return ""
    rows = "(line.strip(), pathlib.Path(name).stem) for line in open(name, encoding='utf-8') if line.strip()"
    read = f"pandas.DataFrame([{rows}], columns=['text', 'label'])"
    pieces = ""
    if suffix in READ_BY_PANDAS:
        code, note = _reading(files)
        read, pieces = f"{code}{_NAMED}", f" If they are pieces of one table, leave out {_NAMED}.{note}"
    written = free_name("all.csv")
    made = f"pandas.concat({read} for name in {list(map(str, files))}).to_csv('{written}', index=False)"
    return (
        f"If each file is named after the label of its texts, join them into one table.{pieces}\n"
        f'python -c "import pathlib, pandas; {made}"\nThen use --data {written}'
    )


def check_one_a_part(paths: Sequence[Path]) -> None:
    """Raise a DataError about several files of the training or the test part of a split."""
    by_role = files_by_role(paths)
    several = {role: by_role[role] for role in (TRAIN, TEST) if len(by_role.get(role, ())) > 1}
    if not several:
        return
    shown = "; ".join(f"{role}: {listed([path.name for path in files], 5)}" for role, files in several.items())
    made = [command for role, files in several.items() for command in _joined(role, files)]
    alone = [str(path) for role in ROLES if role not in several for path in by_role.get(role, ())]
    data = " ".join(f"--data {name}" for name in (*map(_written, several), *alone))
    hint = "\n".join(("Give one file for each part.", *made, *([f"Then use {data}"] if made else [])))
    raise DataError(f"Several files are of one part of a published split: {shown}.", hint)


def _joined(role: str, files: Sequence[Path]) -> tuple[str, ...]:
    """How to join the files of one part, and the command; nothing if they differ in their suffix."""
    if len({path.suffix.lower() for path in files}) > 1 or files[0].suffix.lower() not in READ_BY_PANDAS:
        return ()
    code, note = _reading(files)
    if len(files) == 2 and sum(map(names_labels, files)) == 1:
        texts, labels = (code.replace("(name,", f"({str(path)!r},") for path in sorted(files, key=names_labels))
        made = f"{texts}.merge({labels}, how='left')"
        return f"To join labels to the texts of {role} by the columns that both files have:", _command(made, role)
    told = f"To join the files of {role}, if each has texts and labels:{note}"
    named = f"If only a file's name tells its label, add {_NAMED} before ' for name'."
    return told, _command(f"pandas.concat({code} for name in {list(map(str, files))})", role), named


def _command(made: str, role: str) -> str:
    return f"python -c \"import pathlib, pandas; {made}.to_csv('{_written(role)}', index=False)\""


def _written(role: str) -> str:
    """The file that the files of a part are joined into."""
    return free_name(f"{role}.csv")


def _reading(files: Sequence[Path]) -> tuple[str, str]:
    """The code that reads files of one suffix, and a note on their first lines."""
    code = READ_BY_PANDAS[files[0].suffix.lower()]
    if "read_csv" not in code or any(map(_has_header, files)):
        return code, ""
    return code.replace("(name,", "(name, header=None,"), " (If their first lines are headers, leave out header=None.)"


def _has_header(path: Path) -> bool:
    """Whether a cell of a table's first line is a usual column name."""
    with suppress(DataError), open_text(path, newline="", encoding=detect_encoding([path])) as lines:
        return any(is_known(cell.strip(" \"'\r\n")) for line in islice(lines, 1) for cell in re.split(r"[,;\t|]", line))
    return True
