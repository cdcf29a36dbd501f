"""Locators: 12 digits that find a state of the log, with check digits against typing errors.

Ten digits are the log size, two are check digits by ISO/IEC 7064, MOD 97-10, which find every
single wrong digit and every two digits exchanged. A locator finds, it does not prove: whoever
keeps the log could make another history with the same one. The proof is the whole root.
"""

from __future__ import annotations

import re

from ledger.errors import FormatError

DIGITS = 12
SIZE_MAX = 10**10 - 1
_MODULUS = 97
_LOCATOR = re.compile(r"\d{12}", re.ASCII).fullmatch
# Named one by one, since engines differ in what `\s` is; web/static/verifier/paper.js has the same.
_GAPS = re.compile(r"[ \t\r\n\u00a0\u3000-]")


def locator_of(size: int) -> str:
    """Return the locator of a log size in three groups of four, such as `0000 0000 1288`.

    Raises FormatError for a size that has more than ten digits.
    """
    if not 0 < size <= SIZE_MAX:
        raise FormatError(f"a locator is of a log size from 1 to {SIZE_MAX}, not of {size}")
    check = 98 - size * 100 % _MODULUS
    text = f"{size:010d}{check:02d}"
    return " ".join(text[at : at + 4] for at in range(0, DIGITS, 4))


def size_of(text: str) -> int:
    """Return the log size of a locator; blanks and hyphens are ignored. Raises FormatError."""
    digits = _GAPS.sub("", text)
    if _LOCATOR(digits) is None:
        raise FormatError(f"a locator has {DIGITS} digits in groups of four, as on the paper")
    size = int(digits[:-2])
    if not size or locator_of(size).replace(" ", "") != digits:
        raise FormatError("a digit of the locator is wrong: compare it with the paper")
    return size
