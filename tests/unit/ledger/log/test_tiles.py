from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.log.merkle import leaf_hash, root_of
from ledger.log.tiles import (
    Level,
    decode_entries,
    encode_entries,
    entry_tiles_for_size,
    node_from_tiles,
    parse_tile_path,
    tile_path,
    tile_width,
    tiles_for_size,
)

levels = st.one_of(st.integers(0, 7), st.just("entries"))


def test_a_tiles_number_is_written_in_groups_of_three() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 0, 5) == "tile/entries/000.p/5"
    assert tile_path(1, 1_000, 255) == "tile/1/x001/000.p/255"


@given(levels, st.integers(0, 10**18), st.integers(1, 256))
def test_a_tiles_path_is_read_back(level: Level, n: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, n, width)) == (level, n, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/8/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/05",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p",
        "tile/0/000/",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/٠٠٠",
        "tile/data/000",
        "checkpoint",
        "",
    ],
)
def test_a_path_that_is_written_otherwise_is_refused(path: str) -> None:
    with pytest.raises(FormatError):
        parse_tile_path(path)


def test_a_log_of_70000_has_the_tiles_of_the_formats_example() -> None:
    tiles = list(tiles_for_size(70_000))
    assert [t for t in tiles if t[0] == 0 and t[2] < 256] == [(0, 273, 112)]
    assert [t for t in tiles if t[0] == 1] == [(1, 0, 256), (1, 1, 17)]
    assert [t for t in tiles if t[0] == 2] == [(2, 0, 1)]
    assert list(entry_tiles_for_size(70_000))[-1] == (273, 112)


@given(st.integers(0, 200_000))
@settings(max_examples=60, deadline=None)
def test_tiles_cover_a_tree_without_gap_and_none_is_empty(size: int) -> None:
    covered: dict[int, int] = {}
    for level, n, width in tiles_for_size(size):
        assert width == tile_width(level, n, size) > 0
        assert n * 256 == covered.get(level, 0)
        covered[level] = n * 256 + width
    assert covered == {level: size >> 8 * level for level in range(8) if size >> 8 * level}
    assert tile_width(0, size // 256 + 1, size) == 0


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_a_bundle_is_read_back(entries: list[bytes]) -> None:
    assert decode_entries(encode_entries(entries)) == entries


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6), st.data())
def test_a_bundle_that_is_cut_within_an_entry_is_refused(
    entries: list[bytes], data: st.DataObject
) -> None:
    whole = encode_entries(entries)
    kept = len(encode_entries(entries[:-1]))
    cut = data.draw(st.integers(kept + 1, len(whole) - 1))
    with pytest.raises(FormatError, match="ends within"):
        decode_entries(whole[:cut])


LEAVES = [leaf_hash(b"%d" % index) for index in range(1_500)]


def fetch(level: int, n: int, width: int) -> bytes:
    start = n * 256
    span = 1 << 8 * level
    return b"".join(
        root_of(LEAVES[index * span : (index + 1) * span]) for index in range(start, start + width)
    )


@given(st.integers(1, len(LEAVES)), st.data())
@settings(max_examples=150, deadline=None)
def test_every_complete_node_is_found_in_the_tiles(size: int, data: st.DataObject) -> None:
    level = data.draw(st.integers(0, size.bit_length() - 1))
    index = data.draw(st.integers(0, (size >> level) - 1))
    expected = root_of(LEAVES[index << level : (index + 1) << level])
    assert node_from_tiles((level, index), size, fetch) == expected


def test_a_tile_of_another_width_is_refused() -> None:
    with pytest.raises(FormatError, match="has 64 bytes"):
        node_from_tiles((0, 2), 3, lambda level, n, width: fetch(level, n, width)[:64])
