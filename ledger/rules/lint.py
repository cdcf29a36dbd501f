"""What is wrong with a rulebook before anyone is scored by it (A38, A16).

The checks read the canonical form and name the place in it, as the keys and positions that lead
there; whoever read the form from a file knows the line. A finding is an error, and the rulebook
is not fit to be published, or a warning that people should know of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from ledger.errors import FormatError
from ledger.rules.period import Periods
from ledger.rules.reach import Reach
from ledger.rules.rulebook import (
    CAP_PERS,
    CATEGORY,
    DEBIT,
    MERIT,
    PERIOD_CAP_PERS,
    UNITS,
    Version,
    default_scope,
    of_body,
)
from ledger.rules.words import subjects_of

Where = tuple[str | int, ...]
Body = Mapping[str, Any]

PHOTOS = frozenset({"photo", "photos", "picture", "image", "video"})

_GOVERNED = ("merit", "service", "annual", "bands", "quota")
"""What is that of the period's first day (A16)."""


class Finding(NamedTuple):
    """One thing to put right, or with `warning` to know."""

    where: Where
    code: str
    reason: str
    warning: bool = False


def lint(body: Body, *, whole: bool = True) -> list[Finding]:
    """Return everything that is wrong with a rulebook's canonical form.

    Without `whole` parts of it could not be read, and caps are not looked at.
    """
    found = [*_units(body), *_words(body), *_evidence(body), *_scopes(body)]
    found += _bands(body, "bands", body.get("merit", {}))
    found += _bands(body, "probationary", body.get("merit", {}))
    # Reach needs a document that can be built; an unknown unit or cap is a finding already.
    if whole and not any(each.code in {"unit-unknown", "cap-unknown"} for each in found):
        try:
            found += _reach(body, of_body(body))
        except FormatError as error:
            found.append(Finding((), "inconsistent", error.message))
    return found


def lint_change(old: Body, new: Body) -> list[Finding]:
    """Return warnings about what of a new version waits for the next period (A16)."""
    periods = Periods(new.get("period", {}).get("start", "01-01"))
    day = new["effective_from"]
    period = periods.of(day)
    if day == period.first:
        return []
    return [
        Finding(
            (part,),
            "waits",
            f"{part} changed, but from {day} on the {part} of {period.first} still holds: "
            f"the change waits for the period after {period.last}",
            warning=True,
        )
        for part in _GOVERNED
        if _governed(old, part) != _governed(new, part)
    ]


def _governed(body: Body, part: str) -> Any:
    value = body.get(part)
    if isinstance(value, Mapping):
        # Caps of categories, periods and the total are each entry's own version's (A13).
        return {k: v for k, v in value.items() if not k.endswith(("_cap", "_caps"))}
    return value


def _units(body: Body) -> Iterator[Finding]:
    for number, item in enumerate(body["items"]):
        if item["unit"] not in UNITS:
            reason = f"{item['code']}: unit {item['unit']!r} is none of {', '.join(UNITS)}"
            yield Finding(("items", number, "unit"), "unit-unknown", reason)
        if "cap" in item and item["cap"]["per"] not in CAP_PERS:
            per = item["cap"]["per"]
            reason = f"{item['code']}: a cap per {per!r} is none of {', '.join(CAP_PERS)}"
            yield Finding(("items", number, "cap", "per"), "cap-unknown", reason)
    for account in ("merit", "service"):
        for number, cap in enumerate(body.get(account, {}).get("period_caps", ())):
            if cap["per"] not in PERIOD_CAP_PERS:
                reason = f"a period cap per {cap['per']!r} is none of {', '.join(PERIOD_CAP_PERS)}"
                yield Finding((account, "period_caps", number, "per"), "cap-unknown", reason)


def _words(body: Body) -> Iterator[Finding]:
    for part in ("items", "vetoes"):
        for number, rule in enumerate(body.get(part, ())):
            texts = (rule["name_zh"], rule["name_en"], rule.get("act_type", ""))
            for subject in subjects_of(*texts):
                reason = f"{rule['code']} {rule['name_zh']}: {subject.says}"
                yield Finding((part, number), subject.code, reason)


def _evidence(body: Body) -> Iterator[Finding]:
    for number, item in enumerate(body["items"]):
        kinds = item.get("evidence", [])
        where: Where = ("items", number, "evidence") if "evidence" in item else ("items", number)
        if kinds and set(kinds) <= PHOTOS:
            reason = f"{item['code']}: a photo is the only evidence; name a kind that is not one"
            yield Finding(where, "photo-only", reason)
        elif not kinds and item["kind"] == DEBIT:
            reason = f"{item['code']}: a debit needs a kind of evidence that is not a photo"
            yield Finding(where, "debit-evidence", reason)


def _scopes(body: Body) -> Iterator[Finding]:
    bases = {each["category"] for each in body.get("merit", {}).get("bases", ())}
    for number, item in enumerate(body["items"]):
        account = item.get("account", MERIT)
        scope = item.get("scope") or default_scope(dict.fromkeys(bases), account, item["category"])
        if item["kind"] == DEBIT and scope == CATEGORY and account != MERIT:
            reason = f"{item['code']}: only merit has categories with a base; its scope is global"
            yield Finding(("items", number, "scope"), "category-base", reason)
        elif item["kind"] == DEBIT and scope == CATEGORY and item["category"] not in bases:
            reason = (
                f"{item['code']}: category {item['category']} has no base, so this debit would "
                "always be swallowed; give the category a base or the item the scope global"
            )
            yield Finding(("items", number, "scope"), "category-base", reason)
        if item["kind"] == DEBIT and "exclusive_group" in item:
            reason = f"{item['code']}: only credits stand in an exclusive group (A10)"
            yield Finding(("items", number, "exclusive_group"), "group-of-debits", reason)
        if "exclusive_group" in item and item["unit"] == "hour" and "min_minutes" in body:
            reason = f"{item['code']}: hours that are added up cannot stand in an exclusive group"
            yield Finding(("items", number, "exclusive_group"), "group-of-hours", reason)


def _bands(body: Body, part: str, merit: Body) -> Iterator[Finding]:
    bands = sorted(enumerate(body.get(part, ())), key=lambda pair: pair[1]["min"])
    if not bands:
        return
    lowest, highest = merit.get("floor", 0), merit.get("ceiling")
    number, first = bands[0]
    if first["min"] > lowest:
        reason = f"scores from {points(lowest)} up to {points(first['min'])} are in no band"
        yield Finding((part, number, "min"), "bands-gap", reason)
    for (_, low), (number, high) in pairwise(bands):
        below = low.get("below")
        if below is None or below > high["min"]:
            end = "without end" if below is None else f"up to {points(below)}"
            reason = f"{points(high['min'])} is also in the band from {points(low['min'])} {end}"
            yield Finding((part, number, "min"), "bands-overlap", reason)
        elif below < high["min"]:
            reason = f"scores from {points(below)} up to {points(high['min'])} are in no band"
            yield Finding((part, number, "min"), "bands-gap", reason)
    for number, band in bands:
        if band.get("below") is not None and band["below"] <= band["min"]:
            reason = f"the band from {points(band['min'])} ends before it begins"
            yield Finding((part, number, "below"), "bands-empty", reason)
    ends = [band.get("below") for _, band in bands]
    if None not in ends and (highest is None or max(ends) <= highest):
        reason = f"scores from {points(max(ends))} up are in no band"
        yield Finding((part, bands[-1][0], "below"), "bands-gap", reason)


def _reach(body: Body, version: Version) -> Iterator[Finding]:
    """Find caps that are greater than what items and lower caps can give to any type (A38)."""
    reach = Reach(version)
    for number, raw in enumerate(body["items"]):
        item = version.items[raw["code"]]
        most = reach.item_in_bucket(item)
        if item.cap is not None and most is not None and item.cap.points > most:
            reason = _unreachable(f"{item.code}: the cap", item.cap.points, most)
            yield Finding(("items", number, "cap"), "cap-unreachable", reason)
    for account in ("merit", "service"):
        raw = body.get(account, {})
        for number, cap in enumerate(raw.get("category_caps", ())):
            most = reach.category(account, cap["category"])
            if most is not None and cap["points"] > most:
                what = f"the cap of category {cap['category']}"
                where = (account, "category_caps", number)
                yield Finding(where, "cap-unreachable", _unreachable(what, cap["points"], most))
        for number, cap in enumerate(raw.get("period_caps", ())):
            most = reach.credits_in(account, cap["per"])
            if most is not None and cap["points"] > most:
                what = f"the cap per {cap['per']}"
                where = (account, "period_caps", number)
                yield Finding(where, "cap-unreachable", _unreachable(what, cap["points"], most))
        most = reach.total(account)
        if most is not None and raw.get("credit_cap", 0) > most:
            reason = _unreachable("the cap of all credits", raw["credit_cap"], most)
            yield Finding((account, "credit_cap"), "cap-unreachable", reason)
    most = reach.score()
    ceiling = version.merit.ceiling
    if ceiling is not None and most is not None and ceiling > most:
        reason = _unreachable("the ceiling", ceiling, most)
        yield Finding(("merit", "ceiling"), "cap-unreachable", reason)


def _unreachable(what: str, cap: int, most: int) -> str:
    return f"{what} of {points(cap)} is never reached: at most {points(most)} can be given"


def points(hundredths: int) -> str:
    """Return hundredths as people write points: 250 is 2.5."""
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return sign + (f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole))
