"""Detect text that was decoded with the wrong encoding."""

from __future__ import annotations

import re

ARABIC = "\u0600-\u06ff\u0750-\u077f\u0870-\u08ff\ufb50-\ufdff\ufe70-\ufefc"
"""The Arabic blocks of Unicode, for use inside a character class of a regular expression."""

SUSPECT = re.compile(r"[\u0080-\u009f\u00c0-\u00ff\ufffd]|[طظ].[طظ]|\?{3}", re.DOTALL)
"""A cheap first filter: every wrongly decoded text matches, and so do many sound ones."""

PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
"""Private-use characters: old emoji, letters of a single font, logos. They are not decoding errors."""

_BROKEN = re.compile("[\u0080-\u0084\u0086-\u009f\ufffd]")  # U+0085 is a line end on IBM mainframes
_LATIN = re.compile("[\u00c0-\u00ff]")
_LETTER = re.compile(r"[^\W\d_]")
_ARABIC = re.compile(f"[{ARABIC}]")
_LOST = re.compile(r"\?{3,}")
_CONTINUATION = {
    codec: "".join(bytes([byte]).decode(codec, "ignore") for byte in range(0x80, 0xC0)) + "\u0080-\u009f"
    for codec in ("cp1256", "cp1252")
}
_PAIRS = {
    "cp1256": re.compile(f"[طظ][{re.escape(_CONTINUATION['cp1256'])}]"),
    "cp1252": re.compile(f"[ØÙÚÛ][{re.escape(_CONTINUATION['cp1252'])}\u00a0]"),
}
_NAMES = {"cp1256": "Windows-1256", "cp1252": "Latin-1"}


def fault(text: str) -> str:
    r"""Describe how a text was wrongly decoded. Return an empty string if it is sound.

    Examples
    --------
    >>> fault("نفى المتحدث الخبر")
    ''
    >>> fault("نفى المتحدث الخبر".encode("cp1256").decode("latin-1"))
    'Windows-1256 read as Latin-1'
    >>> fault("نفى المتحدث الخبر".encode().decode("latin-1"))
    'UTF-8 read as Latin-1'
    >>> fault("نفى المتح\ufffdدث الخبر")
    'characters that could not be decoded'
    >>> fault("نفى المتحدث\x85الخبر")
    ''
    """
    for codec, pattern in _PAIRS.items():
        pairs = len(pattern.findall(text))
        if pairs >= 3 and 2 * pairs >= 0.5 * len(re.sub(r"\s", "", text)):
            return f"UTF-8 read as {_NAMES[codec]}"
    latin = len(_LATIN.findall(text))
    if latin >= 3 and latin >= 0.4 * len(_LETTER.findall(text)):
        again = text.encode("cp1252", "ignore").decode("cp1256", "ignore")
        if len(_ARABIC.findall(again)) >= 0.8 * latin:
            return "Windows-1256 read as Latin-1"
    if _BROKEN.search(text):
        return "characters that could not be decoded"
    lost = sum(map(len, _LOST.findall(text)))
    if lost >= 6 and lost > len(_LETTER.findall(text)):
        return "letters replaced by question marks"
    return ""
