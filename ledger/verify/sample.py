"""An auditor's sample as a working paper, and its recomputation by another auditor (cheat 11).

    audit.queried ──▶ recorded at index i ──▶ the first witnessed checkpoint that covers i ──▶ seed

The query and the entries that it is about, those before i, are fixed before the seed exists. Which
checkpoint is the first witnessed one the log says (`checkpoint.witnessed`), so nobody can choose.
In a log that had no witnesses at i it is the first signed one: the receipt of the recorded query
carries exactly that, by size, and the same statement always gets the same one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger import canonical
from ledger.domain.account import CREDIT, DEBIT, DIRECT, IMPORT, INTAKE, PointsEntry
from ledger.domain.auditing import QUERIED
from ledger.domain.days import days_between
from ledger.domain.event import Event, Proposal
from ledger.domain.points import worth_now
from ledger.domain.policy import figure, version_of
from ledger.domain.pricing import path_on
from ledger.domain.way import case_of
from ledger.domain.world import World
from ledger.entry import Entry, parse_entry
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy
from ledger.verify import draw
from ledger.verify.checks.finding import Check, Ending, Finding, Moment
from ledger.verify.checks.fold import Fold
from ledger.verify.prefix import Prefix, Progress
from ledger.verify.sightings import first_witnessed, judged_lines

FORMAT = "mingzhang.working-paper.v1"

RISKS = {
    "late": 3,
    "corrected": 3,
    "short_path": 2,
    "import": 2,
    "no_evidence": 2,
    "debit": 1,
    "disputed": 1,
}
"""What each risk adds to an entry's weight of 1, under the weighting `risk`."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a working paper says of itself, apart from what is recomputed."""

    title: str
    index_number: str
    preparer: str
    reviewer: str
    procedure: str


class Candidate(NamedTuple):
    """An entry that the query is about: its log index, member, and weight in the draw."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    member: str
    entry: PointsEntry
    worth: int
    weight: int
    risks: tuple[str, ...]


def working_paper(
    where: str,
    vkey: VerifierKey,
    index: int,
    seal: bytes,
    heading: Heading,
    progress: Progress,
    policy: Policy | None = None,
) -> dict[str, Any]:
    """Draw the sample of the query recorded at `index`, and return its working paper.

    `seal` is the signed note of the first checkpoint that covers the query, for a log without
    witnesses; with `policy` a witnessed one must meet its quorum. Raises ProofError where the
    checkpoint does not cover the query or is not of this log, NotFoundError while no witnessed one
    covers it, FormatError where the entry at `index` is no query.
    """
    prefix = Prefix(where, vkey)
    head, seal = _seal(prefix, index, seal, policy)
    query = _query(prefix, index)
    found = _candidates(prefix, index, query, head, progress)
    seed, body = draw.seed_of(head), query.statement.body
    count = body["count"]
    if body["weighting"] == "none":
        drawn = draw.plain(seed, [each.index for each in found], count)
    else:
        drawn = draw.weighted(seed, [(each.index, each.weight) for each in found], count)
    by_index = {each.index: each for each in found}
    return {
        "format": FORMAT,
        "title": heading.title,
        "index_number": heading.index_number,
        "preparer": heading.preparer,
        "reviewer": heading.reviewer,
        "procedure": heading.procedure,
        "query": {
            "index": index,
            "statement": query.statement.id,
            "unit": query.stream.partition("/")[2],
            "auditor": query.statement.actor,
            "recorded_at": query.recorded_at,
            **body,
        },
        # A note is text of several lines, which canonical JSON has no place for.
        "log_head": seal.decode().split("\n"),
        "seed": seed.hex(),
        "population": {"entries": len(found), "weight": sum(each.weight for each in found)},
        "result": [_row(by_index[each]) for each in drawn],
    }


def _seal(
    prefix: Prefix, index: int, seal: bytes, policy: Policy | None
) -> tuple[Checkpoint, bytes]:
    """Return the checkpoint that gives the seed, and the note of it that goes into the paper."""
    had_witnesses, first = first_witnessed(prefix, index)
    if not had_witnesses:
        head = open_checkpoint(seal, prefix.vkey) if prefix.vkey is not None else prefix.newest
        if head.size <= index:
            raise ProofError(
                f"the checkpoint is of size {head.size}, before the query at index {index}: the "
                "seed must come after it"
            )
        return head, seal
    if first is None:
        raise NotFoundError(
            f"no witnessed checkpoint covers the query at index {index} yet: draw later"
        )
    head = Checkpoint(prefix.newest.origin, first.size, first.root)
    if policy is not None and not judged_lines(policy, head, first.lines).met:
        raise ProofError(
            f"the checkpoint of size {head.size}, which gives the seed, lacks the policy's quorum"
        )
    return head, "\n".join((head.body(), *first.lines, "")).encode()


def check_paper(
    data: bytes, where: str, vkey: VerifierKey, progress: Progress, policy: Policy | None = None
) -> dict[str, Any]:
    """Recompute a working paper from the log alone and return it.

    Raises FormatError if it is none, ProofError naming the first part that the log does not give.
    """
    paper = canonical.loads(data.removesuffix(b"\n"))
    if not isinstance(paper, dict) or paper.get("format") != FORMAT:
        raise FormatError(f"it is no working paper of the form {FORMAT}")
    try:
        heading = Heading(*(str(paper[name]) for name in Heading.__dataclass_fields__))
        index = int(paper["query"]["index"])
        seal = "\n".join(paper["log_head"]).encode()
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"the working paper lacks a part: {error!r}") from None
    note.parse(seal)
    again = working_paper(where, vkey, index, seal, heading, progress, policy)
    for name in again:
        if paper.get(name) != again[name]:
            raise ProofError(
                f"the working paper's {name} is not what the log gives: {_short(paper.get(name))} "
                f"there, {_short(again[name])} here"
            )
    if paper.keys() != again.keys():
        raise FormatError("the working paper has parts that none has")
    return again


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def _query(prefix: Prefix, index: int) -> Entry:
    if index >= prefix.newest.size:
        raise FormatError(f"the log of {prefix.newest.size} entries has none at index {index}")
    entry = parse_entry(prefix.entry(index))
    if entry.statement.type != QUERIED:
        raise FormatError(
            f"entry {index} is a {entry.statement.type}: record an {QUERIED} first, then draw"
        )
    return entry


def _candidates(
    prefix: Prefix, index: int, query: Entry, head: Checkpoint, progress: Progress
) -> list[Candidate]:
    population = _Population(query)
    with Fold((population,)) as fold:

        def up_to_the_query(event: Event) -> None:
            if event.index < index:
                fold.apply(event)
            elif event.index == index and event.proposal != Proposal.of(query.statement):
                raise ProofError(f"{prefix.where} gives two answers for entry {index}")

        prefix.fold(up_to_the_query, proving=head, progress=progress)
        fold.findings()
    return population.found


class _Population(Check):
    """Collects the entries that a query is about, as they stand before it."""

    def __init__(self, query: Entry) -> None:
        self._unit = query.stream.partition("/")[2]
        self._query: dict[str, Any] = query.statement.body["query"]
        self._weighting = query.statement.body["weighting"]
        self._came_in: dict[str, dict[str, int]] = defaultdict(dict)
        self.found: list[Candidate] = []

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note where each entry came in."""
        if moment.before is None and moment.after is not None:
            self._came_in[moment.member][moment.after.id] = moment.event.index
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Weigh what the query is about."""
        for member, came_in in self._came_in.items():
            account = ending.account(member)
            for entry in account.entries.values():
                worth = worth_now(ending.world, entry)
                if self._asks_for(ending.world, member, entry, abs(worth)):
                    risks = tuple(_risks(ending.world, entry))
                    weight = {"none": 1, "amount": abs(worth)}.get(
                        self._weighting, 1 + sum(RISKS[name] for name in risks)
                    )
                    index = came_in[entry.id]
                    self.found.append(Candidate(index, member, entry, worth, weight, risks))
        self.found.sort(key=lambda each: each.index)
        return ()

    def _asks_for(self, world: World, member: str, entry: PointsEntry, amount: int) -> bool:
        query = self._query
        version = version_of(world, entry.rulebook, entry.version)
        item = version.items.get(entry.item) if version is not None else None
        unit = case_of(world, member, entry, "").unit
        return (
            entry.kind in query.get("kinds", (CREDIT, DEBIT))
            and self._unit in path_on(world, unit, entry.act_date)
            and query.get("rulebook", entry.rulebook) == entry.rulebook
            and query.get("item", entry.item) == entry.item
            and ("act_type" not in query or (item and item.act_type) == query["act_type"])
            and query.get("from", "") <= entry.act_date <= query.get("until", "~")
            and amount >= query.get("points_min", 0)
        )


def _risks(world: World, entry: PointsEntry) -> Iterator[str]:
    claimed_on = world.today(entry.claimed_at)
    if days_between(entry.act_date, claimed_on) > figure(world, entry, "claim_window_days"):
        yield "late"
    if entry.corrections:
        yield "corrected"
    if entry.origin == DIRECT:
        yield "short_path"
    if entry.origin == IMPORT:
        yield "import"
    if not entry.evidence and entry.origin != IMPORT:
        yield "no_evidence"
    if entry.kind == DEBIT:
        yield "debit"
    if any(step.name == INTAKE for step in entry.steps):
        yield "disputed"


def _row(drawn: Candidate) -> dict[str, Any]:
    entry = drawn.entry
    return {
        "index": drawn.index,
        "statement": entry.id,
        "member": drawn.member,
        "kind": entry.kind,
        "rulebook": entry.rulebook,
        "version": entry.version,
        "item": entry.item,
        "act_date": entry.act_date,
        "points": drawn.worth,
        "state": entry.state,
        "weight": drawn.weight,
        "risks": list(drawn.risks),
    }
