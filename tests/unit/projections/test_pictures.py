"""Nearly the same pictures are told from unrelated ones, and what is no picture harms nobody."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from PIL import Image

from ledger.errors import ErasedError, FormatError
from ledger.store.documents import Document
from ledger.store.media import HEIC, JPEG, PNG
from projections.pictures import BITS_DEFAULT, Compared, Shown, compare, difference_hash, near
from tests.support import archives
from tests.support.pictures import photograph, saved


def distance(one: tuple[bytes, str], other: tuple[bytes, str]) -> int:
    return (difference_hash(*one) ^ difference_hash(*other)).bit_count()


@pytest.mark.parametrize("seed", range(8))
def test_cheat_19_a_picture_scaled_saved_anew_or_cropped_is_nearly_the_same(seed: int) -> None:
    original = photograph(seed)
    first = saved(original, quality=92)
    copies = {
        "scaled": saved(original.resize((400, 300)), quality=80),
        "enlarged": saved(original.resize((1600, 1200)), quality=80),
        "saved anew": saved(original, quality=25),
        "as PNG": saved(original, "PNG"),
        "as WebP": saved(original, "WEBP", quality=40),
        "cropped": saved(original.crop((8, 6, 792, 594)), quality=80),
    }
    for how, copy in copies.items():
        assert distance(first, copy) <= BITS_DEFAULT, how


def test_cheat_19_unrelated_pictures_are_far_apart() -> None:
    hashes = [difference_hash(*saved(photograph(seed))) for seed in range(60)]
    assert list(near(hashes, BITS_DEFAULT + 4)) == []


def test_a_phone_held_upright_and_a_clear_background_are_seen_as_people_see_them() -> None:
    upright = photograph(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = saved(upright.transpose(Image.Transpose.ROTATE_90), exif=exif, quality=90)
    assert distance(saved(upright), lying) <= BITS_DEFAULT
    clear = Image.new("RGBA", (800, 600), (0, 0, 0, 0))
    clear.paste(upright.crop((0, 0, 500, 600)), (0, 0))
    on_white = Image.new("RGB", (800, 600), "white")
    on_white.paste(upright.crop((0, 0, 500, 600)), (0, 0))
    assert distance(saved(clear, "PNG"), saved(on_white, "PNG")) <= BITS_DEFAULT


def test_distances_are_those_of_counting_bits_one_by_one() -> None:
    drawn = random.Random(19)
    hashes = [drawn.getrandbits(64) for _ in range(40)]
    hashes += [each ^ (1 << at) ^ 1 << 63 for at, each in enumerate(hashes[:20])]
    wanted = [
        (one, other, (hashes[one] ^ hashes[other]).bit_count())
        for one in range(60)
        for other in range(one + 1, 60)
    ]
    assert sorted(near(hashes, 28)) == [each for each in wanted if each[2] <= 28]
    assert list(near([], 8)) == list(near([1], 8)) == []


@pytest.mark.parametrize(
    ("data", "kind", "why"),
    [
        (archives.png(9_000, 9_000), PNG, "pixels"),
        (archives.png(60_000, 60_000), PNG, "cannot be decoded"),
        (archives.png(10, 10), PNG, "cannot be decoded"),
        (saved(photograph(1))[0][:2_000], JPEG, "cannot be decoded"),
        (saved(photograph(1))[0], PNG, "cannot be decoded"),
        (saved(photograph(1))[0], HEIC, "by eye"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", JPEG, "cannot be decoded"),
        (saved(Image.new("RGB", (300, 300), "white"))[0], JPEG, "plain"),
    ],
    ids=["huge", "bomb", "no-pixels", "cut", "another-format", "heic", "postscript", "plain"],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    data: bytes, kind: str, why: str
) -> None:
    with pytest.raises(FormatError, match=why):
        difference_hash(data, kind)


def shown(entry: str, member: str, picture: str, **more: str) -> Shown:
    return Shown(entry, member, ("rec-1",), more.get("activity"), more.get("reverses"), picture)


def compared(*pictures: Shown) -> Compared:
    photo = photograph(5)
    kept = {
        "a": saved(photo),
        "b": saved(photo.resize((300, 225)), quality=60),
        "other": saved(photograph(6)),
    }

    def read(commitment: str) -> Document:
        if commitment not in kept:
            raise ErasedError("it was erased", {})
        data, kind = kept[commitment]
        return Document(commitment, kind, b"", data, datetime.now(UTC))

    return compare(pictures, read)


def test_a_pair_names_both_entries_and_what_could_not_be_compared_is_told() -> None:
    first, second = shown("e-1", "m-1", "a"), shown("e-2", "m-2", "b")
    found = compared(first, shown("e-3", "m-3", "other"), second, shown("e-4", "m-4", "gone"))
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.bits <= BITS_DEFAULT) == (first, second, True)
    assert found.compared == 3
    assert [(each.entry, why) for each, why in found.left_out] == [("e-4", "it was erased")]


def test_pictures_that_are_the_same_for_a_good_reason_are_no_pair() -> None:
    assert not compared(shown("e-1", "m-1", "a"), shown("e-1", "m-1", "b")).pairs
    assert not compared(shown("e-1", "m-1", "a"), shown("e-2", "m-1", "a", reverses="e-1")).pairs
    there = {"activity": "act-1"}
    assert not compared(shown("e-1", "m-1", "a", **there), shown("e-2", "m-2", "b", **there)).pairs
    assert compared(shown("e-1", "m-1", "a", **there), shown("e-2", "m-1", "b", **there)).pairs
    other = shown("e-2", "m-2", "b", activity="act-2")
    assert compared(shown("e-1", "m-1", "a", **there), other).pairs
