"""The log's verifier key as a user gives it: its text, or a file with it."""

from __future__ import annotations

from pathlib import Path

from ledger.errors import FormatError
from ledger.log.note import VerifierKey

_FILE_SIZE_MAX = 4_096


def load_vkey(text_or_path: str) -> VerifierKey:
    """Return the verifier key that `text_or_path` is, or that the file of that name holds.

    Raises FormatError where it is neither, or the file cannot be read.
    """
    path = Path(text_or_path)
    try:
        # A name that no file can have (too long, a NUL) is no file, so it may still be a key.
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        if "+" not in text_or_path:
            raise FormatError(
                f"{text_or_path[:80]!r} is neither a verifier key nor a file that holds one"
            )
        return VerifierKey.parse(text_or_path.strip())
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_SIZE_MAX)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read a verifier key from {path}: {error}") from None
    return VerifierKey.parse(text.strip())
