"""A valid body of every statement type that frames entries."""

from __future__ import annotations

from typing import Any

from tests.support.chronicle import document, item
from tests.support.organisation import COMMITMENT

STATEMENT = "0198c3a0-0000-7000-8000-000000000000"
DAYS = {"from": "2026-02-01", "until": "2026-03-31"}
DOCUMENT = document("1.0.0", "2026-02-01")

EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("calendar.published", {"year": 2026, "holidays": ["2026-02-17"], "workdays": ["2026-02-14"]}),
    ("rulebook.part", {"unit": "east", "version": "1.0.0", "items": [item("C-9")]}),
    ("rulebook.published", DOCUMENT | {"parts": [STATEMENT]}),
    ("rulebook.drafted", DOCUMENT),
    ("rulebook.revised", DOCUMENT | {"version": "1.1.0", "revises": "1.0.0"}),
    ("rulebook.consulted", {"version": "1.0.0"} | DAYS),
    ("rulebook.piloted", {"version": "1.0.0", "units": ["east"]} | DAYS),
    ("rulebook.extended", {"version": "1.0.0", "until": "2026-04-30", "reason": COMMITMENT}),
    (
        "rulebook.erratum",
        {"version": "1.0.0", "item": "C-1", "field": "points", "value": 200, "reason": COMMITMENT}
        | DAYS,
    ),
    (
        "unit.closed",
        {
            "date": "2026-02-01",
            "into": [{"unit": "west", "members": ["m-1"]}, {"unit": "north", "members": []}],
            "reason": COMMITMENT,
        },
    ),
    ("member.merged", {"into": "m-1", "reason": COMMITMENT}),
    ("member.exempted", {"cause": "illness"} | DAYS),
    ("member.typed", {"member_type": "cadre", "date": "2026-02-01"}),
    (
        "veto.confirmed",
        {
            "rulebook": "rules",
            "version": "1.0.0",
            "veto": "V-1",
            "decided_on": "2026-02-01",
            "documents": ["01" * 32, "02" * 32, "03" * 32],
            "reason": COMMITMENT,
        },
    ),
    ("veto.lifted", {"veto": STATEMENT, "reason": COMMITMENT, "documents": [COMMITMENT]}),
    (
        "points.imported",
        {
            "rulebook": "rules",
            "account": "merit",
            "kind": "credit",
            "points": 8650,
            "period": "2025-01-01",
            "act_date": "2025-12-31",
            "sheet": COMMITMENT,
            "reason": COMMITMENT,
            "closes": "2026-01-12",
        },
    ),
    (
        "period.opened",
        {
            "unit": "east",
            "rulebook": "rules",
            "kind": "quarter",
            "start": "2026-01-01",
            "end": "2026-03-31",
        },
    ),
    ("period.cut_off", {}),
    ("period.published", {"as_of": 100}),
    ("period.closed", {}),
    ("period.sealed", {"as_of": 101}),
    (
        "state.sealed",
        {
            "as_of": 101,
            "tree": "members",
            "period": "q1",
            "unit": "east",
            "rulebook": "rules",
            "count": 8,
            "root": "ab" * 32,
        },
    ),
    ("roster.confirmed", {"unit": "east", "total": 6}),
    ("review.opened", {"held_on": "2027-01-08", "present": ["m-1", "m-2"]}),
    (
        "review.recorded",
        {
            "member": "m-1",
            "sheets": [{"receipt": "01" * 32, "score": 9000}, {"receipt": "02" * 32}],
        },
    ),
    ("review.closed", {"count": 2}),
    (
        "vote.recorded",
        {"grade": "excellent", "seats": 1, "tied": ["m-1", "m-2"], "chosen": ["m-2"]},
    ),
    ("fund.opened", {"unit": "east"}),
    ("fund.endowed", {"points": 1500, "source": "budget", "evidence": []}),
    (
        "fund.redeemed",
        {
            "member": "m-1",
            "rulebook": "rules",
            "points": 400,
            "goods": [{"code": "G1", "count": 2}],
            "evidence": [{"kind": "signed_slip", "commitment": COMMITMENT}],
        },
    ),
    ("fund.reversed", {"reverses": STATEMENT, "reason": COMMITMENT}),
    (
        "audit.queried",
        {
            "query": {"kinds": ["credit"], "rulebook": "rules", "points_min": 100} | DAYS,
            "count": 25,
            "weighting": "amount",
        },
    ),
]
