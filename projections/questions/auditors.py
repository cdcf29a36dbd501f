"""What an auditor asks of all entries: late ones, ones without evidence, reversals, notices.

Entries are looked at newest first, a page at a time: `after` of an answer is where the next goes
on, and `looked_at` how many were looked at. What is listed is something to look at, no verdict.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ledger.domain.account import IMPORT, NOTICE, REVERSAL, PointsEntry
from ledger.domain.closing import is_late, objections_until
from ledger.domain.days import days_between
from ledger.domain.deadlines import working_end
from ledger.domain.eligibility import acting
from ledger.domain.event import Event
from ledger.domain.period import CLOSED, PUBLISHED, SEALED
from ledger.domain.policy import figure, version_of
from ledger.domain.pricing import price
from ledger.domain.relations import related
from ledger.entry import parse_entry
from ledger.errors import NotFoundError, Refused
from ledger.log import receipt
from ledger.log.checkpoint import parse_body
from ledger.log.note import parse
from ledger.state import SEALED as STATE_SEALED
from projections import finding
from projections.entries import EntryRow
from projections.finding import Found
from projections.packed import unpack
from projections.questions.ground import Answer, Ground

DISOWNED_DAYS = 30
"""What a key signed so many days before it was revoked as compromised is looked at again."""


def unevidenced(
    ground: Ground, *, unit: str = "root", limit: int = 100, after: int | None = None
) -> Answer:
    """Return entries that name no evidence, or whose files are not kept here or were erased."""
    page = ground.scan(
        finding.Wanted(unit=unit), finding.PAGE_MAX, after, lambda row, _: row.kind != REVERSAL
    )
    named = {text for each in page.found for text in _entry(each).evidence}
    kept = ground.documents.known(sorted(named))
    listed, last = [], page.after
    for each in page.found:
        evidence = _entry(each).evidence
        lacking = [text for text in evidence if text not in kept]
        erased = [text for text in evidence if text in kept and kept[text].erased_by]
        if not evidence or lacking or erased:
            said = {"no_evidence": not evidence, "not_kept": lacking, "erased": erased}
            listed.append(_shown(each.entry) | said)
        if len(listed) == limit:
            last = each.entry.log_index
            break
    return {"unit": unit, "entries": listed, "looked_at": page.looked, "after": last}


def late(
    ground: Ground, *, unit: str = "root", limit: int = 1000, after: int | None = None
) -> Answer:
    """Return entries that came in later after the act than the rulebook's window, by branch."""
    world = ground.world

    def days_late(row: EntryRow, entry: PointsEntry) -> bool:
        version = version_of(world, row.rulebook, row.version)
        if version is None or row.kind == REVERSAL or row.origin == IMPORT:
            return False
        return is_late(version, row.act_date, world.today(entry.claimed_at))

    page = ground.scan(finding.Wanted(unit=unit), limit, after, days_late)
    listed = []
    for each in page.found:
        days = days_between(each.entry.act_date, each.entry.recorded_on)
        listed.append(_shown(each.entry) | {"days": days, "dual": _entry(each).dual})
    counts = Counter(each.entry.unit for each in page.found)
    by_unit = [{"unit": name, "late": count} for name, count in sorted(counts.items())]
    return {"unit": unit, "by_unit": by_unit, "entries": listed, **page.json()}


def out_of_rule(
    ground: Ground, *, unit: str = "root", limit: int = 100, after: int | None = None
) -> Answer:
    """Return entries whose version was not the one in force for the unit on the act's day.

    Priced again by the function that the ledger admits by; an erratum's right price is named.
    """
    world = ground.world
    why: dict[str, str] = {}

    def wrong(row: EntryRow, _: PointsEntry) -> bool:
        if row.kind == REVERSAL or row.origin == IMPORT:
            return False
        try:
            version = price(world, row.unit, row.act_date, row.rulebook, row.version)
        except Refused as error:
            why[row.id] = error.message
            return True
        if row.item not in version.items:
            why[row.id] = f"version {row.version} has no item {row.item}"
        return row.id in why

    page = ground.scan(finding.Wanted(unit=unit), limit, after, wrong)
    listed = [_shown(each.entry) | {"why": why[each.entry.id]} for each in page.found]
    return {"unit": unit, "entries": listed, **page.json()}


def self_approved(
    ground: Ground, *, unit: str = "root", limit: int = 100, after: int | None = None
) -> Answer:
    """Return entries with a step by the member or by a declared relation of the member's.

    A relation that was declared after the step voided that person's part (B6): `repeated` says
    whether the step was taken by others too.
    """
    parts: dict[str, list[Answer]] = {}

    def conflicted(row: EntryRow, entry: PointsEntry) -> bool:
        known = ground.world.members.get(row.member)
        own = known.actor if known is not None else None
        listed = []
        for step in entry.steps:
            people = acting(ground.world, step.keyids)
            for actor in people:
                self_ = actor == own and step.name not in ("claim", "withdrawal")
                kin = actor != own and related(ground.world, actor, row.member)
                if self_ or kin:
                    others = [
                        name
                        for other in entry.steps
                        if other.name == step.name
                        for name in acting(ground.world, other.keyids)
                        if name != actor and not related(ground.world, name, row.member)
                    ]
                    said = {"actor": actor, "step": step.name, "recorded_at": step.recorded_at}
                    said |= {"why": "own entry" if self_ else "declared relation"}
                    listed.append(said | {"repeated": len(set(others)) >= entry.reviewers})
        if listed:
            parts[row.id] = listed
        return bool(listed)

    page = ground.scan(finding.Wanted(unit=unit), limit, after, conflicted)
    found = [_shown(each.entry) | {"parts": parts[each.entry.id]} for each in page.found]
    return {"unit": unit, "entries": found, **page.json()}


def reversals(
    ground: Ground, *, unit: str = "root", limit: int = 100, after: int | None = None
) -> Answer:
    """Return every correction: what it takes back and puts in its place, by whom, and why.

    A reason stands in the log as a commitment; `reason_kept` says whether its text is kept here.
    """
    page = ground.scan(
        finding.Wanted(unit=unit, origin="correction"), limit, after, lambda *_: True
    )
    bodies = {each.entry.id: ground.body(each.entry.id) for each in page.found}
    kept = ground.documents.known(body["reason"] for body in bodies.values())
    listed = []
    for each in page.found:
        entry, body = _entry(each), bodies[each.entry.id]
        taken = ground.row(entry.reverses) if entry.reverses else None
        people = [hand._asdict() for hand in each.hands]
        reason = kept.get(body["reason"])
        listed.append(
            _shown(each.entry)
            | {
                "reverses": taken and _shown(taken),
                "replaced": "replacement" in body,
                "half": entry.counterpart and entry.counterpart._asdict(),
                "ordered_by": entry.orders,
                "reason": body["reason"],
                "reason_kept": reason is not None and reason.erased_by is None,
                "people": people,
            }
        )
    return {"unit": unit, "reversals": listed, **page.json()}


def publicity(
    ground: Ground, *, unit: str = "root", limit: int = 1000, after: int | None = None
) -> Answer:
    """Return each notice with its days: those of entries, newest first, and of tables.

    `must_stand_until` is reckoned again from calendar and rulebook (A34); `short` is what ended
    before it.
    """
    world = ground.world
    page = ground.scan(
        finding.Wanted(unit=unit), limit, after, lambda _, entry: entry.closes is not None
    )
    notices = []
    for each in page.found:
        entry = _entry(each)
        opened = _opened(entry)
        last = entry.closes or ""
        # An objection stops a notice: what was left of it runs on later, so it is not reckoned.
        whole = entry.rest is None
        if whole:
            days = figure(world, entry, "publicity_working_days")
            last = working_end(world, opened, world.today(opened), days)
        ended = world.today(entry.final_at) if entry.final_at is not None else None
        notices.append(
            _shown(each.entry)
            | {
                "opened_on": world.today(opened),
                "closes": entry.closes,
                "must_stand_until": last,
                "whole": whole,
                "ended_on": ended,
                "short": (entry.closes or "") < last or (ended is not None and ended <= last),
            }
        )
    return {
        "unit": unit,
        "short": sum(each["short"] for each in notices),
        "entries": notices,
        "tables": list(_tables(ground, unit)),
        **page.json(),
    }


def _opened(entry: PointsEntry) -> str:
    """Return when the newest publicity was opened: the filing that may follow is a notice too."""
    opened = [each.recorded_at for each in entry.steps if each.name == NOTICE]
    if entry.filed:
        del opened[-1]
    return opened[-1] if opened else entry.claimed_at


def _tables(ground: Ground, unit: str) -> list[Answer]:
    world, found = ground.world, []
    covered = set(_covered(ground, unit))
    for ident in sorted(world.periods):
        period = world.periods.get(ident)
        if period is None or period.unit not in covered or PUBLISHED not in period.steps:
            continue
        until, closed = objections_until(world, period), period.steps.get(CLOSED)
        closed_on = world.today(closed.recorded_at) if closed is not None else None
        found.append(
            {
                "period": ident,
                "unit": period.unit,
                "published_on": world.today(period.steps[PUBLISHED].recorded_at),
                "must_stand_until": until,
                "closed_on": closed_on,
                "short": closed_on is not None and closed_on <= until,
            }
        )
    return found


def _covered(ground: Ground, unit: str) -> list[str]:
    ground.need_unit(unit)
    found = [unit]
    for at in found:
        found += [
            each
            for each in sorted(ground.world.units)
            if (known := ground.world.units.get(each)) is not None
            and known.parent == at
            and each not in found
        ]
    return found


def revoked_keys(ground: Ground) -> Answer:
    """Return every revoked key, what it signed after that (nothing, or a fault), and just before.

    What a key signed in its last days counts among those to look at where it was compromised.
    """
    world = ground.world
    revoked: dict[str, Event] = {}
    for index, data in ground.log.typed(["key.revoked"]):
        event = Event.of(parse_entry(data), index)
        revoked[event.proposal.body["keyid"]] = event
    uses = ground.views.signed_by(sorted(revoked), ground.wanted)
    listed = []
    for keyid, event in revoked.items():
        key = world.keys.get(keyid)
        mine = uses.get(keyid, [])
        late_ = [ident for ident, index, _ in mine if index > event.index]
        cause = event.proposal.body["cause"]
        looked = [
            ident
            for ident, index, at in mine
            if cause == "compromised"
            and index < event.index
            and days_between(world.today(at), world.today(event.recorded_at)) <= DISOWNED_DAYS
        ]
        listed.append(
            {
                "keyid": keyid,
                "actor": key.actor if key is not None else None,
                "cause": cause,
                "revoked": {"log_index": event.index, "recorded_at": event.recorded_at},
                "signed_steps": len(mine),
                "signed_after": late_,
                "to_look_at": looked,
            }
        )
    return {"revoked": listed, "signed_after": sum(len(each["signed_after"]) for each in listed)}


def published(ground: Ground, *, period: str | None = None) -> Answer:
    """Return what was published or sealed of periods, and whether the log gives the same again.

    The state trees are computed again as of each size; `equal` is null where no root was sealed
    (`state.sealed`), so that there is nothing to compare.
    """
    world = ground.world
    if period is not None and world.periods.get(period) is None:
        raise NotFoundError(f"no period {period!r} is opened: ask for one by its id")
    roots: dict[tuple[str, int, str], tuple[str, int]] = {}
    for index, data in ground.log.typed([STATE_SEALED]):
        body = Event.of(parse_entry(data), index).proposal.body
        roots[body["period"], body["as_of"], body["tree"]] = (body["root"], index)
    listed = []
    for ident in [period] if period is not None else sorted(world.periods):
        known = world.periods.get(ident)
        assert known is not None  # noqa: S101 - it is one of those that are there
        for step in (PUBLISHED, SEALED):
            at = known.steps.get(step)
            if at is None or at.as_of is None:
                continue
            state = ground.views.state(ident, at.as_of)
            for tree in ("members", "ranking"):
                said = state.body(tree)
                sealed_root = roots.get((ident, at.as_of, tree))
                listed.append(
                    {
                        "period": ident,
                        "unit": known.unit,
                        "step": step,
                        "as_of": at.as_of,
                        "tree": tree,
                        "count": said["count"],
                        "root": said["root"],
                        "sealed_root": sealed_root and sealed_root[0],
                        "sealed_at": sealed_root and sealed_root[1],
                        "equal": None if sealed_root is None else sealed_root[0] == said["root"],
                    }
                )
    return {"tables": listed}


def samples(ground: Ground) -> Answer:
    """Return the queries that auditors recorded before they drew a sample, with the seed of each.

    The seed is the root of the first checkpoint after the query, which its receipt carries: whoever
    draws from it gets the same working paper (`mingzhang audit sample`).
    """
    listed = []
    for index, data in ground.log.typed(["audit.queried"]):
        event = Event.of(parse_entry(data), index)
        note = parse_body(
            parse(receipt.parse(ground.log.receipt(event.proposal.id)).checkpoint).text
        )
        listed.append(
            {
                "statement": event.proposal.id,
                "log_index": index,
                "recorded_at": event.recorded_at,
                "auditor": event.proposal.actor,
                "unit": event.proposal.stream.partition("/")[2],
                "query": event.proposal.body,
                "seed": {"size": note.size, "root": note.root.hex()},
            }
        )
    return {"queries": listed}


def _entry(found: Found) -> PointsEntry:
    return unpack(found.entry.packed)


_FIELDS = (
    "id", "log_index", "member", "unit", "kind", "origin", "rulebook", "version", "item",
    "act_date", "recorded_on", "state", "amount",
)  # fmt: skip


def _shown(row: EntryRow) -> Answer:
    said: dict[str, Any] = row._asdict()
    return {name: said[name] for name in _FIELDS}
