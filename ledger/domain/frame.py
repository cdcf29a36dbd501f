"""The types that frame entries: rulebooks, calendar, periods, funds, imports, standing, audits.

One line a statement type: the kind of its stream, the rule that decides it, and which accounts the
rule reads beside the world.
"""

from __future__ import annotations

from ledger.domain import (
    auditing,
    closing,
    deadlines,
    duplicates,
    imports,
    lifecycle,
    redeeming,
    reform,
    review,
    standing,
    vetoes,
)
from ledger.domain.period import ROSTER
from ledger.domain.rule import Rule, own

RULES: dict[str, Rule] = {
    "calendar.published": Rule("unit", deadlines.decide),
    "rulebook.part": Rule("rulebook", lifecycle.part),
    "rulebook.drafted": Rule("rulebook", lifecycle.drafted),
    "rulebook.consulted": Rule("rulebook", lifecycle.consulted),
    "rulebook.piloted": Rule("rulebook", lifecycle.piloted),
    "rulebook.extended": Rule("rulebook", lifecycle.extended),
    "rulebook.revised": Rule("rulebook", lifecycle.revised),
    "rulebook.published": Rule("rulebook", lifecycle.published),
    "rulebook.erratum": Rule("rulebook", lifecycle.erratum),
    "unit.closed": Rule("unit", reform.closed),
    "member.merged": Rule("member", duplicates.merged),
    "member.exempted": Rule("member", standing.exempted),
    "member.typed": Rule("member", standing.typed, standing.needs),
    "veto.confirmed": Rule("member", vetoes.confirmed),
    "veto.lifted": Rule("member", vetoes.lifted),
    "points.imported": Rule("member", imports.decide, own),
    "period.opened": Rule("period", closing.opened),
    "period.cut_off": Rule("period", closing.cut_off),
    "period.published": Rule("period", closing.published),
    "period.closed": Rule("period", closing.closed),
    "period.sealed": Rule("period", closing.sealed),
    "state.sealed": Rule("period", closing.committed),
    ROSTER: Rule("period", closing.rostered),
    "review.opened": Rule("period", review.opened),
    "review.recorded": Rule("period", review.recorded),
    "review.closed": Rule("period", review.closed),
    "vote.recorded": Rule("period", review.voted),
    "fund.opened": Rule("fund", redeeming.opened),
    "fund.endowed": Rule("fund", redeeming.endowed),
    "fund.redeemed": Rule("fund", redeeming.redeemed, redeeming.needs),
    "fund.reversed": Rule("fund", redeeming.taken_back),
    auditing.QUERIED: Rule("unit", auditing.queried),
}
