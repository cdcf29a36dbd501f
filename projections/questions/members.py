"""What a member asks about the own record: what changed, by which rule, what others got.

Points are signed hundredths; every answer holds for the ground's position.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from ledger.domain.account import ACKNOWLEDGED, OBJECTED, ORDERED, PENDING
from ledger.domain.lapses import due_term
from ledger.domain.redaction import uses
from ledger.domain.texts import commitments
from ledger.errors import FormatError, NotFoundError
from ledger.log import receipt
from ledger.log.checkpoint import parse_body
from ledger.log.note import parse as parse_note
from projections import finding
from projections.asof import parse_as_of
from projections.questions.ground import Answer, Ground
from projections.statements import Line, MemberStatement

ABOUT_VERSION = (
    "rulebook.drafted",
    "rulebook.consulted",
    "rulebook.piloted",
    "rulebook.extended",
    "rulebook.revised",
    "rulebook.published",
)


def changes(ground: Ground, *, member: str, since: str | None = None) -> Answer:
    """Return what of a member's record changed between two positions.

    `since` is a log size or a day; without it the last day of the quarter before.
    """
    now = list(_pages(ground, member, ground.as_of.size))
    earlier = parse_as_of(since if since is not None else _quarter_before(ground.today))
    then = ground.views.position(earlier)
    if then.size > ground.as_of.size:
        raise FormatError(
            f"`since` is size {then.size}, after the answer's own {ground.as_of.size}"
        )
    before: dict[str, Line] = {}
    figures: dict[tuple[str, str], Any] = {}
    try:
        for page in _pages(ground, member, then.size):
            before |= {each.entry.id: each for each in page.lines}
            figures = {(each.rulebook, each.year): each for each in page.figures}
    except NotFoundError:
        pass  # the member was not enrolled then: all of it is new
    moved = []
    for page in now:
        for line in page.lines:
            old = before.get(line.entry.id)
            was, is_now = old and _standing(old), _standing(line)
            if was != is_now:
                said = {"entry": line.entry.id, "log_index": line.entry.log_index}
                said |= {"item": line.entry.item, "names": list(line.names)}
                said |= {"act_date": line.entry.act_date, "worth": line.worth}
                moved.append(said | {"was": was, "now": is_now})
    moved_figures = []
    for each in now[-1].figures:
        old_figure = figures.get((each.rulebook, each.year))
        was, is_now = old_figure and _figure(old_figure), _figure(each)
        if was != is_now:
            named = {"rulebook": each.rulebook, "year": each.year}
            moved_figures.append(named | {"was": was, "now": is_now})
    return {
        "member": member,
        "since": {"size": then.size, "recorded_at": then.recorded_at},
        "entries": moved,
        "figures": moved_figures,
    }


def _pages(ground: Ground, member: str, size: int) -> Iterator[MemberStatement]:
    after = 0
    while True:
        page = ground.views.statement(member, parse_as_of(str(size)), after=after)
        yield page
        if not page.more:
            return
        after = page.lines[-1].entry.seq


def _standing(line: Line) -> Answer:
    return {
        "state": line.entry.state,
        "counted": line.counted,
        "would_count": line.would,
        "reversed_by": line.entry.reversed_by,
    }


def _figure(row: Any) -> Answer:
    return {"daily": row.daily, "annual": row.annual, "service": row.service, "band": row.band}


def _quarter_before(day: str) -> str:
    at = date.fromisoformat(day)
    first = date(at.year, at.month - (at.month - 1) % 3, 1)
    return (first - timedelta(days=1)).isoformat()


def same_act(
    ground: Ground,
    *,
    entry: str | None = None,
    act_type: str | None = None,
    unit: str | None = None,
    limit: int = 100,
    after: int | None = None,
) -> Answer:
    """Return what the same kind of act earned, by everybody: newest first, with what became of it.

    The kind is that of `entry`, or `act_type`; `summary` is of the entries shown, by item.
    """
    if (entry is None) == (act_type is None):
        raise FormatError("name an entry, or a kind of act by `act_type`: one of the two")
    if entry is not None:
        row = ground.row(entry)
        act_type = row.act_type
        if not act_type:
            raise NotFoundError(f"the entry {entry} is of no item: nothing is the same act")
    page = ground.scan(finding.Wanted(act_type=act_type, unit=unit), limit, after)
    sums: dict[tuple[str, str, str], list[int]] = {}
    found = []
    for each in page.found:
        of = each.entry
        if of.kind != "reversal":
            sums.setdefault((of.rulebook, of.version, of.item), []).append(of.amount)
        said = of._asdict()
        found.append({name: said[name] for name in _SHOWN} | {"yours": of.id == entry})
    return {
        "act_type": act_type,
        "summary": [
            {
                "rulebook": name[0],
                "version": name[1],
                "item": name[2],
                "entries": len(amounts),
                "least": min(amounts),
                "most": max(amounts),
            }
            for name, amounts in sorted(sums.items())
        ],
        "entries": found,
        **page.json(),
    }


_SHOWN = (
    "id", "log_index", "member", "unit", "kind", "rulebook", "version", "item", "act_date",
    "amount", "state", "reversed",
)  # fmt: skip


def rule_before_use(ground: Ground, *, entry: str) -> Answer:
    """Return when the version that prices an entry came to be, and whether before it was used."""
    _, found = ground.entry(entry)
    if not found.item:
        raise NotFoundError(f"the entry {entry} is taken over from paper: no item prices it")
    claimed, _ = ground.log.find(entry)
    steps, published = [], None
    in_force, pilot = None, None
    for event in ground.stream(f"rulebook/{found.rulebook}"):
        kind, body = event.proposal.type, event.proposal.body
        if kind not in ABOUT_VERSION or body.get("version") != found.version:
            continue
        on = ground.world.today(event.recorded_at)
        said = {"statement": event.proposal.id, "type": kind, "log_index": event.index}
        steps.append(said | {"recorded_at": event.recorded_at, "on": on})
        if kind == "rulebook.published":
            published, in_force = (event.index, on), body["effective_from"]
        elif kind == "rulebook.piloted" and published is None:
            published, in_force = (event.index, on), body["from"]
            pilot = {"units": body["units"], "from": body["from"], "until": body["until"]}
    return {
        "entry": entry,
        "rulebook": found.rulebook,
        "version": found.version,
        "item": found.item,
        "erratum": found.erratum,
        "act_date": found.act_date,
        "recorded": {"log_index": claimed, "recorded_at": found.claimed_at},
        "steps": steps,
        "in_force_from": in_force,
        "pilot": pilot,
        "published_before_the_act": published is not None and published[1] < found.act_date,
        "published_before_the_entry": published is not None and published[0] < claimed,
        "in_force_on_the_day": in_force is not None and in_force <= found.act_date,
    }


def sealed(ground: Ground, *, entry: str) -> Answer:
    """Return where an entry lies in the sealed log, with the receipt that proves it."""
    member, _ = ground.entry(entry)
    index, _ = ground.log.find(entry)
    data = ground.log.receipt(entry)
    given = receipt.parse(data)
    signed = parse_body(parse_note(given.checkpoint).text)
    line = line_of(ground, member, entry)
    return {
        "entry": entry,
        "member": member,
        "log_index": index,
        "checkpoint": {"log": signed.origin, "size": signed.size, "root": signed.root.hex()},
        "receipt": data.decode(),
        "tables": [each._asdict() for each in line.shown],
    }


def line_of(ground: Ground, member: str, entry: str) -> Line:
    """Return an entry's line of the member's statement."""
    for page in _pages(ground, member, ground.as_of.size):
        for line in page.lines:
            if line.entry.id == entry:
                return line
    raise NotFoundError(f"the entry {entry} is not folded: `mingzhang lag` says why")


def objection(ground: Ground, *, entry: str | None = None, dispute: str | None = None) -> Answer:
    """Return where an objection to an entry stands, or a dispute, and when it is due.

    Of a dispute neither filer nor target is known to the log (B9).
    """
    if (entry is None) == (dispute is None):
        raise FormatError("name an entry that was objected to, or a dispute: one of the two")
    if dispute is not None:
        file = ground.views.dispute(dispute, ground.today, ground.wanted)
        case = file.standing.case
        said: Answer = {
            "dispute": case.id,
            "unit": case.unit,
            "kind": case.kind,
            "state": case.state,
        }
        said |= {"term": file.standing.term, "due": file.standing.due, "outcome": case.outcome}
        steps: list[Answer] = [
            {"type": each.type, "said": each.said, "recorded_at": each.recorded_at}
            for each in file.parts
        ]
        return {**said, "on": ground.today, "steps": steps}
    assert entry is not None  # noqa: S101 - one of the two
    member, found = ground.entry(entry)
    steps = []
    for event in ground.stream(f"member/{member}"):
        proposal = event.proposal
        if proposal.body.get("entry") == entry and proposal.type in _OBJECTION:
            said = {"type": proposal.type, "outcome": proposal.body.get("outcome")}
            said |= {"recorded_at": event.recorded_at, "log_index": event.index}
            steps.append(said | {"signers": ground.actors(proposal.keyids)})
    due = due_term(ground.world, member, found) if found.state in PENDING else None
    return {
        "entry": entry,
        "member": member,
        "objections": found.objections,
        "open": found.state in (OBJECTED, ACKNOWLEDGED, ORDERED),
        "state": found.state,
        "on": ground.today,
        "term": due and due.term,
        "due": due and due.due,
        "steps": steps,
        "replaced_by": found.reversed_by,
    }


_OBJECTION = (
    "points.objected",
    "points.acknowledged",
    "points.reconsidered",
    "points.appealed",
    "points.reexamined",
)


def personal_data(ground: Ground, *, member: str) -> Answer:
    """Return the texts and files behind a member's record: which are kept, which can go, and when.

    The log holds commitments only. `erasable_after` is the last day of the last objection or appeal
    term (B22), null while that is not known.
    """
    account = ground.account(member)
    named: dict[str, str] = {}
    for event in ground.stream(f"member/{member}"):
        for each in commitments(event.proposal.body):
            named.setdefault(each, event.proposal.id)
    kept = ground.documents.known(named)
    texts = []
    for commitment, statement in named.items():
        ends = [
            each.term_ends for each in uses(ground.world, member, account, commitment, ground.today)
        ]
        fixed = [each for each in ends if each is not None]
        document = kept.get(commitment)
        texts.append(
            {
                "commitment": commitment,
                "statement": statement,
                "state": "erased"
                if commitment in account.erased
                else "not kept here"
                if document is None
                else "kept",
                "kind": document.kind if document is not None else None,
                "erasable_after": max(fixed) if fixed and len(fixed) == len(ends) else None,
            }
        )
    return {
        "member": member,
        "on": ground.today,
        "texts": texts,
        "correct": "points.corrected, by the member or for them; of a final entry too (B8, B11)",
        "erase": "text.erased, ordered by a registrar and one of the committee (B22)",
    }
