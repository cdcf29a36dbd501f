"""How figures, instants and rules are written on a page."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.web.models import ItemRow, LogView, Moment, Name, RuleView
from api.web.register import Known, Published
from api.web.words import Words
from ledger.entry import parse_instant
from ledger.log import note
from ledger.log.checkpoint import parse_body
from projections.render import points


def moment(words: Words, instant: str, zone: str, now: datetime) -> Moment:
    """Return an instant of six decimals as a page shows it."""
    then = parse_instant(instant, micros=True)
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        ago = words("now")
    elif minutes < 60:
        ago = words("minutes", minutes)
    elif minutes < 24 * 60:
        ago = words("hours", minutes // 60)
    else:
        ago = words("days", minutes // (24 * 60))
    return Moment(instant, then.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"), ago)


def log_view(checkpoint: bytes, vkey: str, *, has_policy: bool) -> LogView:
    """Return the newest checkpoint for a page; its signatures are the browser's to verify."""
    opened = note.parse(checkpoint)
    body = parse_body(opened.text)
    names = dict.fromkeys(each.name for each in opened.signatures if each.name != body.origin)
    return LogView(body.origin, vkey, body.size, grouped(body.root), tuple(names), has_policy)


def grouped(digest: bytes) -> str:
    """Write a digest in groups of four."""
    text = digest.hex()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def rulebook_url(ident: str, version: str) -> str:
    """Return the address of a rulebook's page."""
    return f"/rulebook/{ident}/{version}"


def newest_of(known: Known, ident: str) -> Published | None:
    """Return the version of a rulebook that was published last, None where there is none."""
    found = [each for (name, _), each in known.rulebooks.items() if name == ident]
    return max(found, key=lambda each: each.index, default=None)


def title_of(published: Published) -> Name:
    """Return a rulebook's title."""
    return Name(published.body["title_zh"], published.body["title_en"])


def item_of(published: Published, code: str) -> dict[str, Any] | None:
    """Return the item `code` of a rulebook's document, None where it has none."""
    return next((each for each in published.body["items"] if each["code"] == code), None)


def band_of(words: Words, published: Published | None, code: str) -> str:
    """Return a band of a rulebook as people call it; rulebooks name theirs in Chinese alone."""
    bands = published.body.get("bands", ()) if published is not None else ()
    named: str | None = next((each["name_zh"] for each in bands if each["code"] == code), None)
    return named if named is not None and words.lang == "zh" else code.replace("_", " ")


def item_row(words: Words, item: dict[str, Any]) -> ItemRow:
    """Return an item of a rulebook's document."""
    sign = -1 if item["kind"] == "debit" else 1
    if "points" in item:
        worth = points(sign * item["points"])
    else:
        worth = f"{points(sign * item['min'])} … {points(sign * item['max'])}"
    cap = ""
    if "cap" in item:
        per = words.or_else(f"per_{item['cap']['per']}", item["cap"]["per"])
        cap = f"{points(item['cap']['points'], signed=False)} / {per}"
    per = words.or_else(f"per_{item['unit']}", item["unit"])
    name = Name(item["name_zh"], item["name_en"])
    return ItemRow(item["code"], name, f"{worth} / {per}", cap, item.get("basis", ""))


def rule_view(words: Words, published: Published | None, code: str) -> RuleView | None:
    """Return the clause `code` of a rulebook, None where that is not known."""
    if published is None:
        return None
    item = item_of(published, code)
    if item is None:
        return None
    row = item_row(words, item)
    url = f"{rulebook_url(published.ident, published.body['version'])}#{code}"
    title = title_of(published)
    return RuleView(code, row.name, row.worth, row.cap, row.basis, url, title)
