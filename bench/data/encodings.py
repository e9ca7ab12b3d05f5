"""In which encoding a file of text is written."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from functools import lru_cache, partial
from pathlib import Path

from bench.errors import ConfigError, DataError, nearest

UTF_8 = "utf-8"

USUAL = (UTF_8, "utf-16", "windows-1256", "iso-8859-6", "windows-1252", "utf-16-le", "utf-16-be")
"""Encodings that completion offers."""

MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""The byte order marks that name an encoding other than UTF-8."""

ARABIC_SHARE = 0.9
"""The share of a file's bytes beyond ASCII that are Arabic in Windows-1256, from which it is taken to be that."""

_BLOCK = 2**20
_WINDOWS_ARABIC = bytes(
    number
    for number in range(128, 256)
    if "\u0600" <= bytes([number]).decode("windows-1256") <= "\u06ff" or number in (0x9D, 0x9E, 0xAB, 0xBB, 0x85)
)
"""The bytes of Windows-1256 that are Arabic letters, marks and punctuation, joiners, guillemets and the ellipsis."""

_ALONE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?=[A-Za-z])|(?<=[A-Za-z])[\x80-\xff](?![\x80-\xff])")
"""A byte beyond ASCII by itself at a Latin letter, as in Latin words and never in Arabic ones."""


def check_encoding(name: str, where: str) -> str:
    """Return the name by which Python knows an encoding.

    Raises
    ------
    bench.errors.ConfigError
        If there is no such encoding of text.
    """
    try:
        known = codecs.lookup(name)
        "x".encode(known.name)
    except (LookupError, ValueError) as error:
        raise ConfigError(f"{where}: there is no encoding '{name}'.", nearest(name, USUAL)) from error
    return name


def detect_encoding(paths: Iterable[Path]) -> str:
    """Say in which encoding files are written: UTF-8, UTF-16 by its mark, or Windows-1256 where all signs are for it.

    Of what is neither, UTF-8 is returned: whoever reads it then says which byte of which line is none.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        The files, which are there.

    Raises
    ------
    bench.errors.DataError
        If one of several files is written in another encoding than the others.
    """
    found: dict[str, Path] = {}
    for path in paths:
        state = path.stat()
        encoding = _encoding(path, state.st_ino, state.st_size, state.st_mtime_ns)
        if encoding is not None:
            found.setdefault(encoding, path)
    if len(found) > 1:
        (first, path), (second, other) = list(found.items())[:2]
        raise DataError(
            f"{path} is written in {first.upper()}, {other} in {second.upper()}.", "Save all files in UTF-8."
        )
    return next(iter(found), UTF_8)


@lru_cache(maxsize=64)
def _encoding(path: Path, number: int, size: int, changed: int) -> str | None:
    """The encoding of one file; None where all of it is ASCII. Told once for what the system says of the file."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf_8 = True
    beyond = arabic = alone = 0
    with path.open("rb") as file:
        begin = file.read(4)
        if begin != codecs.BOM_UTF32_LE and begin.startswith(tuple(MARKS)):
            return MARKS[begin[:2]]
        file.seek(0)
        for block in iter(partial(file.read, _BLOCK), b""):
            if is_utf_8:
                is_utf_8 = _decodes(decoder, block)
            if not block.isascii():
                high = block.translate(None, bytes(range(128)))
                beyond += len(high)
                arabic += len(high) - len(high.translate(None, _WINDOWS_ARABIC))
                alone += len(_ALONE.findall(block))
    if not beyond:
        return None
    is_windows = arabic >= ARABIC_SHARE * beyond and alone <= (1 - ARABIC_SHARE) * beyond
    return "windows-1256" if is_windows and not (is_utf_8 and _decodes(decoder, b"", final=True)) else UTF_8


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True
