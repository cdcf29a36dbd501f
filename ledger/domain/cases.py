"""The types of disputes: one line each (see `Rule`)."""

from __future__ import annotations

from ledger.domain import case_terms, handling, ruling
from ledger.domain.rule import Rule

RULES: dict[str, Rule] = {
    "dispute.filed": Rule("dispute", handling.filed),
    "dispute.received": Rule("dispute", handling.received),
    "dispute.acknowledged": Rule("dispute", handling.acknowledged),
    "dispute.accepted": Rule("dispute", handling.accepted),
    "dispute.transferred": Rule("dispute", handling.transferred),
    "dispute.declined": Rule("dispute", handling.declined),
    "dispute.checked": Rule("dispute", handling.checked),
    "dispute.evidenced": Rule("dispute", handling.evidenced),
    "dispute.heard": Rule("dispute", handling.heard),
    "dispute.decided": Rule("dispute", ruling.decided, ruling.needs),
    "dispute.notified": Rule("dispute", handling.notified),
    "dispute.announced": Rule("dispute", handling.announced),
    "dispute.appealed": Rule("dispute", ruling.appealed, ruling.needs),
    "dispute.drawn": Rule("dispute", ruling.drawn),
    "dispute.reexamined": Rule("dispute", ruling.reexamined, ruling.needs),
    "dispute.withdrawn": Rule("dispute", handling.withdrawn),
    "dispute.continued": Rule("dispute", handling.continued),
    "dispute.lapsed": Rule("dispute", case_terms.lapsed),
    "dispute.extended": Rule("dispute", case_terms.extended),
}
