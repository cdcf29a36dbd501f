"""Reads an author's rulebook (YAML) into its canonical form: the body that is published.

The author's form. Points are decimals with at most two places, days YYYY-MM-DD, days of a year
MM-DD, a share 1/3, formulas and conditions short texts (`api.authoring.model` says which). Every
key is known by name; a key that is not is refused.

    id version effective_from title_zh title_en    supersedes status schema scale
    branch_types                                   codes
    member_types    {code: name_zh}, or a list of {code name_zh name_en standing accounts}
    applies_to      the types of items that name none
    period          {kind: annual, start, end, record, publish, reset}
    model           {kind base_total base_categories category_floor credit_category_caps
                    credit_total_cap period_caps global_floor ceiling target carry_over annual
                    review_scale debit_scope}, or {kind, merit: {the same}, service: {min_minutes
                    redeemable lapse credit_category_caps credit_total_cap period_caps}}
    categories      {code: name_zh}, or a list of {code name_zh name_en}, which may hold `items`
                    and, shared by those, `kind`, `account` and `applies_to`
    items           {code category name_zh name_en act_type kind points unit}, with `points` a
                    number or {min max}, or `min` and `max` beside; and cap {per points} account
                    scope step exclusive_group applies_to proposer evidence review
    bands probationary quota warnings pace carry_over_variant exemption vetoes workflow redemption
    in_service_minimum

For people only, kept word for word as the published document's `notes`: disclaimer,
evidence_rule, rounding, bands_note, probationary_basis, use_of_results, excluded_on_purpose,
every `basis` outside items, the texts of workflow (recusal, committee_quorum), period.reset, pace
and carry_over_variant's rule, redemption.fund. An item keeps its `basis` and `note`. `status` is
the author's own word: what is in force, the log says.

What the conversion adds: a type called probationary or exempt has that standing unless it says
another; kind `assessed` is a credit that the reviewers assess; a type has the accounts that its
items post to; the last of `probationary` starts at 0.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.authoring.fields import CODE, Fields, Problem, Report
from api.authoring.items import Shared, read_item
from api.authoring.model import (
    DAY,
    lapse_of,
    read_bands,
    read_carry_over,
    read_model,
    read_quota,
    read_warnings,
)
from api.authoring.source import AuthoringError, Mapping, read_yaml
from ledger import schema
from ledger.errors import FormatError
from ledger.rules.lint import Finding, Where, lint
from ledger.rules.rulebook import EXEMPT, PROBATIONARY, Version, of_body

_STATUS = ("draft", "consulted", "pilot", "revised", "published", "effective", "superseded")
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_VERSION = r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}"
_NO_UNIT = "root"
"""Stands in for the unit that publishing names, where only the form is checked."""


@dataclass(frozen=True, slots=True)
class Authored:
    """A file that was read: its id, its canonical form without `unit`, and where all of it stood.

    With `problems` the form is as far as it could be read, and fit for showing those only.
    """

    name: str
    id: str
    body: dict[str, Any]
    problems: tuple[Problem, ...]
    lines: MappingOf[Where, int]

    def line(self, where: Where) -> int:
        """Return the line of a place in the form, or of the nearest place around it."""
        for end in range(len(where), -1, -1):
            if where[:end] in self.lines:
                return self.lines[where[:end]]
        return 1

    def version(self) -> Version:
        """Return the version for the engine."""
        return of_body(self.body)

    def publishable(self, unit: str, effective_from: str | None = None) -> dict[str, Any]:
        """Return the body of the statement that publishes this for `unit` and its sub-units.

        `effective_from` takes the place of the file's own date.
        """
        body = self.body | {"unit": unit}
        return body if effective_from is None else body | {"effective_from": effective_from}

    def findings(self) -> list[tuple[int, Finding]]:
        """Return everything that lint says, with its line: problems of reading come first."""
        found = [(each.line, Finding((), each.code, each.reason)) for each in self.problems]
        return found + [
            (self.line(each.where), each) for each in lint(self.body, whole=not self.problems)
        ]


def read(path: Path) -> Authored:
    """Read a file and collect its problems. Raises AuthoringError where it is no rulebook."""
    raw = read_yaml(path)
    if not isinstance(raw, Mapping):
        raise AuthoringError(f"{path.name}:1: rulebook: a rulebook is a mapping of keys to values")
    report = Report()
    body, ident = _read(Fields(report, raw, "rulebook"))
    if not report.problems:
        try:
            schema.validate("rulebook.published", body | {"unit": _NO_UNIT})
            of_body(body)
        except FormatError as error:
            report.problems.append(Problem(1, "form", error.message))
    report.problems.sort()
    return Authored(path.name, ident, body, tuple(report.problems), report.lines)


def load(path: Path) -> Authored:
    """Read a file that must be right. Raises AuthoringError with a line for every problem."""
    found = read(path)
    if found.problems:
        raise AuthoringError(
            "\n".join(
                f"{found.name}:{each.line}: {each.code}: {each.reason}" for each in found.problems
            )
        )
    return found


def _read(head: Fields) -> tuple[dict[str, Any], str]:
    body: dict[str, Any] = {}
    ident = head.matching("id", r"[a-z0-9-]{1,64}", "id: a-z, 0-9 and dashes", needed=True) or ""
    if (given := head.text("schema")) not in {None, "rulebook/v0"}:
        head.fail("schema", "value-unknown", f"schema {given!r} is not rulebook/v0")
    if head.integer("scale", 0, 9) not in {None, 2}:
        head.fail("scale", "scale", "points have a scale of 2 decimals")
    head.one_of("status", _STATUS, "draft")
    says = "version such as 1.0.0"
    body["version"] = head.matching("version", _VERSION, says, needed=True) or "0.0.0"
    date = head.matching("effective_from", _DATE, "date, YYYY-MM-DD", needed=True)
    body["effective_from"] = date or "2000-01-01"
    for key in ("title_zh", "title_en"):
        body[key] = head.text(key, needed=True) or "?"
    if (old := head.matching("supersedes", _VERSION, says)) is not None:
        body["supersedes"] = old
    if branch_types := head.codes("branch_types"):
        body["branch_types"] = branch_types
    head.note("disclaimer", "evidence_rule", "rounding", "use_of_results", "excluded_on_purpose")
    body["member_types"] = _member_types(head)
    scope = read_model(head, body)
    read_carry_over(head, body)
    _period(head, body)
    _items(head, body, scope)
    read_bands(head, body)
    read_quota(head, body)
    read_warnings(head, body)
    _exemption(head, body)
    _vetoes(head, body)
    _policy(head, body)
    _redemption(head, body)
    head.done()
    _references(head, body)
    if head.report.notes:
        body["notes"] = head.report.notes
    return body, ident


def _member_types(head: Fields) -> list[dict[str, Any]]:
    raw = head.take("member_types", needed=True)
    if isinstance(raw, Mapping):
        types = [_type(code, name) for code, name in raw.items() if isinstance(name, str)]
        if len(types) < len(raw) or not all(CODE.fullmatch(code) for code in raw):
            head.fail("member_types", "text", "member_types maps codes to Chinese names")
        return types
    types = []
    for each in head.each("member_types", "member type"):
        one = _type(each.code("code", needed=True) or "?", each.text("name_zh", needed=True) or "?")
        if (name_en := each.text("name_en")) is not None:
            one["name_en"] = name_en
        if each.has("standing"):
            one["standing"] = each.one_of("standing", ("full", PROBATIONARY, EXEMPT), "full")
        if each.has("accounts"):
            one["accounts"] = each.codes("accounts")
        each.done()
        types.append(one)
    _once(head, "member_types", [each["code"] for each in types])
    return types


def _type(code: str, name_zh: str) -> dict[str, Any]:
    standing = {"standing": code} if code in {PROBATIONARY, EXEMPT} else {}
    return {"code": code, "name_zh": name_zh, **standing}


def _period(head: Fields, body: dict[str, Any]) -> None:
    raw = head.fields("period")
    if raw is None:
        return
    if raw.text("kind") not in {None, "annual"}:
        raw.fail("kind", "period", "only yearly periods (kind: annual) are known")
    period: dict[str, Any] = {}
    start = raw.matching("start", DAY, "day of the year, MM-DD") or "01-01"
    if start[3:] > "28":
        raw.fail("start", "period", "a period starts on the 28th of a month at the latest")
        start = "01-01"
    period["start"] = start
    end = raw.matching("end", DAY, "day of the year, MM-DD")
    if end is not None and end not in _ends(start):
        raw.fail("end", "period", f"a year from {start} ends on {_ends(start)[0]}, not on {end}")
    for key, known in (
        ("record", ("monthly", "quarterly")),
        ("publish", ("monthly", "quarterly", "half_yearly", "yearly")),
    ):
        if raw.has(key):
            period[key] = raw.one_of(key, known, known[0])
    reset = raw.raw.get("reset")
    lapse = lapse_of(reset if isinstance(reset, str) else None)
    if lapse is not None and "service" in body:
        body["service"].setdefault("lapse", lapse)
    raw.note("reset")
    raw.done()
    body["period"] = period


def _ends(start: str) -> tuple[str, ...]:
    month, day = int(start[:2]), int(start[3:])
    if day > 1:
        return (f"{month:02d}-{day - 1:02d}",)
    before = (month - 2) % 12 + 1
    if before == 2:
        return ("02-28", "02-29")
    return (f"{before:02d}-{30 if before in {4, 6, 9, 11} else 31}",)


def _items(head: Fields, body: dict[str, Any], scope: str | None) -> None:
    shared = Shared({}, tuple(head.codes("applies_to")), scope)
    categories: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    raw = head.take("categories", needed=True)
    if isinstance(raw, Mapping):
        categories = [{"code": code, "name_zh": str(name)} for code, name in raw.items()]
    else:
        for each in head.each("categories", "category"):
            one = {
                "code": each.code("code", needed=True) or "?",
                "name_zh": each.text("name_zh", needed=True) or "?",
            }
            if (name_en := each.text("name_en")) is not None:
                one["name_en"] = name_en
            categories.append(one)
            given = {key: each.text(key) for key in ("kind", "account") if each.has(key)}
            mine = Shared(
                given | {"category": one["code"]},
                tuple(each.codes("applies_to")) or shared.applies_to,
                scope,
            )
            for item in each.each("items", "item"):
                read_item(item, mine, items)
            each.done()
    for item in head.each("items", "item"):
        read_item(item, shared, items)
    if not items:
        head.fail("items", "items", "a rulebook has items")
    body["categories"], body["items"] = categories, items
    _once(head, "categories", [each["code"] for each in categories])
    _once(head, "items", [each["code"] for each in items])


def _exemption(head: Fields, body: dict[str, Any]) -> None:
    raw = head.fields("exemption")
    if raw is None:
        return
    exemption: dict[str, Any] = {"path": raw.codes("path")}
    for key in ("effect", "basis"):
        if (text := raw.text(key)) is not None:
            exemption[key] = text
    raw.done()
    body["exemption"] = exemption


def _vetoes(head: Fields, body: dict[str, Any]) -> None:
    vetoes: list[dict[str, Any]] = []
    for raw in head.each("vetoes", "veto"):
        needs = raw.text("needs", needed=True) or ""
        vetoes.append(
            {
                "code": raw.code("code", needed=True) or "?",
                "name_zh": raw.text("name_zh", needed=True) or "?",
                "name_en": raw.text("name_en", needed=True) or "?",
                "needs": [each.strip().replace(" ", "_") for each in needs.split(" + ")],
            }
        )
        raw.done()
    if vetoes:
        body["vetoes"] = vetoes
        _once(head, "vetoes", [each["code"] for each in vetoes])


def _policy(head: Fields, body: dict[str, Any]) -> None:
    raw = head.fields("workflow", to="policy")
    if raw is None:
        return
    policy: dict[str, Any] = {}
    for key in (
        "claim_window_days", "publicity_working_days", "objection_ack_working_days",
        "first_review_days", "second_review_days", "appeal_days", "result_feedback_working_days",
    ):  # fmt: skip
        if (days := raw.integer(key, 1, 3660)) is not None:
            policy[key] = days
    for key, most in (
        ("entry_cutoff_day", 31),
        ("review_day_next_month", 31),
        ("min_reviewers", 15),
    ):
        if (number := raw.integer(key, 1, most)) is not None:
            policy[key] = number
    if (day := raw.matching("annual_report_deadline", DAY, "day of the year")) is not None:
        policy["annual_report_deadline"] = day
    if raw.has("path"):
        policy["path"] = raw.one_of("path", ("full", "short"), "full")
    raw.note(
        "claim_window_basis", "publicity_basis", "objection_ack_basis", "first_review_basis",
        "second_review_basis", "result_feedback_basis", "recusal", "committee_quorum",
    )  # fmt: skip
    raw.done()
    body["policy"] = policy


def _redemption(head: Fields, body: dict[str, Any]) -> None:
    minimum = head.fields("in_service_minimum", to="minimum")
    if minimum is not None:
        found = {
            "hours": minimum.hundredths("hours_per_year"),
            "points": minimum.hundredths("points_per_year"),
        }
        minimum.note("basis")
        minimum.done()
        body["minimum"] = {key: value for key, value in found.items() if value is not None}
    raw = head.fields("redemption")
    if raw is None:
        return
    windows = []
    for window in raw.sequence("windows"):
        first, _, last = str(window).partition("..")
        windows.append({"from": first, "to": last})
    catalogue = []
    for each in raw.each("catalogue", "catalogue"):
        catalogue.append(
            {
                "code": each.code("code", needed=True) or "?",
                "name_zh": each.text("zh")
                or each.text("name_zh", needed=not each.has("zh"))
                or "?",
                "points": each.hundredths("points", needed=True) or 1,
            }
        )
        each.done()
    raw.note("basis", "fund")
    raw.done()
    redemption = {"windows": windows, "catalogue": catalogue}
    body["redemption"] = {key: value for key, value in redemption.items() if value}


def _references(head: Fields, body: dict[str, Any]) -> None:
    """Report names of types and categories that the document does not have."""
    types = {each["code"] for each in body["member_types"]}
    categories = {each["code"] for each in body["categories"]}
    report = head.report
    for number, item in enumerate(body["items"]):
        where: Where = ("items", number)
        line = report.lines.get(where, head.raw.line)
        if item["category"] not in categories:
            reason = f"item {item['code']}: category {item['category']} is none of the categories"
            report.problems.append(Problem(line, "category-unknown", reason))
        for each in item.get("applies_to", ()):
            if each not in types:
                reason = f"item {item['code']}: applies_to {each!r} is none of the member_types"
                report.problems.append(Problem(line, "type-unknown", reason))
    for account in ("merit", "service"):
        for part in ("bases", "category_caps"):
            for each in body.get(account, {}).get(part, ()):
                if each["category"] not in categories:
                    line = report.lines.get((account, part), report.lines.get((account,), 1))
                    reason = f"{account}: category {each['category']} is none of the categories"
                    report.problems.append(Problem(line, "category-unknown", reason))


def _once(head: Fields, key: str, codes: list[str]) -> None:
    for code in sorted({each for each in codes if codes.count(each) > 1}):
        place = len(codes) - 1 - codes[::-1].index(code)
        line = head.report.lines.get((key, place), head.raw.lines.get(key, 1))
        head.report.problems.append(Problem(line, "code-twice", f"{key}: {code} stands twice"))
