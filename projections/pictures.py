"""Evidence pictures that are nearly the same: a photograph used again, scaled or saved anew.

Each picture gets a difference hash of 64 bits: it is shrunk to 9 × 8 greys, and a bit says whether
a grey is lighter than its left neighbour (dHash, as N. Krawetz described it). Scaling, saving with
another quality and a slight crop turn few bits; unrelated photographs differ in about half.
Turned or mirrored copies are not found, and forms of one print look alike: a pair is something to
look at, no verdict.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from ledger.domain.account import ENDED
from ledger.errors import FormatError, MingzhangError
from ledger.store.documents import Document
from ledger.store.media import HEIC, JPEG, PNG, WEBP
from projections.entries import SCORING
from projections.finding import Found
from projections.packed import unpack

PICTURES = (PNG, JPEG, WEBP, HEIC)
"""The media types looked at; of these Pillow decodes no HEIC by itself."""
BITS_DEFAULT = 8
"""Pictures that differ in up to so many of 64 bits are listed."""
BITS_MAX = 24
PIXELS_MAX = 50_000_000
"""What is decoded here at most: 200 MB at four bytes a pixel."""
GREYS_MIN = 16
"""Where the lightest and darkest of the 72 greys (0 to 255) are nearer, the hash is noise."""

_FORMATS = {PNG: "PNG", JPEG: "JPEG", WEBP: "WEBP"}
_POPULATION = np.array([each.bit_count() for each in range(1 << 16)], dtype=np.uint8)


class Shown(NamedTuple):
    """A picture and the entry that it is evidence of; `scorers` signed that entry's steps."""

    entry: str
    member: str
    scorers: tuple[str, ...]
    activity: str | None
    reverses: str | None
    commitment: str


class Pair(NamedTuple):
    """Two pictures of two entries that differ in `bits` of 64, the earlier entry first."""

    bits: int
    first: Shown
    second: Shown


class Compared(NamedTuple):
    """What was found: pairs, how many pictures were compared, and those that could not be."""

    pairs: tuple[Pair, ...]
    compared: int
    left_out: tuple[tuple[Shown, str], ...]


def difference_hash(data: bytes, media_type: str) -> int:
    """Return the 64 bits of a picture, the upper left one highest.

    Raises FormatError for what is not decoded here: another format, too many pixels, damaged, or
    so plain that nothing tells it from other plain ones.
    """
    kind = _FORMATS.get(media_type)
    if kind is None:
        raise FormatError(f"{media_type} is not decoded here: look at it by eye")
    greys = _greys(data, kind)
    if max(greys) - min(greys) < GREYS_MIN:
        raise FormatError("the picture is too plain to be compared")
    found = 0
    for row in range(0, 72, 9):
        for at in range(row, row + 8):
            found = found << 1 | (greys[at + 1] > greys[at])
    return found


def _greys(data: bytes, kind: str) -> bytes:
    """Return a picture as 8 rows of 9 greys, as it is meant to be seen, on white."""
    try:
        with warnings.catch_warnings():
            # Also Pillow's warning of decompression bombs, which comes before any pixel is read.
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=(kind,)) as opened:
                if opened.width * opened.height > PIXELS_MAX:
                    raise FormatError(f"more than {PIXELS_MAX} pixels are not decoded here")
                # A JPEG picture is scaled down while it is decoded.
                opened.draft("L", (288, 256))
                upright = ImageOps.exif_transpose(opened)
                clear = upright.has_transparency_data
                small = upright.convert("RGBA" if clear else "L").resize((9, 8))
                if clear:
                    white = Image.new("RGBA", small.size, "white")
                    small = Image.alpha_composite(white, small).convert("L")
                return small.tobytes()
    except FormatError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise every kind of error for bad bytes
        raise FormatError(f"the picture cannot be decoded: {type(error).__name__}") from None


def pictures_of(found: Iterable[Found], kinds: Mapping[str, str]) -> Iterator[Shown]:
    """Yield the pictures of the entries that stand, oldest entry first.

    `kinds` has the media types of kept pictures by commitment. Entries that ended or were taken
    back are left out: their evidence may well be handed in again.
    """
    for row, hands in sorted(found, key=lambda each: each.entry.log_index):
        if row.reversed or row.state in ENDED:
            continue
        entry = unpack(row.packed)
        scorers = tuple(dict.fromkeys(each.actor for each in hands if each.step in SCORING))
        for commitment in dict.fromkeys(entry.evidence):
            if commitment in kinds:
                yield Shown(row.id, row.member, scorers, entry.activity, entry.reverses, commitment)


def compare(
    pictures: Iterable[Shown],
    read: Callable[[str], Document],
    bits: int = BITS_DEFAULT,
    told: Callable[[int], None] = lambda done: None,
) -> Compared:
    """Return the pairs that differ in at most `bits`, the nearest first.

    `read` gives the document of a commitment. Two pictures of one entry are no pair, nor are those
    of a correction and of what it takes back, nor of two members at one activity, who may well
    stand in the same photograph.
    """
    kept: list[Shown] = []
    hashes: list[int] = []
    left_out: list[tuple[Shown, str]] = []
    for done, each in enumerate(pictures, 1):
        try:
            document = read(each.commitment)
            hashes.append(difference_hash(document.data, document.kind))
        except MingzhangError as error:
            left_out.append((each, error.message))
        else:
            kept.append(each)
        told(done)
    pairs = [
        Pair(distance, kept[one], kept[other])
        for one, other, distance in near(hashes, bits)
        if not _expected(kept[one], kept[other])
    ]
    pairs.sort(key=lambda pair: pair.bits)
    return Compared(tuple(pairs), len(kept), tuple(left_out))


def near(hashes: Sequence[int], bits: int) -> Iterator[tuple[int, int, int]]:
    """Yield (place, later place, distance) of hashes that differ in at most `bits`."""
    known = np.array(hashes, dtype=np.uint64)
    for one in range(len(known) - 1):
        counts = _POPULATION[(known[one + 1 :] ^ known[one]).view(np.uint16)]
        # The sum over columns by numpy's own `sum` takes several times as long.
        distances = counts[0::4] + counts[1::4] + counts[2::4] + counts[3::4]
        for behind in np.flatnonzero(distances <= bits):
            yield one, one + 1 + int(behind), int(distances[behind])


def _expected(one: Shown, other: Shown) -> bool:
    """Tell whether two entries show the same for a good reason."""
    if one.entry in (other.entry, other.reverses) or other.entry == one.reverses:
        return True
    together = one.activity is not None and one.activity == other.activity
    return together and one.member != other.member
