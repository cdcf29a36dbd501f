"""The items of an author's file, flat or under their category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.authoring.fields import Fields
from api.authoring.source import Mapping
from ledger.rules.rulebook import CREDIT, DEBIT

_ASSESSED = "assessed"


@dataclass(frozen=True, slots=True)
class Shared:
    """What items have that do not say it themselves."""

    given: dict[str, str | None]
    applies_to: tuple[str, ...]
    debit_scope: str | None


def read_item(raw: Fields, shared: Shared, items: list[dict[str, Any]]) -> None:
    """Append the item in canonical form; one without a code, category or name is left out."""
    where = ("items", len(items))
    raw.what = f"item {raw.raw.get('code', '?')}"
    raw.where = where
    raw.report.lines[where] = raw.raw.line
    item: dict[str, Any] = {"code": raw.code("code", needed=True)}
    item["category"] = raw.code("category") or shared.given.get("category")
    if item["category"] is None:
        raw.fail(None, "key-missing", "category is missing")
    for key in ("name_zh", "name_en"):
        item[key] = raw.text(key, needed=True)
    item["act_type"] = raw.code("act_type", needed=True)
    kind = raw.text("kind") or shared.given.get("kind")
    if kind not in {CREDIT, DEBIT, _ASSESSED}:
        raw.fail("kind", "value-unknown", f"kind {kind!r} is none of credit, debit, assessed")
    item["kind"] = DEBIT if kind == DEBIT else CREDIT
    _points(raw, item)
    if kind == _ASSESSED:
        item["assessed"] = True
        if "min" not in item:
            raw.fail("points", "points", "an assessed item has points {min, max}")
    item["unit"] = raw.code("unit", needed=True)
    _cap(raw, item)
    account = raw.one_of("account", ("merit", "service"), "") or shared.given.get("account")
    scope = raw.one_of("scope", ("category", "global"), "")
    if item["kind"] == CREDIT and scope:
        raw.fail("scope", "scope", "only debits have a scope")
    elif item["kind"] == DEBIT:
        scope = scope or shared.debit_scope
    review = raw.one_of("review", ("normal", "dual"), "")
    optional = {
        "account": account,
        "scope": scope,
        "step": raw.hundredths("step"),
        "exclusive_group": raw.code("exclusive_group"),
        "review": review,
        "applies_to": raw.codes("applies_to") or list(shared.applies_to),
        "proposer": raw.codes("proposer"),
        "evidence": raw.codes("evidence"),
        "basis": raw.text("basis"),
        "note": raw.text("note"),
    }
    raw.done()
    item |= {key: value for key, value in optional.items() if value}
    if None not in item.values():
        items.append(item)


def _points(raw: Fields, item: dict[str, Any]) -> None:
    ranged = isinstance(raw.raw.get("points"), Mapping)
    bounds = raw.fields("points", raw.what) if ranged else raw
    given = bounds.raw.keys() & {"min", "max"} if bounds else set()
    if bounds is not None and given:
        bounds.where = raw.where
        low = bounds.hundredths("min", least=0, needed=True)
        high = bounds.hundredths("max", needed=True)
        if ranged:
            bounds.done()
        if not ranged and raw.has("points"):
            raw.fail("points", "points", "an item has either points, or min and max")
        if low is not None and high is not None and low > high:
            raw.fail("min", "points", "min is above max")
        item |= {"min": 0 if low is None else low, "max": high or 1}
        return
    if not raw.has("points"):
        raw.fail("points", "points", "an item has either points, or min and max")
        raw.take("points")
        item["points"] = 1
        return
    item["points"] = raw.hundredths("points") or 1


def _cap(raw: Fields, item: dict[str, Any]) -> None:
    cap = raw.fields("cap", f"{raw.what} cap")
    if cap is None:
        return
    per, points = cap.code("per", needed=True), cap.hundredths("points", needed=True)
    cap.done()
    if per is not None and points is not None:
        item["cap"] = {"per": per, "points": points}
