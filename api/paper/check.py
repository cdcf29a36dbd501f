"""The foot of every paper: the root in print and in a QR symbol, and in words how to check it."""

from __future__ import annotations

from dataclasses import dataclass

from api.paper.locator import locator_of
from api.paper.pdf import HEAD_PT, SMALL_PT, Paper
from api.paper.qr import symbol
from api.web.show import grouped
from api.web.words import Words
from ledger.errors import FormatError

SIDE_MM = 36.0
_ROOT_PT, _FINE_PT = 9.5, 7.5
WORDS = (Words("zh"), Words("en"))


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a paper commits to: the log's verifier key, a log size and the root of that prefix.

    `url` is where people reach the pages, `contact` whom to call; `member` is whose paper it is.
    """

    vkey: str
    size: int
    root: bytes
    url: str
    contact: str
    member: str = ""

    @property
    def page(self) -> str:
        """The page that checks papers."""
        return f"{self.url}/notice"

    @property
    def link(self) -> str:
        """What the QR symbol holds; behind `#` is what no server gets to see."""
        key_id = self.vkey.split("+")[1]
        parts = [str(self.size), self.root.hex(), key_id, self.member]
        return f"{self.page}#{'.'.join(filter(None, parts))}"


def checked_url(url: str) -> str:
    """Return the address of the pages without a slash at its end. Raises FormatError."""
    url = url.rstrip("/")
    if not url.startswith(("https://", "http://")) or any(each in url for each in "#?\\ \n"):
        raise FormatError(
            f"{url[:60]!r} is no address of the pages: write one such as https://points.example.org"
        )
    return url


def both(name: str, *given: object) -> str:
    """Return a text in Chinese and English on one line."""
    return " ".join(words(name, *given) for words in WORDS)


def write_check(paper: Paper, anchor: Anchor) -> None:
    """Write the foot of a paper, whole, at the end of its last page."""
    code = symbol(anchor.link)
    groups = grouped(anchor.root)
    half = len(groups) // 2
    contact = anchor.contact.removeprefix("mailto:")
    steps = [
        words(name, *given)
        for name, *given in (
            ("paper_how", anchor.page),
            ("paper_right",),
            ("paper_offline",),
            ("paper_wrong",),
        )
        for words in WORDS
    ]
    beside = [
        (both("paper_root", anchor.size), SMALL_PT, False),
        (f"{groups[:half].strip()}\n{groups[half:].strip()}", _ROOT_PT, True),
        (both("paper_locator"), SMALL_PT, False),
        (locator_of(anchor.size), HEAD_PT, True),
        (both("paper_finds"), SMALL_PT, False),
        (both("key"), SMALL_PT, False),
        (anchor.vkey, _FINE_PT, True),
    ]
    head = both("paper_check")
    call = f"{both('paper_contact')}: {contact}"
    below = [(each, SMALL_PT) for each in steps] + [(call, HEAD_PT - 2)]
    height = paper.text_mm([(head, HEAD_PT), *below]) + paper.beside_mm(code, SIDE_MM, beside) + 4
    paper.sink(height)
    paper.rule()
    paper.text(head, HEAD_PT)
    paper.beside(code, SIDE_MM, beside)
    for text, size_pt in below:
        paper.text(text, size_pt)
