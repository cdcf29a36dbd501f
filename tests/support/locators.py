"""Locators, right and wrong, that the command line, the server and the browser must read alike.

Each comes to the log size that it names, or to what is wrong with it: `length` (not 12 digits) or
`digit` (the check digits, ISO/IEC 7064 MOD 97-10, do not fit).
"""

from __future__ import annotations

LOCATORS: dict[str, int | str] = {
    "0000 0068 6567": 6865,
    "000000686567": 6865,
    "0000-0068-6567": 6865,
    " 0000\u00a00068\u30006567\t\r\n": 6865,
    "0000 0000 0195": 1,
    "9999 9999 9951": 9_999_999_999,
    # The check digits are 02 to 98: 00 and 01 leave the same rests as 97 and 98, and are none.
    "0000 0000 6597": 65,
    "0000 0000 6500": "digit",
    "0000 0000 9798": 97,
    "0000 0000 9701": "digit",
    # One digit wrong; two exchanged, side by side and far apart.
    "0000 0068 6568": "digit",
    "0000 0078 6567": "digit",
    "0000 0086 6567": "digit",
    "6000 0008 6567": "digit",
    "0000 0068 6576": "digit",
    # It fits, and no log has no entries.
    "0000 0000 0001": "digit",
    "0000 0000 0098": "digit",
    "0000 0000 0000": "digit",
    "": "length",
    " - ": "length",
    "0000 0068 656": "length",
    "0000 0068 65670": "length",
    "0000 0068 656x": "length",
    "+000 0068 6567": "length",
    "0000.0068.6567": "length",
    "0000\u20130068\u20136567": "length",
    # Digits of other scripts, and blanks that only some engines take for such.
    "\u0660" * 12: "length",
    "\uff10" * 12: "length",
    "\ufeff000000686567": "length",
    "000000686567\x1c": "length",
    "0000\x8500686567": "length",
}
