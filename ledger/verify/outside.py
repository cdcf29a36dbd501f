"""What people outside hold about a log, made ready for its checks (cheats 8 to 11).

Cosignatures and timestamps say when the log was seen (`sightings`); deposits and signed refusals
name statements that were handed in, which are sought in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ledger.domain.event import Event
from ledger.domain.world import World
from ledger.entry import format_instant, parse_instant
from ledger.errors import ProofError
from ledger.log.deposit import Deposit
from ledger.log.deposit import verify as verify_deposit
from ledger.log.policy import Policy
from ledger.log.timestamp import Trust
from ledger.refusal import parse as parse_refusal
from ledger.refusal import verify_refusal
from ledger.verify.checks.catalogue import Outside
from ledger.verify.prefix import Prefix
from ledger.verify.sightings import Sightings, gather

ANSWER_HOURS = 24
"""A statement that was deposited so long before the log was last seen should be in it."""
SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an auditor was given: whom to believe, and files that people kept."""

    policy: Policy | None = None
    trust: Trust | None = None
    deposits: Sequence[bytes] = ()
    refusals: Sequence[bytes] = ()


def look_outside(prefix: Prefix, given: Evidence) -> tuple[Outside, Sightings]:
    """Check everything that was given, and seek in the log what was handed in.

    Raises ProofError or FormatError for a deposit or refusal that does not hold or is of another
    log; what the log itself carries and does not hold is told as a finding.
    """
    origin = prefix.newest.origin
    keys = given.policy.keys if given.policy is not None else ()
    deposits = [verify_deposit(each, keys) for each in given.deposits]
    refusals = [each.removesuffix(b"\n") for each in given.refusals]
    parsed = [parse_refusal(each) for each in refusals]
    if parsed:
        services = _services(prefix)
        for data, refusal in zip(refusals, parsed, strict=True):
            if refusal.keyid not in services:
                raise ProofError(
                    f"the refusal is signed by key {refusal.keyid[:16]}…, which was never a "
                    "service's key in this log"
                )
            verify_refusal(data, services[refusal.keyid])
    named = [(each.log, each.statement) for each in deposits]
    named += [(each.log, each.statement) for each in parsed]
    for log, _ in named:
        if log != origin:
            raise ProofError(f"it is about the log {log}, not about {origin}")
    wanted = {statement for _, statement in named}
    found = gather(prefix, given.policy, given.trust, wanted)
    last = prefix.newest.size - 1
    unanswered = [
        (
            last,
            (
                f"the statement {each.statement[:16]}… was refused at {each.refused_at} by the "
                f"rule {each.rule}, signed by the service, and is not in the log"
            ),
        )
        for each in parsed
        if each.statement not in found.recorded
    ]
    unanswered += [
        (last, reason)
        for each in deposits
        if each.statement not in found.recorded
        for reason in _missing(each, found)
    ]
    if given.policy is None and given.trust is None:
        return Outside(unanswered=tuple(unanswered)), found

    def first_over(index: int) -> tuple[int, bytes] | None:
        first = found.first_over(index)
        return (first.size, first.root) if first is not None else None

    return Outside(found.seen, first_over, found.wrong, tuple(unanswered)), found


def _missing(deposit: Deposit, found: Sightings) -> list[str]:
    """Return why a deposited statement should be in the log by now; nothing if it need not be."""
    at = datetime.fromtimestamp(deposit.time, UTC)
    newest = max((each.at for each in found.found), default="")
    if not newest or parse_instant(newest, micros=True) - at < timedelta(hours=ANSWER_HOURS):
        return []
    reason = (
        f"the statement {deposit.statement[:16]}… lay with {deposit.witness} at "
        f"{format_instant(at)}; the log as seen at {newest[:19]}Z does not hold it"
    )
    return [reason]


def _services(prefix: Prefix) -> dict[str, bytes]:
    """Return the keys, by id, of everyone who ever was the log's service actor."""
    world, named = World(), set()

    def see(event: Event) -> None:
        if event.proposal.type.partition(".")[0] in ("ledger", "key", "role", "unit"):
            world.evolve(event)
            if event.proposal.type == "role.granted" and event.proposal.body["role"] == SERVICE:
                named.add(event.proposal.stream.partition("/")[2])

    prefix.fold(see)
    found: dict[str, bytes] = {}
    for actor in named:
        known = world.actors.get(actor)
        found |= {ident: key.public_key for ident, key in (known.keys if known else ())}
    return found
