"""What the broken inputs of several formats share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ledger.log.note import Signer

Case = tuple[str, bytes, str]
"""Name, bytes, and a part of the message that they are refused with."""
Makers = Mapping[str, Callable[[], Iterator[Case]]]
"""What yields the broken inputs of a parser, by the parser's name."""


def signature_line(signer: Signer, text: str) -> bytes:
    """Return the lines with which a signer signs a text."""
    return signer.sign(text).split(b"\n\n", 1)[1]


def loose_base64(text: str) -> str:
    """Return base64 of the same bytes with an unused bit set."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = len(text.rstrip("=")) - 1
    return text[:at] + digits[digits.index(text[at]) + 1] + text[at + 1 :]


def json_changes(good: bytes, array: str) -> Iterator[Case]:
    """Yield what is wrong with any canonical JSON object."""
    yield "empty", b"", "zero-length"
    yield "crlf", good + b"\r\n", "canonical"
    yield "trailing-newline", good + b"\n", "canonical"
    yield "trailing-bytes", good + b"x", "unexpected content after document"
    yield "cut", good[:-1], "unexpected end of data"
    yield "space", good.replace(b":", b": ", 1), "canonical"
    yield "bom", b"\xef\xbb\xbf" + good, "byte order mark"
    yield "not-utf8", good[:5] + b"\xff" + good[5:], "not valid UTF-8"
    yield "array", b"[" + good + b"]", array
    yield "deep", b"[" * 20_000 + b"]" * 20_000, "depth limit exceeded"
