"""Kinds of documents: which are taken, how large, and whether bytes are what they claim to be.

Only headers are read here; nothing is inflated, decoded or drawn. HTML, SVG and whatever else a
browser would run is not on the list.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import MappingProxyType

from ledger.archive import check_archive
from ledger.errors import FormatError

FILE_BYTES_MAX = 16 * 1024 * 1024
TEXT_BYTES_MAX = 64 * 1024
PIXELS_MAX = 100_000_000

TEXT, CSV, PDF = "text/plain", "text/csv", "application/pdf"
PNG, JPEG, WEBP, HEIC = "image/png", "image/jpeg", "image/webp", "image/heic"
MP4 = "video/mp4"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

SUFFIXES = MappingProxyType(
    {
        ".txt": TEXT,
        ".csv": CSV,
        ".pdf": PDF,
        ".png": PNG,
        ".jpg": JPEG,
        ".jpeg": JPEG,
        ".webp": WEBP,
        ".heic": HEIC,
        ".mp4": MP4,
        ".xlsx": XLSX,
    }
)
"""Media type by a file name's lower-case ending."""

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})
_HEIC_META_BYTES_MAX = 64 * 1024
_MP4_BRANDS = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1"})
# Frame headers of JPEG (ITU T.81 table B.1): all SOFn, without DHT, JPG and DAC among them.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def check_media(data: bytes, media_type: str) -> None:
    """Raise FormatError unless `media_type` is taken and `data` begins and measures like it."""
    check = _CHECKS.get(media_type)
    if check is None:
        raise FormatError(f"{media_type[:80]} is not taken: {', '.join(_CHECKS)} are")
    limit = TEXT_BYTES_MAX if media_type == TEXT else FILE_BYTES_MAX
    if not data or len(data) > limit:
        raise FormatError(f"{len(data)} bytes of {media_type}: 1 to {limit} are taken")
    check(data)


def _text(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FormatError("the text is not UTF-8") from None
    if any(each < " " and each not in "\t\r\n" for each in text):
        raise FormatError("the text holds control characters: is it a file of another kind?")


def _csv(data: bytes) -> None:
    # Office programs in China still write GB 18030.
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return
    raise FormatError("the table is neither UTF-8 nor GB 18030 text")


def _pdf(data: bytes) -> None:
    if not data.startswith((b"%PDF-1.", b"%PDF-2.")) or b"%%EOF" not in data[-1_024:]:
        raise FormatError("not a whole PDF file")


def _png(data: bytes) -> None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") or len(data) < 33:
        raise FormatError("not a PNG picture")
    _measure(*struct.unpack_from(">LL", data, 16))


def _jpeg(data: bytes) -> None:
    at = 2
    while data.startswith(b"\xff\xd8\xff") and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            _measure(width, height)
            return
        # 0xFF may be repeated before a marker; TEM and the restarts have no length.
        standalone = marker == 0x01 or 0xD0 <= marker <= 0xD8
        if marker == 0xFF:
            at += 1
        elif standalone:
            at += 2
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])
    raise FormatError("not a JPEG picture")


def _webp(data: bytes) -> None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        raise FormatError("not a WebP picture")
    chunk = data[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 ":
        width, height = (each & 0x3FFF for each in struct.unpack_from("<HH", data, 26))
    else:
        raise FormatError("not a WebP picture")
    _measure(width, height)


def _heic(data: bytes) -> None:
    if data[4:8] != b"ftyp" or data[8:12] not in _HEIC_BRANDS:
        raise FormatError("not a HEIC picture")
    # ISO/IEC 23008-12: every image's extents are in an `ispe` box: version, width, height.
    at = data.find(b"ispe", 0, _HEIC_META_BYTES_MAX)
    if not 0 <= at <= len(data) - 16:
        raise FormatError("the HEIC picture does not say how large it is")
    while 0 <= at <= len(data) - 16:
        _measure(*struct.unpack_from(">LL", data, at + 8))
        at = data.find(b"ispe", at + 4, _HEIC_META_BYTES_MAX)


def _mp4(data: bytes) -> None:
    if data[4:8] != b"ftyp" or data[8:12] not in _MP4_BRANDS:
        raise FormatError("not an MP4 film")


def _xlsx(data: bytes) -> None:
    names = {each.name for each in check_archive(data)}
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise FormatError("the archive is no Excel workbook (.xlsx)")
    if any(name.casefold().endswith("vbaproject.bin") for name in names):
        raise FormatError("the workbook holds macros: save it without them")


def _measure(width: int, height: int) -> None:
    if not width or not height or width * height > PIXELS_MAX:
        raise FormatError(
            f"a picture of {width} × {height} pixels; up to {PIXELS_MAX} in all are taken"
        )


_CHECKS: dict[str, Callable[[bytes], None]] = {
    TEXT: _text,
    CSV: _csv,
    PDF: _pdf,
    PNG: _png,
    JPEG: _jpeg,
    WEBP: _webp,
    HEIC: _heic,
    MP4: _mp4,
    XLSX: _xlsx,
}
MEDIA_TYPES = tuple(_CHECKS)
