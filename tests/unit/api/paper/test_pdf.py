"""Pages as they are printed: the same bytes again, text that can be read, symbols that decode."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from api.paper.check import SIDE_MM, Anchor, checked_url, write_check
from api.paper.pdf import Column, Paper
from api.paper.qr import QUIET_MODULES, SIDE_MM_MIN, VERSION_MAX, symbol
from api.paper.wrap import wrap
from api.web.show import grouped
from ledger.errors import FormatError

DPI = 300
DOTS_PER_MM = DPI / 25.4
MADE = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
VKEY = "points.example.org/log+0f64b8af+Aemnm0Xm4dMJJpwHbc7sVgJXb/eySj1jHWZK/G0lflbx"
ANCHOR = Anchor(
    VKEY, 6865, bytes(range(32)), "https://points.example.org", "mailto:jw@example.org", "m-0005"
)


def printed(rows: int = 3, anchor: Anchor = ANCHOR) -> bytes:
    paper = Paper("公示 Notice", "定位码 Locator", MADE)
    paper.title("积分公示 Notice of points")
    columns = (
        Column("名次 Rank", 20, "R"),
        Column("成员 Member", 80),
        Column("分 Points", 30, "R"),
    )
    # Every row ends in Chinese, whose font must not be left to the next.
    paper.table(columns, [(str(n), f"m-{n:03d} 张*三", f"+{n}.5 分") for n in range(rows)])
    write_check(paper, anchor)
    return paper.bytes()


def texts(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def pictures(data: bytes) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(data)
    try:
        return [page.render(scale=DPI / 72).to_pil().convert("L") for page in document]
    finally:
        document.close()


def decoded(picture: Image.Image) -> Any:
    found = zxingcpp.read_barcodes(picture)
    assert len(found) == 1, "one symbol"
    return found[0]


def box_of(found: Any) -> tuple[float, float, float]:
    """Left, top and side of a symbol in dots."""
    place = found.position
    side = math.dist((place.top_left.x, place.top_left.y), (place.top_right.x, place.top_right.y))
    return place.top_left.x, place.top_left.y, side


def test_the_same_input_gives_the_same_bytes_and_only_the_given_date() -> None:
    first = printed()
    assert first == printed()
    assert first != printed(4)
    assert b"D:20260131093000Z" in first
    assert b"/ModDate" not in first


def test_text_can_be_taken_out_and_each_page_says_its_number() -> None:
    pages = texts(printed(80))
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert f"第 {number} 页，共 {len(pages)} 页 · page {number} of {len(pages)}" in text
        assert "成员 Member" in text or "怎样核对" in text
    whole = "".join(pages)
    assert all(f"m-{n:03d} 张*三 +{n}.5 分" in whole for n in range(80))


def test_a_page_is_a4_and_black_on_white() -> None:
    (picture,) = pictures(printed())
    assert (round(picture.width / DOTS_PER_MM), round(picture.height / DOTS_PER_MM)) == (210, 297)
    document = pypdfium2.PdfDocument(printed())
    colours = document[0].render(scale=1).to_pil().convert("RGB").getcolors(1 << 16)
    document.close()
    assert all(red == green == blue for _, (red, green, blue) in colours)


def test_every_font_is_in_the_file() -> None:
    data = printed()
    assert data.count(b"/FontFile2") == data.count(b"/CIDFontType2") == 3


def test_the_foot_has_the_whole_root_the_locator_how_to_check_and_whom_to_call() -> None:
    text = " ".join(texts(printed())[-1].split())
    assert grouped(ANCHOR.root) in text
    assert "0000 0068 6567" in text
    assert VKEY in text
    for said in (
        "用手机扫这个码",
        "Scan this code, or open https://points.example.org/notice",
        "对得上：页面显示“已核对”",
        "Right: the page says “Verified”",
        "Cannot check now",
        "留好这张单",
        "If it says “Mismatch”",
        "找谁 Whom to call: jw@example.org",
    ):
        assert said in text, said


def test_a_printed_symbol_is_large_quiet_small_in_version_and_leads_to_the_page() -> None:
    picture = pictures(printed())[-1]
    found = decoded(picture)
    root = ANCHOR.root.hex()
    assert found.text == f"https://points.example.org/notice#6865.{root}.0f64b8af.m-0005"
    assert found.ec_level == "M"
    made = symbol(found.text)
    assert made.version <= VERSION_MAX
    left, top, side = box_of(found)
    assert side / DOTS_PER_MM >= SIDE_MM_MIN
    quiet = int(QUIET_MODULES * side / made.modules) - 2
    edge = math.ceil(side)
    frame = picture.crop(
        (int(left) - quiet, int(top) - quiet, int(left) + edge + quiet, int(top) + edge + quiet)
    )
    inner = ImageDraw.Draw(frame)
    inner.rectangle((quiet - 2, quiet - 2, quiet + edge + 2, quiet + edge + 2), fill=255)
    assert frame.getextrema() == (255, 255), "nothing is printed in the quiet zone"


def test_a_photocopied_symbol_of_which_a_tenth_is_covered_still_decodes() -> None:
    picture = pictures(printed())[-1]
    wanted = decoded(picture).text
    left, top, side = box_of(decoded(picture))
    blot = side * math.sqrt(0.1)
    # Right, bottom and middle: what leaves the three corners by which a symbol is found.
    for across, down in ((0.66, 0.66), (0.34, 0.4), (0.66, 0.35)):
        covered = picture.copy()
        x, y = left + across * side, top + down * side
        ImageDraw.Draw(covered).rectangle((x, y, x + blot, y + blot), fill=255)
        copied = covered.rotate(1.5, Image.Resampling.BICUBIC, fillcolor=255)
        copied = copied.filter(ImageFilter.GaussianBlur(2))
        copied = copied.point([60 + level * 160 // 255 for level in range(256)])
        assert decoded(copied).text == wanted, (across, down)


def test_the_longest_link_is_refused_rather_than_printed_too_fine() -> None:
    assert symbol("x" * 213).version == VERSION_MAX
    with pytest.raises(FormatError, match="give a shorter address"):
        symbol("x" * 214)


@pytest.mark.parametrize("url", ["points.example.org", "https://a b", "https://a/#x", "ftp://a"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(FormatError, match="no address of the pages"):
        checked_url(url)


def test_the_side_is_at_least_what_phones_need() -> None:
    assert SIDE_MM >= SIDE_MM_MIN


def test_a_character_that_no_font_has_is_shown_as_missing() -> None:
    paper = Paper("t", "f", MADE)
    paper.text("𠮷田")
    assert "〓田" in texts(paper.bytes())[0]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("一二三四五六", ["一二三四", "五六"]),
        ("一二三四，五", ["一二三", "四，五"]),
        ("一二三（四五", ["一二三", "（四五"]),
        ("ab cd ef", ["ab", "cd", "ef"]),
        ("abcdef", ["abcd", "ef"]),
        ("一\n二", ["一", "二"]),
        ("", [""]),
    ],
)
def test_lines_break_as_chinese_typesetting_asks(text: str, lines: list[str]) -> None:
    assert wrap(text, 4, len) == lines
