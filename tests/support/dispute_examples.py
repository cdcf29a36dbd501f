"""A valid body of every statement type of disputes."""

from __future__ import annotations

from typing import Any

from tests.support.organisation import COMMITMENT

STATEMENT = "0198c3a0-0000-7000-8000-000000000000"
WHY = {"reason": COMMITMENT}
EVIDENCE = [{"kind": "photo", "commitment": COMMITMENT}]
ENTRY = {"stream": "member/m-2", "entry": STATEMENT}

EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("dispute.filed", WHY | {"target": ENTRY, "evidence": EVIDENCE}),
    (
        "dispute.received",
        {
            "unit": "east",
            "kind": "entry",
            "filer": COMMITMENT,
            "target": COMMITMENT,
            "anonymous": True,
        },
    ),
    ("dispute.acknowledged", {"receipt": COMMITMENT}),
    ("dispute.accepted", WHY),
    ("dispute.transferred", WHY | {"unit": "root"}),
    ("dispute.declined", WHY),
    ("dispute.checked", WHY | {"step": "preliminary"}),
    ("dispute.evidenced", {"evidence": EVIDENCE}),
    ("dispute.heard", {"held_on": "2026-03-10", "bundle": COMMITMENT}),
    ("dispute.decided", WHY | {"outcome": "reversed", "about": ENTRY | {"salt": "ab" * 32}}),
    (
        "dispute.reexamined",
        WHY | {"outcome": "corrected", "about": {"period": "y", "salt": "ab" * 32}},
    ),
    ("dispute.notified", {"receipt": COMMITMENT}),
    ("dispute.announced", {"scope": "parties", "notice": COMMITMENT}),
    (
        "dispute.appealed",
        {"filer": COMMITMENT, "pool": ["up-1", "up-2"], "stream": "member/m-2"},
    ),
    ("dispute.drawn", {"size": 100, "root": "ab" * 32, "chosen": ["up-1", "up-2"]}),
    ("dispute.withdrawn", WHY),
    ("dispute.continued", WHY),
    ("dispute.lapsed", {"term": "acknowledgement", "due": "2026-03-10"}),
    ("dispute.extended", WHY | {"until": "2026-03-10"}),
]
