"""What the discipline committee asks about one entry, one case, or the people of a unit.

Nothing here judges: it shows who did what when, and what the rules say of them.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from ledger.domain.account import REEXAMINATION
from ledger.domain.dispute import OPEN
from ledger.domain.eligibility import acting
from ledger.domain.relations import related
from ledger.domain.rights import covers, path
from ledger.domain.ruling import had_part
from ledger.domain.way import case_of
from ledger.entry import format_instant
from ledger.errors import FormatError, NotFoundError
from projections import finding
from projections.entries import SCORING
from projections.questions.ground import Answer, Ground
from projections.questions.members import line_of, same_act

DECLARING = ("committee", "group_leader", "secretary", "recorder", "upper")
"""Who has one of these roles decides about others, and declares relations every year (B6)."""
_HEARING = ("discipline", "upper", "committee")


def chain(ground: Ground, *, entry: str) -> Answer:
    """Return an entry's way: each step, who signed it with which roles then, and hours between."""
    member, found = ground.entry(entry)
    line = line_of(ground, member, entry)
    steps: list[Answer] = []
    before: datetime | None = None
    for each in line.steps:
        at = datetime.fromisoformat(each.row.recorded_at)
        hours = None if before is None else round((at - before) / timedelta(hours=1), 2)
        before = at
        row = each.row
        said: Answer = {"statement": row.id, "type": row.type, "log_index": row.log_index}
        said |= {"recorded_at": row.recorded_at, "hours": hours}
        signers = [{"actor": s.actor, "roles": list(s.roles)} for s in each.signers]
        steps.append(said | {"signers": signers})
    return {
        "entry": entry,
        "member": member,
        "state": found.state,
        "reviewers_needed": found.reviewers,
        "unit_above_needed": found.dual,
        "steps": steps,
    }


def corrections(ground: Ground, *, entry: str) -> Answer:
    """Return every correction around an act: the links of its chain, and entries for the same act.

    Those are of the same member, item and day.
    """
    member, found = ground.entry(entry)
    account = ground.account(member).entries
    links, waiting = dict[str, str](), [(entry, "asked")]
    while waiting:
        ident, how = waiting.pop()
        known = account.get(ident)
        if known is None or ident in links:
            continue
        links[ident] = how
        waiting += [(each, "corrects it") for each in known.corrections]
        for other, named in ((known.reverses, "taken back"), (known.reversed_by, "takes it back")):
            if other is not None:
                waiting.append((other, named))
    for each in account.values():
        same = (each.item, each.act_date, each.rulebook)
        if same == (found.item, found.act_date, found.rulebook):
            links.setdefault(each.id, "same act")
    listed = []
    for ident, how in sorted(links.items(), key=lambda each: account[each[0]].claimed_at):
        each = account[ident]
        listed.append(
            {
                "entry": ident,
                "how": how,
                "kind": each.kind,
                "origin": each.origin,
                "item": each.item,
                "act_date": each.act_date,
                "points": each.points,
                "state": each.state,
                "recorded_at": each.claimed_at,
                "reverses": each.reverses,
                "reversed_by": each.reversed_by,
                "other_half": each.counterpart and each.counterpart._asdict(),
                "people": ground.actors(k for step in each.steps for k in step.keyids),
            }
        )
    return {"entry": entry, "member": member, "entries": listed}


def evidence(ground: Ground, *, entry: str) -> Answer:
    """Return an entry's evidence: each commitment, its file's digest, and where else it was used.

    `same_file` counts commitments to the same bytes. Pictures that are only nearly the same have
    other digests: no program here calls two pictures one.
    """
    member, found = ground.entry(entry)
    kept = ground.documents.known(found.evidence)
    kinds: dict[str, str] = {}
    opened: dict[str, list[str]] = defaultdict(list)
    for event in ground.stream(f"member/{member}"):
        body = event.proposal.body
        act = body.get("replacement", body)
        for each in act.get("evidence", ()):
            kinds.setdefault(each["commitment"], each["kind"])
        if body.get("entry") == entry:
            for text in body.get("opened", ()):
                opened[text] += ground.actors(event.proposal.keyids)
    listed = []
    for text in found.evidence:
        known = kept.get(text)
        state = "not kept here" if known is None else "erased" if known.erased_by else "kept"
        digest = known.digest.hex() if known is not None and known.digest is not None else None
        listed.append(
            {
                "commitment": text,
                "kind": kinds.get(text),
                "state": state,
                "media_type": known.kind if known is not None else None,
                "sha256": digest,
                "bytes": known.size if known is not None else None,
                "same_file": known.same if known is not None else 0,
                "same_commitments": list(ground.documents.same(text)) if digest else [],
                "opened_by": sorted(set(opened[text])),
                "document": f"/v1/documents/{text}" if state == "kept" else None,
            }
        )
    return {"entry": entry, "member": member, "evidence": listed}


def relations(ground: Ground, *, unit: str = "root") -> Answer:
    """Return the relations that people of a unit declared, and who declared none this year.

    `late` are steps that a person took for a member before declaring the relation to them: void
    where the entry was not final yet (B6).
    """
    ground.need_unit(unit)
    world, year = ground.world, int(ground.today[:4])
    declared, missed, pairs = [], [], set[tuple[str, str]]()
    for ident in sorted(world.actors):
        actor = world.actors.get(ident)
        assert actor is not None  # noqa: S101 - it is one of those that are there
        roles = sorted({r.role for r in actor.roles if covers(world, unit, r.unit)})
        deciding = [role for role in roles if role in DECLARING]
        if not deciding:
            continue
        if actor.declared != year:
            missed.append({"actor": ident, "roles": deciding, "declared": actor.declared or None})
            continue
        declared.append({"actor": ident, "roles": deciding, "related": sorted(actor.related)})
        pairs |= {(ident, _member_of(ground, each)) for each in actor.related}
    late = []
    for actor_id, member in sorted(pairs):
        if world.members.get(member) is None:
            continue
        for entry in ground.account(member).entries.values():
            steps = [
                {"step": step.name, "recorded_at": step.recorded_at}
                for step in entry.steps
                if actor_id in acting(world, step.keyids)
            ]
            if steps:
                said = {"actor": actor_id, "member": member, "entry": entry.id}
                late.append(said | {"state": entry.state, "steps": steps})
    return {"unit": unit, "year": year, "declared": declared, "missed": missed, "late": late}


def _member_of(ground: Ground, ident: str) -> str:
    return ground.world.linked.get(ident) or ident


def seen(ground: Ground, *, entry: str) -> Answer:
    """Return what a member could see of an entry, and from when on.

    A step can be seen by anybody once a signed checkpoint covers it; a table from its publication.
    """
    member, found = ground.entry(entry)
    line = line_of(ground, member, entry)
    steps = []
    for each in line.steps:
        said = {"what": each.row.type, "log_index": each.row.log_index}
        said |= {"seen_from": each.row.recorded_at, "checkpoint": ground.covering(each.row.id)}
        steps.append(said)
    tables = []
    for shown in line.shown:
        period = ground.world.periods.get(shown.period)
        at = period.steps.get("published") if period is not None else None
        said = {"what": f"table {shown.period}", "counted_in_it": shown.counted}
        tables.append(said | {"seen_from": at and at.recorded_at, "size": shown.as_of})
    own = ground.world.members.get(member)
    return {
        "entry": entry,
        "member": member,
        "own_key": own is not None and own.actor is not None,
        "could_object_until": found.closes,
        "steps": steps,
        "tables": tables,
    }


def may_not_sit(ground: Ground, *, entry: str | None = None, dispute: str | None = None) -> Answer:
    """Return who may not sit on the re-examination of an entry or a dispute, and why; and who may.

    Asked of the rules that would refuse the signature, for everybody with a role to hear cases over
    the unit or one above.
    """
    if (entry is None) == (dispute is None):
        raise FormatError("name an entry or a dispute: one of the two")
    if dispute is not None:
        return _of_case(ground, dispute)
    assert entry is not None  # noqa: S101 - one of the two
    member, found = ground.entry(entry)
    case = case_of(ground.world, member, found, ground.today)
    may, may_not = [], []
    for actor in _people(ground, case.unit):
        wrong = had_part(case, found, actor) or case.upper(actor, REEXAMINATION)
        if wrong is None:
            may.append(actor)
        else:
            may_not.append({"actor": actor, "rule": wrong.rule, "why": wrong.message})
    return {"entry": entry, "unit": case.unit, "may_not": may_not, "may": may}


def _of_case(ground: Ground, dispute: str) -> Answer:
    case = ground.world.disputes.get(dispute)
    if case is None:
        raise NotFoundError(f"no dispute {dispute!r} is recorded: ask for one by its id")
    took: dict[str, list[str]] = defaultdict(list)
    for part in case.parts:
        for actor in acting(ground.world, part.keyids):
            took[actor].append(part.type)
    about = case.ruling.about if case.ruling is not None else None
    may, may_not = [], []
    for actor in _people(ground, case.unit):
        why = [f"took part in the case: {', '.join(took[actor])}"] if actor in took else []
        if about is not None:
            member, found = ground.entry(about.entry)
            at = case_of(ground.world, member, found, ground.today)
            wrong = had_part(at, found, actor)
            why += [wrong.message] if wrong is not None else []
        if why:
            may_not.append({"actor": actor, "rule": "one-step", "why": "; ".join(why)})
        else:
            may.append(actor)
    drawn = {"pool": list(case.pool), "drawn": list(case.drawn)}
    return {"dispute": dispute, "unit": case.unit, "may_not": may_not, "may": may} | drawn


def _people(ground: Ground, unit: str) -> list[str]:
    world = ground.world
    return sorted(
        {
            name
            for at in path(world, unit)
            for role in _HEARING
            for name in world.holders.get(f"{role} {at}") or ()
        }
    )


def pairs(ground: Ground, *, unit: str = "root", least: int = 3, limit: int = 100) -> Answer:
    """Return scorers who had a hand in a member's entries again and again, most often first.

    `share` is how many of the member's entries they had a hand in, in percent; `other_way` how
    often the member, as a scorer, had a hand in entries of the scorer's own.
    """
    world = ground.world
    page = ground.scan(finding.Wanted(unit=unit), finding.PAGE_MAX * 10, None)
    hands: dict[tuple[str, str], list[int]] = {}
    all_of: dict[str, int] = defaultdict(int)
    for each in page.found:
        row = each.entry
        if row.kind == "reversal":
            continue
        all_of[row.member] += 1
        for actor in {hand.actor for hand in each.hands if hand.step in SCORING}:
            known = world.members.get(row.member)
            if known is not None and known.actor != actor:
                sums = hands.setdefault((actor, row.member), [0, 0, 0])
                sums[0] += 1
                sums[1 if row.amount >= 0 else 2] += row.amount
    listed: list[Answer] = []
    for (actor, member), (count, credits_, debits) in hands.items():
        if count < least:
            continue
        known, own = world.members.get(member), world.linked.get(actor)
        back = hands.get((known.actor, own)) if known and known.actor and own else None
        listed.append(
            {
                "scorer": actor,
                "member": member,
                "entries": count,
                "share": round(100 * count / all_of[member]),
                "credits": credits_,
                "debits": debits,
                "related": related(world, actor, member),
                "other_way": back[0] if back is not None else 0,
            }
        )
    listed.sort(key=lambda each: (-each["entries"], each["scorer"], each["member"]))
    return {"unit": unit, "pairs": listed[:limit], "found": len(listed), **page.json()}


def decision(ground: Ground, *, dispute: str) -> Answer:
    """Return a dispute's decision, when it was notified, and the scope of its announcement.

    The decision's text is a commitment in the log; its notice is kept with intake.
    """
    file = ground.views.dispute(dispute, ground.today, ground.wanted)
    case, said = file.standing.case, dict[str, Answer]()
    for event in ground.stream(f"dispute/{dispute}"):
        kind, body = event.proposal.type.partition(".")[2], event.proposal.body
        if kind in ("decided", "reexamined", "declined", "notified", "announced"):
            salted = {name: value for name, value in body.items() if name != "about"}
            said[kind] = {
                "statement": event.proposal.id,
                "recorded_at": event.recorded_at,
                "signers": ground.actors(event.proposal.keyids),
                "body": salted,
            }
    announced = said.get("announced")
    return {
        "dispute": dispute,
        "unit": case.unit,
        "state": case.state,
        "open": case.state in OPEN,
        "outcome": case.outcome,
        "about": {"stream": case.about_stream, "entry": case.about_entry},
        "notices": said,
        "scope": announced["body"].get("scope") if announced is not None else None,
    }


def comparable(ground: Ground, **asked: Any) -> Answer:
    """Return cases of the same kind of act and their outcomes: how each ended, and by whom.

    It takes what `same_act` takes, and raises what that raises.
    `outcomes` counts those shown; a claim that was rejected or withdrawn is among them.
    """
    found = same_act(ground, **asked)
    outcomes: dict[str, int] = defaultdict(int)
    for each in found["entries"]:
        _, known = ground.entry(each["id"])
        steps = known.steps
        each |= {
            "returns": known.returns,
            "objections": known.objections,
            "appealed": known.decided_at is not None,
            "people": ground.actors(key for step in steps for key in step.keyids),
        }
        outcomes["reversed" if each["reversed"] else each["state"]] += 1
    return found | {"outcomes": dict(sorted(outcomes.items()))}


def viewers(ground: Ground, *, member: str, before: int | None = None, limit: int = 100) -> Answer:
    """Return who looked at a member's record with a token of the committee, newest first.

    Nothing else is kept: whoever reads without a token, as anybody may, gives no name. A list of a
    whole unit is no look at one record.
    """
    if ground.world.members.get(member) is None:
        raise NotFoundError(f"no member {member!r} is recorded: ask for one by its id")
    lines = ground.cases.looks(member, before, limit)
    return {
        "of": member,
        "kept": "looks with a committee token; reads without a token leave no name",
        "looks": [
            {
                "number": each.number,
                "actor": each.actor,
                "question": each.question,
                "looked_at": format_instant(each.looked_at),
            }
            for each in lines
        ],
    }


def openings(
    ground: Ground, *, dispute: str | None = None, before: int | None = None, limit: int = 100
) -> Answer:
    """Return who opened confidential cases, when and what for, newest first."""
    lines = ground.cases.accesses(dispute, before, limit)
    return {
        "dispute": dispute,
        "openings": [
            each._asdict() | {"opened_at": format_instant(each.opened_at)} for each in lines
        ],
    }
