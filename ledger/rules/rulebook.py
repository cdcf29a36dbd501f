"""A version of a rulebook, as frozen objects built from its canonical JSON form.

The form is the body of a `rulebook.published` statement (`ledger/schemas/rulebook.published.json`
says it field by field). Points are hundredths, weights whole percents, days YYYY-MM-DD, days of a
year MM-DD. What a document leaves out has a default here, so that a short one scores too: no base,
no caps, no floor, annual equals daily, every type keeps every account that its items post to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger.errors import FormatError

MERIT, SERVICE = "merit", "service"
CREDIT, DEBIT = "credit", "debit"
CATEGORY, GLOBAL = "category", "global"
FULL, PROBATIONARY, EXEMPT = "full", "probationary", "exempt"
DAILY, WEIGHTED, ADDITIVE, WEIGHTED3 = "daily", "weighted", "additive", "weighted3"

UNITS = ("occurrence", "hour", "household", "month", "quarter", "year")
"""What an item's value is per."""
CAP_PERS = ("month", "quarter", "year", "activity")
"""What an item's cap can be per."""
PERIOD_CAP_PERS = ("month", "quarter")

WHOLE, HALF = 100, 50


class Cap(NamedTuple):
    """At most `points` in each bucket of `per`."""

    per: str
    points: int


@dataclass(frozen=True, slots=True)
class MemberType:
    """A kind of member; `accounts` are those it has at all (rule A25)."""

    code: str
    name_zh: str
    name_en: str
    standing: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A rule item: fixed `points`, or `min` and `max`, per unit, all positive."""

    code: str
    category: str
    name_zh: str
    name_en: str
    act_type: str
    kind: str
    points: int | None
    min: int
    max: int
    unit: str
    step: int
    cap: Cap | None
    account: str
    scope: str
    applies_to: tuple[str, ...]
    evidence: tuple[str, ...]
    exclusive_group: str | None
    review: str
    assessed: bool


@dataclass(frozen=True, slots=True)
class Account:
    """The base, caps and limits of merit or service; absent limits are None."""

    base: int = 0
    bases: Mapping[str, tuple[int, int]] | None = None
    """By category: its part of the base, and the floor to which debits can lower it."""
    credit_cap: int | None = None
    category_caps: Mapping[str, int] | None = None
    period_caps: tuple[Cap, ...] = ()
    floor: int | None = None
    ceiling: int | None = None
    target: int | None = None
    carry_over: int | None = None
    """Percent of last period's annual that is this period's base (rule A20)."""
    lapse: str | None = None


@dataclass(frozen=True, slots=True)
class Annual:
    """How the yearly figure comes from its components (rules A18 and A19)."""

    kind: str = DAILY
    daily: int = 100
    review: int = 0
    last: int = 0
    daily_max: int = 0

    @property
    def has_review(self) -> bool:
        """Whether a democratic review is one of the components."""
        return self.kind != DAILY


@dataclass(frozen=True, slots=True)
class Band:
    """Scores from `min` up to, but not with, `below` (None: without end)."""

    code: str
    name_zh: str
    min: int
    below: int | None
    stars: int | None


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `numerator` / `denominator` of the full members can have `grade` (rule A24)."""

    grade: str
    band: str
    numerator: int
    denominator: int


class VetoRule(NamedTuple):
    """A decision from outside that makes the grade unqualified, once it is confirmed (A35)."""

    code: str
    name_zh: str
    name_en: str


class Condition(NamedTuple):
    """A figure of a quarter's end that is at least, or below, a limit (rule A36)."""

    figure: str
    at_least: int | None
    below: int | None


@dataclass(frozen=True, slots=True)
class Light:
    """A warning light, shown where any of its conditions holds."""

    light: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is advised after `quarters` consecutive quarters of one light."""

    light: str
    quarters: int
    action: str


@dataclass(frozen=True, slots=True)
class Pilot:
    """Where and when a version is tried before it is published; both days are in it."""

    units: frozenset[str]
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Version:
    """One whole document: a version is never a patch of another (rule A3)."""

    version: str
    unit: str
    effective_from: str
    title_zh: str
    title_en: str
    member_types: Mapping[str, MemberType]
    items: Mapping[str, Item]
    merit: Account
    service: Account
    annual: Annual
    bands: tuple[Band, ...]
    advice: tuple[Band, ...]
    """For probationary members: the advice is each band's code."""
    quota: Quota | None
    vetoes: Mapping[str, VetoRule]
    lights: tuple[Light, ...]
    follow_ups: tuple[FollowUp, ...]
    period_start: str
    min_minutes: int | None
    policy: Mapping[str, Any]
    pilot: Pilot | None

    def band(self, score: int) -> str | None:
        """Return the code of the band that `score` lies in."""
        return _band(self.bands, score)

    def probation_advice(self, score: int) -> str | None:
        """Return what the rulebook advises for a probationary member with `score`."""
        return _band(self.advice, score)


def of_body(body: Mapping[str, Any], pilot: Pilot | None = None) -> Version:
    """Build a version from its canonical form, which must fit the published schema.

    Raises FormatError where a code stands twice, a type, category or cap names what the document
    does not have, or the weights are not 100 percent.
    """
    merit = _account(body.get("merit", {}))
    service = _account(body.get("service", {}))
    items = {each["code"]: _item(each, merit) for each in body["items"]}
    if len(items) != len(body["items"]):
        raise FormatError("a rulebook has each item code once")
    types = {each["code"]: _member_type(each, items.values()) for each in body["member_types"]}
    for item in items.values():
        if unknown := set(item.applies_to) - types.keys():
            raise FormatError(f"{item.code} applies to {min(unknown)}, which is no member type")
    return Version(
        version=body["version"],
        unit=body.get("unit", ""),
        effective_from=body["effective_from"],
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        member_types=types,
        items=items,
        merit=merit,
        service=service,
        annual=_annual(body.get("annual", {}), merit),
        bands=tuple(_bands(body.get("bands", ()))),
        advice=tuple(_bands(body.get("probationary", ()))),
        quota=Quota(**body["quota"]) if "quota" in body else None,
        vetoes={
            each["code"]: VetoRule(each["code"], each["name_zh"], each["name_en"])
            for each in body.get("vetoes", ())
        },
        lights=tuple(_light(each) for each in body.get("warnings", ())),
        follow_ups=tuple(FollowUp(**each) for each in body.get("follow_ups", ())),
        period_start=body.get("period", {}).get("start", "01-01"),
        min_minutes=body.get("min_minutes"),
        policy=body.get("policy", {}),
        pilot=pilot,
    )


def default_scope(merit_bases: Mapping[str, Any] | None, account: str, category: str) -> str:
    """Return the scope of a debit that names none: its category where that has a base."""
    return CATEGORY if account == MERIT and category in (merit_bases or {}) else GLOBAL


def _band(bands: tuple[Band, ...], score: int) -> str | None:
    for band in bands:
        if band.min <= score and (band.below is None or score < band.below):
            return band.code
    return None


def _item(raw: Mapping[str, Any], merit: Account) -> Item:
    points, account = raw.get("points"), raw.get("account", MERIT)
    if raw.get("cap") and raw["cap"]["per"] not in CAP_PERS:
        raise FormatError(f"{raw['code']}: a cap is per {', '.join(CAP_PERS)}")
    scope = raw.get("scope") or default_scope(merit.bases, account, raw["category"])
    return Item(
        code=raw["code"],
        category=raw["category"],
        name_zh=raw["name_zh"],
        name_en=raw["name_en"],
        act_type=raw["act_type"],
        kind=raw["kind"],
        points=points,
        min=raw.get("min", points),
        max=raw.get("max", points),
        unit=raw["unit"],
        step=raw.get("step", HALF if raw["unit"] == "hour" else WHOLE),
        cap=Cap(**raw["cap"]) if "cap" in raw else None,
        account=account,
        scope=scope,
        applies_to=tuple(raw.get("applies_to", ())),
        evidence=tuple(raw.get("evidence", ())),
        exclusive_group=raw.get("exclusive_group"),
        review=raw.get("review", "normal"),
        assessed=raw.get("assessed", False),
    )


def _member_type(raw: Mapping[str, Any], items: Any) -> MemberType:
    standing = raw.get("standing", FULL)
    accounts = raw.get("accounts")
    if accounts is None:
        mine = {i.account for i in items if not i.applies_to or raw["code"] in i.applies_to}
        accounts = [] if standing == EXEMPT else sorted(mine)
    name_en = raw.get("name_en", raw["code"])
    return MemberType(raw["code"], raw["name_zh"], name_en, standing, tuple(accounts))


def _account(raw: Mapping[str, Any]) -> Account:
    bases = {
        each["category"]: (each["points"], each.get("floor", 0)) for each in raw.get("bases", ())
    }
    base = raw.get("base", 0)
    if bases and sum(points for points, _ in bases.values()) != base:
        raise FormatError("the categories' bases do not add up to the base")
    if base and raw.get("carry_over") is not None:
        raise FormatError("a base that is carried over has no figure of its own: base must be 0")
    return Account(
        base=base,
        bases=bases,
        credit_cap=raw.get("credit_cap"),
        category_caps={each["category"]: each["points"] for each in raw.get("category_caps", ())},
        period_caps=tuple(Cap(**each) for each in raw.get("period_caps", ())),
        floor=raw.get("floor"),
        ceiling=raw.get("ceiling"),
        target=raw.get("target"),
        carry_over=raw.get("carry_over"),
        lapse=raw.get("lapse"),
    )


def _annual(raw: Mapping[str, Any], merit: Account) -> Annual:
    annual = Annual(**raw)
    if annual.kind == WEIGHTED and annual.daily + annual.review != 100:
        raise FormatError("the weights of daily and review add up to 100 percent")
    if annual.kind == WEIGHTED3 and annual.daily + annual.review + annual.last != 100:
        raise FormatError("the weights of last, daily and review add up to 100 percent")
    if annual.kind == WEIGHTED3 and merit.carry_over is not None:
        raise FormatError("a carry-over counts once: as a weight or as the base (rule A20)")
    return annual


def _bands(raw: Any) -> Any:
    for each in sorted(raw, key=lambda band: band["min"]):
        code = each.get("code") or each["advice"]
        yield Band(code, each.get("name_zh", ""), each["min"], each.get("below"), each.get("stars"))


def _light(raw: Mapping[str, Any]) -> Light:
    conditions = (Condition(c["figure"], c.get("at_least"), c.get("below")) for c in raw["any"])
    return Light(raw["light"], tuple(conditions))
