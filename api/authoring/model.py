"""The arithmetic of an author's file: the model, the annual formula, bands, quota and warnings."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from api.authoring.fields import Fields
from ledger.rules.rulebook import ADDITIVE, DAILY, WEIGHTED, WEIGHTED3

_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SHARE = r"[1-9][0-9]{0,2}/[1-9][0-9]{0,2}"
_PACE = re.compile(
    r"expected score is ([0-9.]+)\*m/12; below (\d+)% of it = ([a-z]+), below (\d+)% = ([a-z]+)"
)
_LAPSE = re.compile(r"service points lapse on (\d{1,2}) ([A-Z][a-z]+) of the next year")
_NUMBERS = {"two": 2, "three": 3, "four": 4}
DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"

_TERM = re.compile(
    r"(?:(?P<before>[0-9.]+)\*)?"
    r"(?P<name>daily|min\(daily,(?P<most>[0-9.]+)\)|democratic_review|review|last_annual)"
    r"(?:\*(?P<after>[0-9.]+)/100)?"
)
_CONDITIONS = (
    ("quarter_debits", "at_least", re.compile(r"quarter debits >= ([0-9.]+)")),
    ("period_debits", "at_least", re.compile(r"running debits of the period >= ([0-9.]+)")),
    ("global_debit", "at_least", re.compile(r"any global debit >= ([0-9.]+)")),
    ("merit", "below", re.compile(r"quarter-end merit < ([0-9.]+)")),
)
_ANNUAL_SAYS = (
    "daily | 0.8*daily + 0.2*democratic_review | min(daily, 80) + 0.2*democratic_review | "
    "0.2*last_annual + 0.7*daily + 0.1*democratic_review"
)


def read_model(head: Fields, body: dict[str, Any]) -> str | None:
    """Put `merit`, `service`, `annual` and `min_minutes` into the body.

    Returns the scope that the model gives to debits without one, if it does.
    """
    model = head.fields("model")
    if model is None:
        return None
    family = model.code("kind")
    if family is not None:
        body["family"] = family
    if model.has("merit") or model.has("service"):
        merit, service = model.fields("merit", to="merit"), model.fields("service")
        if merit is not None:
            merit.where = ("merit",)
            merit.code("kind")
            scope = _merit(merit, body)
            merit.done()
        else:
            scope = None
        if service is not None:
            service.where = ("service",)
            _service(service, body)
            service.done()
    else:
        model.where = ("merit",)
        scope = _merit(model, body)
    model.done()
    return scope


def _merit(model: Fields, body: dict[str, Any]) -> str | None:
    merit: dict[str, Any] = {}
    _put(merit, "base", model.hundredths("base_total", least=0, to="base"))
    bases = model.points_of("base_categories")
    floor = model.hundredths("category_floor", least=0)
    if bases:
        merit["bases"] = [
            {"category": name, "points": points} | ({"floor": floor} if floor else {})
            for name, points in bases.items()
        ]
        if sum(bases.values()) != merit.get("base", 0):
            model.fail("base_categories", "base", "base_categories do not add up to base_total")
    _caps(model, merit)
    _put(merit, "floor", model.hundredths("global_floor", least=-10_000_000, to="floor"))
    _put(merit, "ceiling", model.hundredths("ceiling"))
    _put(merit, "target", model.hundredths("target"))
    _put(merit, "carry_over", model.integer("carry_over", 1, 100))
    if merit.get("base") and "carry_over" in merit:
        model.fail("carry_over", "base", "a base that is carried over has base_total 0")
    model.note("target_basis", "basis")
    scale = model.hundredths("review_scale")
    if scale not in {None, 100_00}:
        model.fail("review_scale", "review-scale", "review sheets are from 0 to 100")
    annual = _annual(model)
    if annual is not None:
        body["annual"] = annual
    body["merit"] = merit
    return model.one_of("debit_scope", ("category", "global"), "") or None


def _service(model: Fields, body: dict[str, Any]) -> None:
    service: dict[str, Any] = {}
    model.code("kind")
    if model.hundredths("base_total", least=0):
        model.fail("base_total", "base", "a wallet starts from 0")
    _caps(model, service)
    if model.integer("hour_unit_minutes", 1, 1000) not in {None, 60}:
        model.fail("hour_unit_minutes", "minutes", "an hour has 60 minutes")
    _put(body, "min_minutes", model.integer("min_minutes", 1, 59))
    _put(service, "redeemable", model.boolean("redeemable"))
    _put(service, "lapse", model.matching("lapse", DAY, "day of the year, MM-DD"))
    model.note("rounding", "basis", "redeem_effect")
    body["service"] = service


def _caps(model: Fields, account: dict[str, Any]) -> None:
    caps = model.points_of("credit_category_caps")
    _lines(model, "credit_category_caps", "category_caps", list(caps))
    if caps:
        account["category_caps"] = [
            {"category": name, "points": points} for name, points in caps.items()
        ]
    _put(account, "credit_cap", model.hundredths("credit_total_cap", to="credit_cap"))
    period_caps = model.points_of("period_caps")
    _lines(model, "period_caps", "period_caps", list(period_caps))
    if period_caps:
        account["period_caps"] = [
            {"per": per, "points": points} for per, points in period_caps.items()
        ]


def _lines(model: Fields, key: str, to: str, names: list[str]) -> None:
    raw = model.raw.get(key)
    for number, name in enumerate(names):
        model.report.lines[(*model.where, to, number)] = raw.lines[name] if raw else 0


def _annual(model: Fields) -> dict[str, Any] | None:
    """Return the components of `annual`, a formula such as 0.8*daily + 0.2*democratic_review."""
    text = model.text("annual")
    if text is None:
        return None
    weights: dict[str, int] = {}
    most: int | None = None
    for term in text.replace(" ", "").split("+"):
        found = _TERM.fullmatch(term)
        name = found and found["name"].partition("(")[0]
        name = {"democratic_review": "review", "last_annual": "last"}.get(name or "", name)
        weight = None if found is None else _percent(found["before"], found["after"])
        if found is None or weight is None or name is None or name in weights:
            model.fail("annual", "annual", f"annual {text!r} is none of: {_ANNUAL_SAYS}")
            return None
        weights[name] = weight
        if found["most"]:
            most = int(Decimal(found["most"]) * 100)
    names, total = set(weights), sum(weights.values())
    if names == {"daily"} and total == 100:
        return {"kind": DAILY}
    if names == {"min", "review"} and weights["min"] == 100 and most:
        return {"kind": ADDITIVE, "daily_max": most, "review": weights["review"]}
    if names == {"daily", "review"} and total == 100:
        return {"kind": WEIGHTED, **weights}
    if names == {"daily", "review", "last"} and total == 100:
        return {"kind": WEIGHTED3, **weights}
    model.fail(
        "annual", "annual", f"annual {text!r} is none of: {_ANNUAL_SAYS}; weights make 100 %"
    )
    return None


def _percent(before: str | None, after: str | None) -> int | None:
    """Return the whole percent of a factor (0.2) or of a share (20, of /100); 100 without one."""
    try:
        if before and after:
            return None
        value = Decimal(before) * 100 if before else Decimal(after) if after else Decimal(100)
    except ArithmeticError:
        return None
    return int(value) if value == int(value) and 0 <= value <= 100 else None


def read_carry_over(head: Fields, body: dict[str, Any]) -> None:
    """Read the variant of a base that is a share of last period's annual (A20)."""
    variant = head.fields("carry_over_variant")
    if variant is None:
        return
    enabled = variant.boolean("enabled")
    rule = variant.raw.get("rule")
    variant.note("rule", "basis")
    variant.done()
    if not enabled:
        return
    found = re.search(r"base = (\d{1,3}) ?%", rule) if isinstance(rule, str) else None
    if found is None:
        variant.fail("rule", "carry-over", "say it as: next year base = 20% of this year score")
        return
    merit = body.setdefault("merit", {})
    if merit.get("base"):
        variant.fail("enabled", "base", "a base that is carried over has base_total 0")
    merit["carry_over"] = int(found[1])


def read_bands(head: Fields, body: dict[str, Any]) -> None:
    """Read `bands`, and `probationary`: advice by score."""
    bands = []
    for raw in head.each("bands", "band"):
        band = {
            "code": raw.code("code", needed=True),
            "name_zh": raw.text("zh") or raw.text("name_zh", needed=not raw.has("zh")),
            "min": raw.hundredths("min", least=-10_000_000, needed=True),
        }
        _put(band, "below", raw.hundredths("below", least=-10_000_000))
        _put(band, "stars", raw.integer("stars", 0, 10))
        raw.done()
        if None not in band.values():
            bands.append(band)
    if bands:
        body["bands"] = bands
    advice = []
    for raw in head.each("probationary", "probationary"):
        lowest = raw.hundredths("min", least=-10_000_000) if raw.has("min") else 0
        one = {"advice": raw.text("advice", needed=True), "min": lowest}
        _put(one, "below", raw.hundredths("below", least=-10_000_000))
        raw.done()
        advice.append(one)
    # Authors write the highest first and leave its end out; the canonical form says each end.
    advice = [each for each in advice if None not in each.values()]
    if advice:
        body["probationary"] = advice
    head.note("bands_note", "probationary_basis")


def read_quota(head: Fields, body: dict[str, Any]) -> None:
    """Read `quota`: a share of the full members taking part."""
    raw = head.fields("quota")
    if raw is None:
        return
    grade = raw.code("grade", needed=True)
    share = raw.matching(
        "max_share", r"[1-9][0-9]{0,2}/[1-9][0-9]{0,2}", "share such as 1/3", needed=True
    )
    whom = raw.text("of")
    if whom not in {None, "participating full members"}:
        raw.fail("of", "quota", "a quota is of participating full members (A24)")
    band = raw.code("band") or f"{grade}_candidate"
    raw.note("ties", "basis")
    raw.done()
    if grade is None or share is None:
        return
    if band not in {each["code"] for each in body.get("bands", ())}:
        raw.fail("grade", "quota", f"no band is called {band}")
    numerator, _, denominator = share.partition("/")
    body["quota"] = {
        "grade": grade,
        "band": band,
        "numerator": int(numerator),
        "denominator": int(denominator),
    }


def read_warnings(head: Fields, body: dict[str, Any]) -> None:
    """Read `warnings` (lights at quarter ends, and what follows two of them) and `pace`."""
    lights: list[dict[str, Any]] = []
    follow_ups: list[dict[str, Any]] = []
    for raw in head.each("warnings", "warning"):
        raw.note("basis")
        if raw.has("light"):
            light = raw.code("light")
            if raw.has("quarters"):
                quarters = raw.integer("quarters", 1, 8)
                action = raw.text("action", needed=True)
                follow_ups.append({"light": light, "quarters": quarters, "action": action})
            else:
                raw.note("action")
                lights.append({"light": light, "any": _conditions(raw)})
        else:
            follow_ups += _follow_up(raw)
        raw.done()
    lights += _pace(head, body)
    if lights:
        body["warnings"] = lights
    if follow_ups:
        body["follow_ups"] = follow_ups


def _conditions(raw: Fields) -> list[dict[str, Any]]:
    text = raw.text("when", needed=True)
    found = []
    for term in text.split(" or ") if text else ():
        for figure, limit, pattern in _CONDITIONS:
            match = pattern.fullmatch(term.strip())
            if match is not None:
                found.append({"figure": figure, limit: int(Decimal(match[1]) * 100)})
                break
        else:
            says = " | ".join(
                pattern.pattern.replace("([0-9.]+)", "N") for *_, pattern in _CONDITIONS
            )
            raw.fail("when", "warning", f"{term.strip()!r} is none of: {says}")
    return found


def _follow_up(raw: Fields) -> list[dict[str, Any]]:
    text = raw.text("action", needed=True)
    if text is None:
        return []
    found = re.fullmatch(r"(two|three|four) consecutive ([a-z]+) quarters -> (.+)", text)
    if found is None:
        raw.fail("action", "warning", "say it as: two consecutive red quarters -> what is advised")
        return []
    return [{"light": found[2], "quarters": _NUMBERS[found[1]], "action": found[3]}]


def _pace(head: Fields, body: dict[str, Any]) -> list[dict[str, Any]]:
    pace = head.fields("pace")
    if pace is None:
        return []
    rule = pace.raw.get("rule")
    pace.note("zh", "rule")
    pace.done()
    target = body.get("merit", {}).get("target")
    found = _PACE.search(rule) if isinstance(rule, str) else None
    if not found or target is None or Decimal(found[1]) * 100 != target:
        reason = (
            "say it as: the expected score is TARGET*m/12; below 80% of it = yellow, "
            "below 60% = red; and give the model the same target"
        )
        pace.fail("rule", "pace", reason)
        return []
    return [
        {"light": found[light], "any": [{"figure": "pace", "below": int(found[percent])}]}
        for light, percent in ((3, 2), (5, 4))
    ]


def lapse_of(reset: str | None) -> str | None:
    """Return the day, MM-DD, on which a reset says that unspent service points lapse."""
    found = re.search(
        r"service points lapse on (\d{1,2}) ([A-Z][a-z]+) of the next year", reset or ""
    )
    if found is None or found[2] not in _MONTH_NAMES:
        return None
    return f"{_MONTH_NAMES.index(found[2]) + 1:02d}-{int(found[1]):02d}"


def _put(target: dict[str, Any], key: str, value: object) -> None:
    if value is not None:
        target[key] = value
