"""Decides decisions, appeals, the draw and re-examinations of disputes (B9, B18, B19, B22).

A decision is by two people or more of role `discipline` over the case's unit, granted before it was
accepted, who did not receive it. Where it changes an entry it opens the target, so that it is
enforced here that nobody decides who took a step of that entry, is its member, or is declared
related to that member; a decision that leaves all as it is opens nothing, and for it
`ledger.verify.cases` checks the same on a disclosed bundle. Re-examination is by people drawn from
a list that the appeal fixes: all of the unit above who had no part in the case (cheat 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.canonical import dumps
from ledger.commitment import commit
from ledger.domain.account import FILED, FINAL, PENDING, Account, PointsEntry
from ledger.domain.deadlines import natural_end
from ledger.domain.dispute import (
    CORRECTS,
    DISMISSED,
    REVERSES,
    SETTLED,
    Disclosed,
    Dispute,
    Ruling,
)
from ledger.domain.draw import drawn as draw
from ledger.domain.eligibility import Case, acting, refuse
from ledger.domain.event import Proposal
from ledger.domain.handling import DISCIPLINE, INTAKE, PASSES_MAX, above, find
from ledger.domain.policy import DEFAULTS, PEOPLE_MIN
from ledger.domain.rights import covers, holds, holds_at, signers
from ledger.domain.way import case_of
from ledger.domain.witnessing import witnessed_over
from ledger.domain.world import WITNESSES_FROM, World
from ledger.errors import Refused

DRAWN_PEOPLE = 2
CHECKPOINT_ENTRIES_MAX = 1_000
"""Within so many entries after an appeal there is a signed checkpoint: a batch has no more."""


def needs(proposal: Proposal) -> tuple[str, ...]:
    """Name the account of the entry that a decision opens, or has opened before its appeal."""
    about = proposal.body.get("about", proposal.body)
    return (about["stream"],) if "stream" in about else ()


def decided(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless two people without part in the entry decide what was accepted."""
    dispute = find(world, ident, proposal)
    signed = signers(world, proposal)
    if len(signed) < PEOPLE_MIN:
        raise Refused("four-eyes", f"{signed[0]} alone signed: two people must decide")
    received = acting(world, dispute.keys_of("dispute.received"))
    for actor in signed:
        if actor in received:
            raise Refused("received-apart", f"{actor} received the case: another must decide")
        _need_fixed(world, dispute, actor, today)
    _outcome(world, proposal, dispute, signed, today)


def _need_fixed(world: World, dispute: Dispute, actor: str, today: str) -> None:
    """Raise Refused for a role younger than the acceptance: who may decide is fixed by it (B22)."""
    known, opened = world.actors.get(actor), dispute.accepted_at or ""
    passed = dispute.lapses >= PASSES_MAX
    held = [
        role
        for role in (known.roles if known is not None else ())
        if (role.until is None or today <= role.until)
        and (
            (role.role == DISCIPLINE and covers(world, role.unit, dispute.unit))
            or (passed and role.role == "upper" and role.unit in above(world, dispute))
        )
    ]
    if not held:
        raise Refused(
            "needs-discipline", f"{actor} is no discipline over unit {dispute.unit}: one must sign"
        )
    if not any(role.since < opened for role in held):
        raise Refused(
            "role-age", f"{actor} got the role after the case was accepted: it counts later only"
        )


def _outcome(
    world: World, proposal: Proposal, dispute: Dispute, signed: tuple[str, ...], today: str
) -> None:
    body = proposal.body
    outcome, about = body["outcome"], body.get("about")
    if (outcome == DISMISSED) != (about is None):
        raise Refused(
            "about-opened",
            "a decision that changes something opens the target in `about`; one that dismisses "
            "opens nothing",
        )
    if about is None:
        return
    _need_target(dispute, about)
    if dispute.anonymous and not dispute.evidence:
        raise Refused(
            "anonymous-alone", "an anonymous report alone reverses nothing: add evidence to it"
        )
    if "period" in about:
        if outcome == REVERSES:
            raise Refused("outcome", "a ranking is corrected, it is not reversed")
        if world.periods.get(about["period"]) is None:
            raise Refused("period-known", f"period {about['period']} is not opened")
        return
    apart(world, Disclosed(about["stream"], about["entry"]), dispute, signed, today)


def _need_target(dispute: Dispute, about: dict[str, str]) -> None:
    """Raise Refused unless what is opened is what the case was received about."""
    opened = {name: about[name] for name in ("stream", "entry", "period") if name in about}
    if commit(bytes.fromhex(about["salt"]), dumps(opened)) != dispute.target:
        raise Refused("target-opens", "the commitment of `dispute.received` is to another target")


def apart(
    world: World, about: Disclosed, dispute: Dispute, signed: tuple[str, ...], today: str
) -> None:
    """Raise Refused where a person who signs had part in the entry (no self-handling, B6, B19)."""
    account = world.accounts.get(about.stream) or Account()
    entry = account.entries.get(about.entry)
    if entry is None:
        raise Refused("entry-known", f"{about.entry} is no entry of {about.stream}")
    case = case_of(world, about.stream.partition("/")[2], entry, today)
    if not covers(world, dispute.unit, case.unit):
        raise Refused(
            "dispute-unit", f"the entry is of {case.unit}, the case of {dispute.unit}: transfer it"
        )
    for actor in signed:
        refuse(had_part(case, entry, actor))


def had_part(case: Case, entry: PointsEntry, actor: str) -> Refused | None:
    """Return what part a person had in an entry: as its member, a relation, or by a step."""
    wrong = case.unfit(actor, "")
    if wrong is not None:
        return wrong
    corrected = {k for step in entry.steps for k in step.keyids}
    if actor in acting(case.world, corrected):
        return Refused("one-step", f"{actor} took a step of the entry: another must decide")
    return None


# -- appeal and re-examination -------------------------------------------------------------------


def appealed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake records the one appeal in time, with the list to draw from."""
    dispute = find(world, ident, proposal)
    for actor in signers(world, proposal):
        if not holds(world, actor, INTAKE, dispute.unit, today):
            raise Refused("needs-intake", f"{actor} is no intake over unit {dispute.unit}")
    if dispute.reexamined:
        raise Refused("appeal-once", "the case was re-examined: that decision stands")
    assert dispute.ended_at is not None  # noqa: S101 - the table lets ended cases through only
    end = natural_end(world.today(dispute.ended_at), DEFAULTS["appeal_days"])
    if today > end:
        raise Refused("appeal-late", f"the decision could be appealed until {end}, that day too")
    about = dispute.ruling.about if dispute.ruling is not None else None
    stream = about.stream if about is not None else None
    if proposal.body.get("stream") != stream:
        told = "leave it out: the decision opened no entry"
        if stream is not None:
            told = f"it is {stream}, whose entry the decision opened"
        raise Refused("about-opened", f"`stream` is not that of the decision: {told}")
    pool = eligible(world, dispute, today)
    if len(pool) < DRAWN_PEOPLE:
        raise Refused(
            "pool-small",
            f"{len(pool)} of the unit above had no part: let it lend reviewers first (B19)",
        )
    if tuple(proposal.body["pool"]) != pool:
        raise Refused(
            "pool", f"the list is everyone who may re-examine, in order: {', '.join(pool)}"
        )


def eligible(world: World, dispute: Dispute, today: str) -> tuple[str, ...]:
    """Return who may re-examine: of the unit above, without any part in the case so far.

    That is `discipline` or `upper` held at a unit above; at the top also founders (B19).
    """
    units = above(world, dispute)
    named = {
        name
        for role in (DISCIPLINE, "upper")
        for unit in units
        for name in world.holders.get(f"{role} {unit}") or ()
        if holds_at(world, name, role, (unit,), today)
    }
    organisation = world.organisation
    if units == (dispute.unit,) and organisation is not None:
        named |= {n for n in organisation.founders if holds(world, n, "registrar", "root", today)}
    named -= set(acting(world, dispute.keys_of()))
    about = dispute.ruling.about if dispute.ruling is not None else None
    account = world.accounts.get(about.stream) if about is not None else None
    entry = account.entries.get(about.entry) if about is not None and account is not None else None
    if about is not None and entry is not None:
        case = case_of(world, about.stream.partition("/")[2], entry, today)
        named = {name for name in named if had_part(case, entry, name) is None}
    return tuple(sorted(named))


def drawn(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake records what the first checkpoint after the appeal draws.

    Where the log had witnesses at the appeal that is the first witnessed one, else the one of the
    appeal's own receipt. That the root is the log's at that size is for verifiers, who have the
    tree (`verify.draws`).
    """
    dispute = find(world, ident, proposal)
    for actor in signers(world, proposal):
        if not holds(world, actor, INTAKE, dispute.unit, today):
            raise Refused("needs-intake", f"{actor} is no intake over unit {dispute.unit}")
    body = proposal.body
    assert dispute.index is not None  # noqa: S101 - the case is appealed
    first, last = dispute.index + 1, min(world.size, dispute.index + CHECKPOINT_ENTRIES_MAX)
    since = world.positions.get(WITNESSES_FROM)
    if since is not None and since < dispute.index:
        covering = witnessed_over(world, dispute.index)
        if covering is None:
            raise Refused(
                "draw-witnessed", "no witnessed checkpoint covers the appeal yet: wait for one"
            )
        first = last = covering[0]
    if not first <= body["size"] <= last:
        raise Refused(
            "draw-checkpoint",
            f"the first checkpoint after the appeal is of {first}"
            + (f" to {last}" if last > first else ""),
        )
    chosen = draw(bytes.fromhex(body["root"]), ident, dispute.pool, DRAWN_PEOPLE)
    if tuple(body["chosen"]) != chosen:
        raise Refused("draw", f"that checkpoint draws {', '.join(chosen)}")


def reexamined(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless those who were drawn decide, all of them and nobody else (B18)."""
    dispute = find(world, ident, proposal)
    signed = signers(world, proposal)
    if set(signed) != set(dispute.drawn):
        raise Refused("drawn-people", f"{', '.join(dispute.drawn)} were drawn and must sign")
    _outcome(world, proposal, dispute, signed, today)


# -- what a decision orders ----------------------------------------------------------------------


def ordering(world: World, stream: str, entry: str, orders: str) -> Ruling | None:
    """Return the decision that orders a correction of an entry, None where none with effect does.

    One under appeal orders nothing, nor one that a re-examination has replaced.
    """
    named = world.rulings.get(orders)
    dispute = world.disputes.get(named) if named is not None else None
    ruling = dispute.ruling if dispute is not None else None
    if dispute is None or ruling is None or dispute.state not in SETTLED or ruling.id != orders:
        return None
    if ruling.about != (stream, entry) or ruling.outcome not in (REVERSES, CORRECTS):
        return None
    return ruling


def standing_order(
    world: World, stream: str, entry: PointsEntry, account: Account
) -> Ruling | None:
    """Return the decision of a case that a correction must carry out yet, None where none must.

    A correction that is on its way, ordered or walking, is taken for the one that does.
    """
    if entry.state not in (FINAL, FILED) or entry.reversed_by is not None:
        return None
    begun = (account.entries.get(each) for each in entry.corrections)
    if any(each is not None and each.state in PENDING for each in begun):
        return None
    found = (ruling for about, ruling in _orders(world, stream) if about.entry == entry.id)
    return next(found, None)


def ordered_entries(world: World) -> Iterator[Disclosed]:
    """Yield the entries that decisions of cases order to be corrected, carried out or not."""
    for stream in world.cases:
        yield from dict.fromkeys(about for about, _ in _orders(world, stream))


def _orders(world: World, stream: str) -> Iterator[tuple[Disclosed, Ruling]]:
    """Yield which entries of a stream are ordered to be corrected, with the decision of each."""
    for ident in world.cases.get(stream) or ():
        dispute = world.disputes.get(ident)
        ruling = dispute.ruling if dispute is not None else None
        if ruling is None or ruling.about is None:
            continue
        if ordering(world, *ruling.about, ruling.id) is not None:
            yield ruling.about, ruling


def open_case(world: World, stream: str) -> str | None:
    """Return the open case about an entry of a stream that a decision opened, None if none is."""
    for ident in world.cases.get(stream) or ():
        dispute = world.disputes.get(ident)
        if dispute is not None and dispute.open:
            return ident
    return None


def target_bytes(target: dict[str, Any]) -> bytes:
    """Return the bytes that a target is committed to: RFC 8785 JSON of stream and entry, or period.

    Raises FormatError for what cannot be a target.
    """
    return dumps(target)
