"""Decides the way of an entry from claim to filed, with return, revision, rejection, withdrawal.

Each function decides one type. Whether the entry is in a state from which the statement leads on
is read from the table `account.WAY`; who may sign is `eligibility`; what is left here is what the
statement must say. A statement that names an entry names one of its own stream.
"""

from __future__ import annotations

from typing import Any

from ledger.domain import policy
from ledger.domain.account import (
    CHECK,
    CLAIM_STEP,
    CORRECTION,
    CREDIT,
    DEBIT,
    ENDED,
    FINAL,
    IMPORT,
    NOTICE,
    REVERSAL,
    REVIEW,
    UPPER,
    WAY,
    Account,
    PointsEntry,
    move,
    name_of,
)
from ledger.domain.days import days_between
from ledger.domain.deadlines import NOW, working_end
from ledger.domain.eligibility import Case, acting, deciding_unit, refuse
from ledger.domain.event import Proposal
from ledger.domain.member import LEFT
from ledger.domain.points import (
    active,
    covered_once,
    need_late_reason,
    priced_act,
    unit_on,
    worth_now,
)
from ledger.domain.policy import figure
from ledger.domain.rights import signers
from ledger.domain.world import World
from ledger.errors import Refused

SLIP = "signed_slip"
"""Evidence of what the member asked a recorder to claim (B20)."""
PROPOSERS = ("recorder", "group_leader", "committee", "secretary")


def found(world: World, proposal: Proposal, today: str) -> tuple[Account, Case, PointsEntry]:
    """Return the entry that a statement names, in a state from which the statement leads on."""
    account = world.accounts.get(proposal.stream) or Account()
    ident = proposal.stream.partition("/")[2]
    entry = account.entries.get(proposal.body["entry"])
    if entry is None:
        raise Refused("entry-known", f"{proposal.body['entry']} is no entry of member {ident}")
    name = name_of(proposal.type, proposal.body)
    if move(entry, name) is None:
        before = ", ".join(sorted(WAY[name]))
        raise Refused("entry-state", f"the entry is {entry.state}: {name} follows on {before} only")
    return account, case_of(world, ident, entry, today), entry


def case_of(world: World, ident: str, entry: PointsEntry, today: str) -> Case:
    """Return the case of an entry: roles go by the member's unit of the act date (A4)."""
    history = world.histories.get(ident)
    stay = history.on(entry.act_date) if history is not None else None
    member = world.members.get(ident)
    assert member is not None  # noqa: S101 - a stream with entries has its member
    unit = stay.unit if stay is not None else member.unit
    deciding, old = deciding_unit(world, ident, unit, today), world.units.get(unit)
    reform = old.closed if old is not None and deciding != unit else None
    return Case(world, ident, deciding, today, entry, reform)


def _going_on(world: World, case: Case) -> None:
    """Raise Refused for a member who left: what was pending is closed on that date (B17)."""
    member = world.members.get(case.member)
    if member is not None and member.status == LEFT:
        raise Refused("member-state", f"member {case.member} left: its pending entries are closed")


# -- the claim ---------------------------------------------------------------------------------


def claimed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the act is one that the rules price, proposed by who may.

    A credit is claimed by the member, or for the member by a recorder or group leader with the
    signed slip (B20); a debit is proposed by a recorder, group leader, committee member or the
    secretary; whoever scores others here proposes nothing for himself (B5).
    """
    signed = signers(world, proposal)
    active(world, ident)
    body = proposal.body
    kind = body.get("kind", CREDIT)
    priced = priced_act(world, ident, body, kind, today)
    need_late_reason(body, priced.version, today)
    account = world.accounts.get(proposal.stream) or Account()
    covered_once(account, body, None)
    case = Case(world, ident, deciding_unit(world, ident, priced.unit, today), today)
    _proposed(case, signed, kind, body["evidence"])


def _proposed(
    case: Case, signed: tuple[str, ...], kind: str, evidence: list[dict[str, Any]]
) -> None:
    """Raise Refused unless one person proposes who may, and nobody signs beside (A33, B5, B20)."""
    if len(signed) != 1:
        raise Refused("one-claimant", "one person claims: let the others sign the later steps")
    actor = signed[0]
    if actor == case.own:
        if kind == DEBIT:
            raise Refused("debit-proposer", "a debit is proposed by another than the member")
        role = case.scorer()
        if role is not None:
            raise Refused(
                "scorer-apart",
                f"{actor} scores others here as {role}: another group's head or the secretary "
                "proposes such entries, the unit above the secretary's",
            )
        return
    refuse(case.unfit(actor, CLAIM_STEP))
    if case.scorer() is not None:
        refuse(case.stands_in(actor, CLAIM_STEP))
        return
    roles = PROPOSERS if kind != CREDIT else ("recorder", "group_leader")
    wrong = [case.over(actor, role, CLAIM_STEP) for role in roles]
    if all(wrong):
        refuse(wrong[0])
    if kind == CREDIT and SLIP not in {each["kind"] for each in evidence}:
        raise Refused(
            "slip-required", f"who claims for a member adds the signed slip, evidence {SLIP}"
        )


def proposed_correction(case: Case, signed: tuple[str, ...]) -> None:
    """Raise Refused unless the member, or who may propose a debit, asks for a correction (B8)."""
    if signed == (case.own,):
        _proposed(case, signed, CREDIT, [])
    else:
        _proposed(case, signed, REVERSAL, [])


def revised(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless who claimed puts a returned claim right, by the same rules."""
    signed = signers(world, proposal)
    account, case, entry = found(world, proposal, today)
    _going_on(world, case)
    body = proposal.body
    claimants = acting(world, entry.keys_of(CLAIM_STEP))
    if set(signed) - set(claimants):
        raise Refused("claimant", f"{', '.join(claimants)} claimed it and revises it, nobody else")
    if entry.origin == IMPORT or entry.kind == REVERSAL:
        raise Refused("revise-act", "there is no act to revise here: let it end, propose a new one")
    claimed_on = world.today(entry.claimed_at)
    priced = priced_act(world, ident, body, entry.kind, today)
    unit = unit_on(world, ident, body["act_date"])[0]
    if deciding_unit(world, ident, unit, today) != case.unit:
        raise Refused("revise-unit", f"the act was in {priced.unit}: claim it anew there")
    need_late_reason(body, priced.version, claimed_on)
    covered_once(account, body, entry.id)


# -- check and review --------------------------------------------------------------------------


def route(world: World, case: Case, account: Account, entry: PointsEntry) -> tuple[str, int]:
    """Return which review an entry needs, normal or dual, and by how many of the committee (A33).

    Dual: the item says so, the claim was late (A30), or the proposer's entries for the member
    within 30 days add up to more than 10 points (cheat 1).
    """
    version = policy.version_of(world, entry.rulebook, entry.version)
    item = version.items.get(entry.item) if version is not None else None
    claimed_on = world.today(entry.claimed_at)
    late = days_between(entry.act_date, claimed_on) > figure(world, entry, "claim_window_days")
    dual = late or (item is not None and item.review == "dual")
    if not dual:
        dual = proposed_sum(world, account, entry) > policy.DUAL_SUM
    return "dual" if dual else "normal", figure(world, entry, "min_reviewers")


def proposed_sum(world: World, account: Account, entry: PointsEntry) -> int:
    """Return what the entry's proposer proposed for the member in the 30 days up to it."""
    proposers = set(acting(world, entry.keys_of(CLAIM_STEP)))
    day = world.today(entry.claimed_at)
    total = 0
    for other in account.entries.values():
        if other.state in ENDED or (other.origin in (IMPORT, CORRECTION) and other is not entry):
            continue
        if not 0 <= days_between(world.today(other.claimed_at), day) < policy.DUAL_DAYS:
            continue
        if not proposers.isdisjoint(acting(world, other.keys_of(CLAIM_STEP))):
            total += abs(worth_now(world, other))
    return total


def checked(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a group leader checks it and names the right review (A33, B5).

    The check states which review follows and by how many, as the rules have it, so that the log
    says by itself when an entry is fully reviewed.
    """
    del ident
    signed = signers(world, proposal)
    account, case, entry = found(world, proposal, today)
    _going_on(world, case)
    body = proposal.body
    if len(signed) != 1:
        raise Refused("one-checker", "one person does the group check: the others sign later steps")
    refuse(case.checks(signed[0], filled="filled" in body))
    if entry.state != "claimed" and not case.voided(CHECK):
        raise Refused("checked-once", "the group check is done: the committee reviews now")
    review, reviewers = route(world, case, account, entry)
    if (body["review"], body["reviewers"]) != (review, reviewers):
        raise Refused(
            "review-route", f"this entry needs {review} review by {reviewers} of the committee"
        )


def reviewed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless people who may review it sign, who opened all the evidence (A6, A33).

    All sign the same figure for an item with a range; without agreement the entry is returned.
    """
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    _going_on(world, case)
    if len(signed) != len(proposal.keyids):
        # The fold counts signatures, so a second one of a person would fill another's place.
        raise Refused("one-key", "each reviewer signs with one key: people count, never keys (B1)")
    body = proposal.body
    step = REVIEW if body["place"] == "committee" else UPPER
    filled = "filled" in body
    if step == UPPER and not entry.dual:
        raise Refused("review-route", "this entry needs no review by the unit above")
    void = case.voided(CHECK, REVIEW, UPPER)
    if entry.state == "reviewed" and not case.voided(step):
        raise Refused("reviewed-once", "every place is filled: publicity comes next")
    before = set(acting(world, entry.in_round(REVIEW, UPPER)))
    for actor in signed:
        if actor in before:
            raise Refused("reviews-once", f"{actor} reviewed this entry already")
        if step == UPPER:
            refuse(case.upper(actor, step))
        else:
            refuse(case.decides(actor, step, entry.reviewers, filled=filled))
    if set(body["opened"]) != set(entry.evidence):
        raise Refused("evidence-opened", "reviewers open every piece of evidence, and name each")
    _figure(world, ident, entry, body.get("points"), agreed=bool(before - void), today=today)


def _figure(
    world: World, ident: str, entry: PointsEntry, points: int | None, *, agreed: bool, today: str
) -> None:
    """Raise Refused unless the reviewers' figure fits the item and each other (A6)."""
    if entry.kind == REVERSAL:
        if points is not None:
            raise Refused("points-fixed", "a reversal takes no points: leave `points` out")
        return
    act = {
        "rulebook": entry.rulebook,
        "version": entry.version,
        "item": entry.item,
        "act_date": entry.act_date,
        "quantity": entry.quantity,
        "points": points,
        "activity": entry.activity,
        "deed": entry.deed,
        "erratum": entry.erratum,
    }
    if entry.covers:
        act["covers"] = entry.covers
    priced_act(world, ident, act, entry.kind, today)
    if agreed and points != entry.figure:
        raise Refused(
            "reviewers-agree",
            f"the others signed {entry.figure}, this says {points}: agree, or return the entry",
        )


def returned(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless who has the step at hand gives it back, at most twice (B2)."""
    del ident
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    if entry.returns >= policy.RETURNS_MAX:
        raise Refused(
            "returned-twice", "it was returned twice: review it, or reject it with a reason"
        )
    if entry.origin == IMPORT:
        raise Refused("revise-act", "an import is not revised: reject it by a meeting's decision")
    filled = "filled" in proposal.body
    for actor in signed:
        if entry.state == "claimed":
            refuse(case.checks(actor, filled=filled))
        else:
            refuse(case.decides(actor, REVIEW, max(entry.reviewers, 1), filled=filled))


def rejected(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a meeting of the committee rejects it, with a reason (B1)."""
    del ident
    signed = signers(world, proposal)
    _, case, _ = found(world, proposal, today)
    case.need_quorum(signed, REVIEW, filled="filled" in proposal.body)


def withdrawn(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless who claimed takes the claim back before it is final (B8)."""
    del ident
    signed = signers(world, proposal)
    account, case, entry = found(world, proposal, today)
    if {"objection", "closes", "rest", "goes_on"} & proposal.body.keys():
        raise Refused("closes", "a claim is withdrawn without `closes`, `rest` and `goes_on`")
    claimants = acting(world, entry.keys_of(CLAIM_STEP))
    own = case.own if entry.kind == CREDIT else None
    if set(signed) - {*claimants, own}:
        raise Refused("claimant", f"{', '.join(claimants)} claimed it: nobody else withdraws it")
    open_ones = [each for each in entry.corrections if account.entries[each].state not in ENDED]
    if open_ones:
        raise Refused("correction-open", f"{open_ones[0]} corrects it already: let that end")
    if entry.orders is not None:
        raise Refused("ordered", "a decision ordered this correction: it cannot be withdrawn")


# -- publicity and filing ----------------------------------------------------------------------


def closing(world: World, entry: PointsEntry, today: str, days: int | None = None) -> str:
    """Return the last day of a publicity that opens today, of `days` if not whole (A34)."""
    if days is None:
        days = figure(world, entry, "publicity_working_days")
    return working_end(world, NOW, today, days) if days else today


def published(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the secretary or a committee member opens publicity, to the right day.

    Each part that a relation declared since has voided must have been repeated by another (B6).
    """
    del ident
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    _going_on(world, case)
    _by_secretary(case, signed, "committee")
    void = case.voided(CHECK, REVIEW, UPPER)
    lasting = {
        step: [a for a in acting(world, entry.in_round(step)) if a not in void]
        for step in (CHECK, REVIEW, UPPER)
    }
    if (
        not lasting[CHECK]
        or len(lasting[REVIEW]) < entry.reviewers
        or (entry.dual and not lasting[UPPER])
    ):
        raise Refused(
            "part-void",
            f"a relation declared since voids the part of {', '.join(sorted(void))}: another "
            "repeats that step",
        )
    need_closes(proposal.body, closing(world, entry, today))


def need_closes(body: dict[str, Any], closes: str) -> None:
    """Raise Refused unless the statement names the last day of publicity as it is computed."""
    if body["closes"] != closes:
        raise Refused("closes", f"publicity that opens today closes on {closes} (A34)")


def _by_secretary(case: Case, signed: tuple[str, ...], *others: str) -> None:
    for actor in signed:
        wrong = [case.over(actor, role, NOTICE) for role in ("secretary", *others)]
        if all(wrong):
            refuse(wrong[0])


def filed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the secretary files a final entry."""
    del ident
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    assert entry.state == FINAL  # noqa: S101 - the table has no other way to be filed
    _by_secretary(case, signed)
