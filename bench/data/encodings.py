"""Detect the encoding of text files."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from bench.errors import ConfigError, DataError, nearest

UTF_8 = "utf-8"

USUAL = (UTF_8, "utf-16", "windows-1256", "iso-8859-6", "windows-1252", "utf-16-le", "utf-16-be")
"""Encodings that shell completion offers."""

MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""The byte order marks that name an encoding other than UTF-8."""

ARABIC_SHARE = 0.9
"""The least share of non-ASCII bytes that are Arabic in Windows-1256 for a file to be taken as such."""

USUAL_SHARE = 0.03
"""The least share of alef, and of lam, among the Arabic letters of real text, where it is about a tenth."""

FEW_LETTERS = 20
"""The number of non-ASCII bytes below which real Arabic text may lack an alef."""

_BLOCK = 2**20
_WINDOWS_ARABIC = bytes(
    number
    for number in range(128, 256)
    if "\u0600" <= bytes([number]).decode("windows-1256") <= "\u06ff" or number in (0x9D, 0x9E, 0xAB, 0xBB, 0x85)
)
"""The bytes in Windows-1256 of Arabic letters, marks and punctuation, joiners, guillemets and the ellipsis."""

_ALEF = "ا".encode("windows-1256")

_ALONE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?=[A-Za-z])|(?<=[A-Za-z])[\x80-\xff](?![\x80-\xff])")
"""A single non-ASCII byte next to a Latin letter, which occurs in Latin words but never in Arabic ones."""

_WORD_OF_UTF_8 = re.compile(rb"(?:[\xd8-\xdb][\x80-\xbf]){3}")
"""Three Arabic letters in UTF-8, whose bytes are not text in Windows-1256."""


def check_encoding(name: str, where: str) -> str:
    """Return Python's name of an encoding.

    Raises
    ------
    bench.errors.ConfigError
        If the text encoding is unknown.
    """
    try:
        known = codecs.lookup(name)
        "x".encode(known.name)
    except (LookupError, ValueError) as error:
        raise ConfigError(f"{where}: unknown encoding '{name}'.", nearest(name, USUAL)) from error
    return name


def detect_encoding(paths: Iterable[Path]) -> str:
    """Detect the encoding of files: UTF-8, UTF-16 by its byte order mark, or Windows-1256 on strong evidence.

    Otherwise, return UTF-8; the reader then reports the line and byte that are invalid.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        The files. They must exist.

    Raises
    ------
    bench.errors.DataError
        If the files are in different encodings.
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
            f"{path} is in {first.upper()}, but {other} is in {second.upper()}.", "Save all files in UTF-8."
        )
    return next(iter(found), UTF_8)


@lru_cache(maxsize=64)
def _encoding(path: Path, number: int, size: int, changed: int) -> str | None:
    """The encoding of one file; None if all of it is ASCII. Cached until the file changes."""
    with path.open("rb") as file:
        begin = file.read(4)
        if begin != codecs.BOM_UTF32_LE and begin.startswith(tuple(MARKS)):
            return MARKS[begin[:2]]
        file.seek(0)
        if (ascii_only := _utf_8(file)) is not None:
            return None if ascii_only else UTF_8
        file.seek(0)
        return "windows-1256" if _is_windows_1256(file) else UTF_8


def _utf_8(file: BinaryIO) -> bool | None:
    """Whether a UTF-8 file is pure ASCII; None if it is not UTF-8."""
    decoder, ascii_only = codecs.getincrementaldecoder("utf-8")(), True
    try:
        for block in iter(partial(file.read, _BLOCK), b""):
            decoder.decode(block)
            ascii_only = ascii_only and block.isascii()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return ascii_only


def likely_encoding(content: bytes) -> str | None:
    """The single-byte encoding in which bytes are Arabic text; None if there is none.

    Examples
    --------
    >>> text = "قال الوزير إن الخبر صحيح، ثم سكت"
    >>> [likely_encoding(text.encode(name)) for name in ("windows-1256", "iso-8859-6", "utf-8")]
    ['windows-1256', 'iso-8859-6', None]
    >>> likely_encoding("l'été déjà là".encode("latin-1")) is None
    True
    """
    if _is_windows_1256(BytesIO(content)):
        return "windows-1256"
    return next((name for name in ("iso-8859-6", "cp720", "mac-arabic") if _is_arabic(content, name)), None)


def utf_16_order(line: bytes) -> str | None:
    r"""The encoding of a first line with NUL as every first or every second byte of some; None if both are NUL.

    Examples
    --------
    >>> [utf_16_order("نص,x".encode(name)) for name in ("utf-16-le", "utf-16-be")], utf_16_order(b"x\0\0")
    (['utf-16-le', 'utf-16-be'], None)
    """
    little, big = 0 in line[1::2], 0 in line[::2]
    if little == big:
        return None
    return "utf-16-le" if little else "utf-16-be"


def _is_arabic(content: bytes, encoding: str) -> bool:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    beyond = [character for character in text if not character.isascii()]
    arabic = sum("\u0600" <= character <= "\u06ff" for character in beyond)
    usual = min(beyond.count("ا"), beyond.count("ل"))
    alone = len(_ALONE.findall(content))
    clean = arabic >= ARABIC_SHARE * len(beyond) and alone <= (1 - ARABIC_SHARE) * len(beyond)
    return clean and usual > USUAL_SHARE * len(beyond)


def _is_windows_1256(file: BinaryIO) -> bool:
    beyond = arabic = alone = alefs = 0
    for block in iter(partial(file.read, _BLOCK), b""):
        high = block.translate(None, bytes(range(128)))
        beyond += len(high)
        arabic += len(high) - len(high.translate(None, _WINDOWS_ARABIC))
        alone += len(_ALONE.findall(block))
        alefs += high.count(_ALEF)
        if _WORD_OF_UTF_8.search(block):
            return False
    clean = arabic >= ARABIC_SHARE * beyond and alone <= (1 - ARABIC_SHARE) * beyond
    # Russian in KOI8-R has Arabic letters only, but hardly an alef.
    return clean and (alefs > USUAL_SHARE * beyond or beyond < FEW_LETTERS)
