"""What the pages show: view models, ready as text, that templates only lay out.

A page that is to show more gets a field here and a line in its template. Texts that depend on the
reader's language are `Name`s or are made for one language when the model is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Name(NamedTuple):
    """A name in both languages."""

    zh: str
    en: str

    def of(self, lang: str) -> str:
        """Return the name in a language, in Chinese where there is no English one."""
        return self.en if lang == "en" and self.en else self.zh


@dataclass(frozen=True, slots=True)
class LogView:
    """The log: its name, verifier key, newest signed size and root (hex, groups of four).

    `witnesses` are the names that the checkpoint bears besides the log's own; `has_policy` says
    whether the deployment named a quorum.
    """

    origin: str
    vkey: str
    size: int
    root: str
    witnesses: tuple[str, ...]
    has_policy: bool


class Moment(NamedTuple):
    """An instant: `iso` for programs, `text` in the organisation's zone, `ago` for people."""

    iso: str
    text: str
    ago: str


@dataclass(frozen=True, slots=True)
class RuleView:
    """The clause that an entry rests on: the item of one version of a rulebook."""

    code: str
    name: Name
    worth: str
    cap: str
    basis: str
    url: str
    title: Name


class Field(NamedTuple):
    """A value as it holds now, and as the statement on the page has it, which scripts compare.

    They differ where the statement was revised, or the rules in force price the act otherwise;
    `signed` is empty where the statement has no such value.
    """

    shown: str
    signed: str


class SignerView(NamedTuple):
    """An actor (or a key's id) and the roles held at that time, in words."""

    actor: str
    roles: str


class StepView(NamedTuple):
    """A statement of an entry's way; `here` says whether its bytes are on this page."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    what: str
    recorded: Moment
    signers: tuple[SignerView, ...]
    here: bool


class ShownPoints(NamedTuple):
    """What an entry is worth, and in words what of it counts: `+3` and `记 1, 季度封顶 3`."""

    worth: Field
    note: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of a member's stream, with all statements about it.

    `act_date`, `clause`, `version` and `points` are empty for what is not about points; `about` is
    the index of the entry that a statement belongs to which began on an older page. `state` is
    empty while the read model lags; `pending` tells that it counts nothing yet. `stood` is the
    daily figure before and after it, empty where it does not move that.
    """

    index: int
    statement: str
    type: str
    recorded: Moment
    signers: tuple[SignerView, ...]
    act_date: Field
    clause: Field
    clause_name: Name
    version: Field
    points: ShownPoints
    stood: str
    state: str
    pending: bool
    until: str
    marks: tuple[str, ...]
    way: tuple[StepView, ...]
    about: int | None
    rule: RuleView | None
    objection: ObjectionView | None


class ObjectionView(NamedTuple):
    """A prepared objection: its text, where it goes (a `mailto:` link or words), by when."""

    text: str
    link: str
    deadline: str


class FigurePart(NamedTuple):
    """A line of how a figure comes about: what it is, and its amount."""

    label: str
    amount: str


@dataclass(frozen=True, slots=True)
class FigureView:
    """A member's figure under a rulebook for a year: the amount, what it is, how it comes about."""

    year: str
    rulebook: str
    amount: str
    kind: str
    parts: tuple[FigurePart, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordView:
    """A member's own record, newest entry first; `older` is the address of the entries before.

    `figures` are the newest year's first; `parked` tells that something could not be folded.
    """

    member: str
    unit: Name
    status: str
    figures: tuple[FigureView, ...]
    parked: bool
    entries: tuple[EntryView, ...]
    older: str
    contact: str
    log: LogView
    checked: dict[str, Any]


class RulebookRow(NamedTuple):
    """A published version of a rulebook."""

    ident: str
    version: str
    title: Name
    effective_from: str
    items: int
    url: str


class StandingRow(NamedTuple):
    """A place in a public ranking; `band` is what the rulebook calls such a figure, if anything."""

    rank: int
    member: str
    unit: Name
    score: str
    band: str


@dataclass(frozen=True, slots=True)
class RankingView:
    """The first places of a ranking; `more` is the address of the whole, if there is more.

    `asides` says who is not ranked, and why, empty where everybody is.
    """

    unit: Name
    rulebook: Name
    days: str
    provisional: bool
    standings: tuple[StandingRow, ...]
    asides: str
    more: str


@dataclass(frozen=True, slots=True)
class FrontView:
    """The public page of the log; `rankings` are None while they are being worked out.

    `given_up` are the indexes and words of entries by which a history was given up.
    """

    log: LogView
    newest: Moment | None
    given_up: tuple[tuple[int, str], ...]
    rulebooks: tuple[RulebookRow, ...]
    rankings: tuple[RankingView, ...] | None
    checked: dict[str, Any]


class LocatedView(NamedTuple):
    """What a locator found: itself, a log size, and the root there, both in groups of four."""

    code: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class NoticeView:
    """The page that checks papers; `fault` names the words on a locator that finds nothing."""

    log: LogView
    located: LocatedView | None
    fault: str
    checked: dict[str, Any]


class ItemRow(NamedTuple):
    """An item of a rulebook."""

    code: str
    name: Name
    worth: str
    cap: str
    basis: str


@dataclass(frozen=True, slots=True)
class RulebookView:
    """One version of a rulebook, item by item; `index` is the entry that holds it."""

    title: Name
    ident: str
    version: str
    effective_from: str
    index: int
    items: tuple[ItemRow, ...]
    log: LogView
