"""Archives, workbooks and pictures that are not what they seem."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping

from openpyxl import Workbook

_PROPERTIES = "docProps/core.xml"
_INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def workbook(*rows: list[object]) -> bytes:
    """Return an honest workbook of one sheet: of the same rows the same bytes, whenever it is."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as archive:
        properties = archive.read(_PROPERTIES)
    return repacked(
        out.getvalue(), {_PROPERTIES: _INSTANT.sub(b"2026-01-05T01:00:00Z", properties)}
    )


def zipped(files: Mapping[str, bytes], links: frozenset[str] = frozenset()) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                if name in links:
                    info.external_attr = 0o120777 << 16
                archive.writestr(info, data)
    return out.getvalue()


def repacked(book: bytes, changed: Mapping[str, bytes]) -> bytes:
    """Return a workbook with some of its parts replaced or added."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return zipped(files | dict(changed))


def overlapping() -> bytes:
    """Return an archive of two entries, of which the first's bytes hold the whole second one.

    So Fifield's bomb (2019) makes each compressed byte count many times.
    """
    inner = _local(b"b", b"quoted") + b"quoted"
    body = _local(b"a", inner) + inner
    directory = _central(b"a", inner, 0) + _central(b"b", b"quoted", len(body) - len(inner))
    return body + directory + _end(2, len(directory), len(body))


def many_names(count: int) -> bytes:
    """Return an archive that says it has `count` names, in the Zip64 way above 65,534."""
    directory = _central(b"x", b"", 0) * count
    size = len(directory)
    if count < 0xFFFF:
        return directory + _end(count, size, 0)
    return (
        directory
        + struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, 0)
        + struct.pack("<4sLQL", b"PK\x06\x07", 0, size, 1)
        + _end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    )


def _local(name: bytes, data: bytes) -> bytes:
    sizes = (zlib.crc32(data), len(data), len(data), len(name), 0)
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, *sizes) + name


def _central(name: bytes, data: bytes, offset: int) -> bytes:
    sizes = (zlib.crc32(data), len(data), len(data), len(name), 0, 0, 0, 0, 0, offset)
    return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, *sizes) + name


def _end(count: int, size: int, at: int) -> bytes:
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, at, 0)


def png(width: int, height: int) -> bytes:
    """Return a PNG file that says it is so large, and holds nearly nothing."""
    head = b"IHDR" + struct.pack(">LL5B", width, height, 8, 2, 0, 0, 0)
    parts = b""
    for chunk in (head, b"IDAT" + zlib.compress(b""), b"IEND"):
        parts += struct.pack(">L", len(chunk) - 4) + chunk + struct.pack(">L", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + parts


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + bytes(14) + frame + b"\xff\xd9"


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<L", 22) + b"WEBPVP8X" + struct.pack("<L", 10) + bytes(4) + size
