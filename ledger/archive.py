"""ZIP files (APPNOTE 6.3) judged by their directory, before a single byte is inflated.

What a decompression bomb needs is refused here: more names or bytes than anything useful has,
entries that share bytes, sizes that contradict each other, links, and paths out of the archive.
Whoever inflates afterwards must stop at the size that the directory gives, as `zipfile` does.
A bundle's files are stored, never packed: nothing of it is inflated at all.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import NamedTuple

from ledger.errors import FormatError


class Limits(NamedTuple):
    """What an archive may have: names, bytes of its directory, bytes of all files inflated."""

    names: int = 1_000
    directory_bytes: int = 256 * 1024
    inflated_bytes: int = 64 * 1024 * 1024


STORED = Limits(names=20_000, directory_bytes=4 * 1024 * 1024, inflated_bytes=512 * 1024 * 1024)
"""Of an archive whose files are stored: its own size is the limit, so it may hold more."""

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT_MAX = 65_535
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x2041
_LINK, _KIND_MASK = 0o120000, 0o170000
_NO_TIME, _UNIX, _READABLE = (1980, 1, 1, 0, 0, 0), 3, 0o100644


class Member(NamedTuple):
    """One file of an archive; `inflated_bytes` is what the directory says of it.

    Its bytes in the archive end before `stop`; `packed` says whether they are compressed.
    """

    name: str
    inflated_bytes: int
    stop: int
    packed: bool


class _Extent(NamedTuple):
    """Where a member's local header begins and its compressed bytes end."""

    start: int
    stop: int


def read_stored(data: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP archive by name, all of them stored as they are.

    The archive's CRCs are not looked at. Raises FormatError for what is not safe to open, and where
    a file is compressed.
    """
    files = {}
    for each in check_archive(data, STORED):
        if each.packed:
            raise FormatError(
                f"{each.name[:60]!r} is compressed, and a bundle's files are stored as they are: "
                "ask for the archive as it was made"
            )
        files[each.name] = data[each.stop - each.inflated_bytes : each.stop]
    return files


def write_stored(files: Mapping[str, bytes]) -> bytes:
    """Return a ZIP archive of files that are stored as they are, sorted by name.

    Equal files give equal bytes: no time, no owner, no rights of this machine are in it.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(files):
            about = zipfile.ZipInfo(name, _NO_TIME)
            about.create_system = _UNIX
            about.external_attr = _READABLE << 16
            archive.writestr(about, files[name])
    return out.getvalue()


def check_archive(data: bytes, limits: Limits | None = None) -> tuple[Member, ...]:
    """Return the files of a ZIP archive. Raises FormatError for one that is not safe to open."""
    limits = limits or Limits()
    directory, count, at = _directory(data, limits)
    members: list[Member] = []
    extents: list[_Extent] = []
    names: set[str] = set()
    place = inflated_bytes = 0
    for _ in range(count):
        if len(directory) - place < _CENTRAL.size:
            raise FormatError("the archive's directory ends too early")
        fields = _CENTRAL.unpack_from(directory, place)
        (mark, _, _, flags, method, _, _, _, packed, inflated) = fields[:10]
        (name_len, extra_len, comment_len, disk, _, attributes, offset) = fields[10:]
        raw = directory[place + _CENTRAL.size : place + _CENTRAL.size + name_len]
        place += _CENTRAL.size + name_len + extra_len + comment_len
        if mark != b"PK\x01\x02" or place > len(directory) or disk:
            raise FormatError("the archive's directory is damaged")
        name = _name(raw)
        if name.casefold() in names:
            raise FormatError(f"the archive holds {name[:60]!r} twice")
        names.add(name.casefold())
        if flags & _ENCRYPTED:
            raise FormatError("the archive is encrypted: it cannot be looked at")
        if method not in (_STORED, _DEFLATED) or (method == _STORED and packed != inflated):
            raise FormatError(f"{name[:60]!r} is packed in a way that is not read here")
        if (attributes >> 16) & _KIND_MASK == _LINK:
            raise FormatError(f"{name[:60]!r} in the archive is a link")
        inflated_bytes += inflated
        if inflated_bytes > limits.inflated_bytes:
            raise FormatError(
                f"the archive holds more than {limits.inflated_bytes} bytes once it is inflated"
            )
        extent = _extent(data, offset, raw, method, packed)
        members.append(Member(name, inflated, extent.stop, method != _STORED))
        extents.append(extent)
    if place != len(directory):
        raise FormatError("the archive's directory holds more than it counts")
    _check_apart(extents, at)
    return tuple(members)


def _directory(data: bytes, limits: Limits) -> tuple[bytes, int, int]:
    """Return the central directory, how many entries it has, and where it begins."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - _COMMENT_MAX - _END.size))
    if end < 0 or len(data) - end < _END.size:
        raise FormatError("not a whole ZIP archive: its end is missing")
    _, disk, first, here, count, size, at, comment = _END.unpack_from(data, end)
    if 0xFFFF in (here, count) or 0xFFFFFFFF in (size, at):
        raise FormatError("the archive is of the Zip64 kind, which nothing of a sane size needs")
    if count > limits.names or size > limits.directory_bytes:
        raise FormatError(f"the archive holds {count} names, at most {limits.names} are read")
    if disk or first or here != count or end + _END.size + comment != len(data):
        raise FormatError("the archive's end is damaged")
    if at + size != end:
        raise FormatError("the archive's directory does not end where the archive's end begins")
    return data[at:end], count, at


def _name(raw: bytes) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise FormatError("a name in the archive is not UTF-8") from None
    steps = name.removesuffix("/").split("/")
    if not name.isprintable() or "\\" in name or ":" in name or {"", ".", ".."} & set(steps):
        raise FormatError(f"{name[:60]!r} is no path inside the archive")
    return name


def _extent(data: bytes, offset: int, name: bytes, method: int, packed: int) -> _Extent:
    """Compare a member's local header with the directory, and return where it lies."""
    if offset + _LOCAL.size > len(data):
        raise FormatError("an entry of the archive begins beyond its end")
    local = _LOCAL.unpack_from(data, offset)
    start = offset + _LOCAL.size
    if (
        local[0] != b"PK\x03\x04"
        or local[3] != method
        or data[start : start + local[9]] != name
        or local[7] not in (0, packed)
    ):
        raise FormatError("an entry of the archive is not the one that its directory names")
    return _Extent(offset, start + local[9] + local[10] + packed)


def _check_apart(extents: list[_Extent], stop: int) -> None:
    """Raise FormatError where entries share bytes, or something lies before the first one."""
    ordered = sorted(extents)
    if ordered and ordered[0].start:
        raise FormatError("something lies before the archive's first entry")
    starts = [each.start for each in ordered[1:]] + [stop]
    if any(each.stop > following for each, following in zip(ordered, starts, strict=True)):
        raise FormatError("entries of the archive overlap")
