"""A valid body of every statement type of an entry's way."""

from __future__ import annotations

from typing import Any

from tests.support.organisation import COMMITMENT

STATEMENT = "0198c3a0-0000-7000-8000-000000000000"
ENTRY = {"entry": STATEMENT}
WHY = ENTRY | {"reason": COMMITMENT}
ACT = {
    "rulebook": "rules",
    "version": "1.0.0",
    "item": "C-1",
    "quantity": 200,
    "points": 150,
    "act_date": "2026-02-28",
    "activity": "spring",
    "deed": "deed-1",
    "covers": ["2026-01-31", "2026-02-28"],
    "late_reason": COMMITMENT,
    "reason": COMMITMENT,
    "evidence": [{"kind": "signed_slip", "commitment": COMMITMENT}],
}

EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("relation.declared", {"year": 2026, "related": ["m-2", "rec-1"]}),
    ("points.claimed", ACT | {"kind": "debit"}),
    ("points.revised", ACT | ENTRY),
    (
        "points.corrected",
        {
            "reverses": STATEMENT,
            "reason": COMMITMENT,
            "replacement": ACT | {"type": "points.awarded", "erratum": STATEMENT},
            "path": "full",
            "orders": STATEMENT,
            "closes": "2026-03-10",
            "counterpart": {"stream": "member/m-2", "id": STATEMENT},
            "double": {"stream": "member/m-2", "id": STATEMENT},
        },
    ),
    ("points.checked", ENTRY | {"review": "dual", "reviewers": 2, "filled": COMMITMENT}),
    (
        "points.reviewed",
        ENTRY | {"place": "committee", "points": 150, "opened": [COMMITMENT], "filled": COMMITMENT},
    ),
    ("points.published", ENTRY | {"closes": "2026-03-10"}),
    ("points.filed", ENTRY),
    ("points.returned", WHY | {"filled": COMMITMENT}),
    ("points.rejected", WHY | {"filled": COMMITMENT}),
    ("points.withdrawn", WHY | {"objection": True, "rest": 2, "closes": "2026-03-10"}),
    ("points.withdrawn", WHY | {"objection": True, "goes_on": COMMITMENT, "filled": COMMITMENT}),
    ("points.objected", ENTRY | {"filer": COMMITMENT}),
    ("points.acknowledged", ENTRY),
    (
        "points.reconsidered",
        WHY | {"outcome": "upheld", "rest": 2, "closes": "2026-03-10", "filled": COMMITMENT},
    ),
    ("points.appealed", ENTRY | {"filer": COMMITMENT, "leave": COMMITMENT}),
    ("points.reexamined", WHY | {"outcome": "reversed"}),
    ("points.lapsed", ENTRY | {"term": "publicity", "due": "2026-03-10"}),
    ("points.extended", WHY | {"until": "2026-03-10", "vacancy": True}),
]
