"""Fault 22: bombs are refused before anything is inflated; a document is what it claims to be."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from ledger.archive import check_archive
from ledger.errors import FormatError
from ledger.store import media
from ledger.store.media import check_media
from tests.support import archives

BOOK = archives.workbook(["a", 1])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (archives.overlapping(), "overlap"),
        (archives.many_names(1_001), "1001 names"),
        (archives.many_names(1_000_000), "Zip64"),
        (archives.zipped({"a": b"b", "l": b"/etc/passwd"}, frozenset({"l"})), "is a link"),
        (archives.zipped({"../a": b"b"}), "no path inside"),
        (archives.zipped({"/a": b"b"}), "no path inside"),
        (archives.zipped({"a/../../b": b"b"}), "no path inside"),
        (archives.zipped({"c:\\a": b"b"}), "no path inside"),
        (archives.zipped({"a": bytes(65 * 1024 * 1024)}), "more than 67108864 bytes"),
        (archives.zipped({"a": b"b", "A": b"b"}), "twice"),
        (b"MZ" + archives.zipped({"a": b"b"}), "damaged|before|directory"),
        (archives.zipped({"a": b"b"})[:-1], "end"),
        (b"no archive", "end is missing"),
    ],
)
def test_fault_22_an_archive_that_is_not_safe_is_refused_unopened(data: bytes, reason: str) -> None:
    tracemalloc.start()
    started_s = time.perf_counter()
    try:
        with pytest.raises(FormatError, match=reason):
            check_archive(data)
        assert time.perf_counter() - started_s < 2
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024, "nothing was inflated"
    finally:
        tracemalloc.stop()


def test_fault_22_a_directory_that_lies_about_the_place_of_an_entry_is_refused() -> None:
    data = archives.zipped({"a": b"first", "b": b"second"})
    at = data.rfind(b"PK\x01\x02")
    # The second entry points at the first one's bytes.
    moved = data[: at + 42] + bytes(4) + data[at + 46 :]
    with pytest.raises(FormatError, match="not the one that its directory names"):
        check_archive(moved)


def test_an_honest_archive_passes_with_what_it_holds() -> None:
    (found,) = check_archive(archives.zipped({"a/b.txt": b"hello"}))
    assert (found.name, found.inflated_bytes, found.packed) == ("a/b.txt", 5, True)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(archives.png, media.PNG), (archives.jpeg, media.JPEG), (archives.webp, media.WEBP)],
)
def test_fault_22_a_picture_is_measured_by_its_header_alone(make: object, kind: str) -> None:
    assert callable(make)
    check_media(make(4_000, 3_000), kind)
    for width, height in ((50_000, 50_000), (65_535, 65_535)):
        with pytest.raises(FormatError, match="pixels"):
            check_media(make(width, height), kind)


def test_bytes_must_be_what_they_claim_to_be() -> None:
    html = b"<html><script>alert(1)</script></html>"
    pdf = b"%PDF-1.7\n...\n%%EOF\n"
    good = {media.PDF: pdf, media.XLSX: BOOK, media.TEXT: "事由".encode(), media.CSV: b"a,b\n"}
    good[media.CSV] = "积分".encode("gb18030")
    good[media.MP4] = b"\0\0\0\x18ftypisom" + bytes(20)
    for kind, data in good.items():
        check_media(data, kind)
    for kind in (media.PDF, media.PNG, media.JPEG, media.WEBP, media.HEIC, media.MP4, media.XLSX):
        with pytest.raises(FormatError, match=r"not|end is missing"):
            check_media(html, kind)
    for kind in ("text/html", "image/svg+xml", "application/octet-stream"):
        with pytest.raises(FormatError, match="not taken"):
            check_media(html, kind)


def test_limits_of_size_are_kept() -> None:
    for kind, limit in ((media.TEXT, media.TEXT_BYTES_MAX), (media.CSV, media.FILE_BYTES_MAX)):
        check_media(b"x" * limit, kind)
        for size in (0, limit + 1):
            with pytest.raises(FormatError, match=f"1 to {limit}"):
                check_media(b"x" * size, kind)


def test_a_workbook_with_macros_and_an_archive_that_is_none_are_refused() -> None:
    with pytest.raises(FormatError, match="macros"):
        check_media(archives.repacked(BOOK, {"xl/vbaProject.bin": b"x"}), media.XLSX)
    with pytest.raises(FormatError, match="no Excel workbook"):
        check_media(archives.zipped({"a": b"b"}), media.XLSX)
