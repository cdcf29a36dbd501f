"""Checks a case on what its parties disclose: the filer's envelope and the target, with salts.

In the log both are commitments, so that nobody can see there whether a handler is the filer, or had
part in the entry that a decision left as it is. Whoever is shown the two openings can.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ledger.canonical import dumps
from ledger.commitment import check_opening
from ledger.domain.account import Account
from ledger.domain.dispute import Dispute
from ledger.domain.eligibility import acting
from ledger.domain.ruling import had_part
from ledger.domain.way import case_of
from ledger.domain.world import World
from ledger.entry import parse_envelope
from ledger.errors import NotFoundError, ProofError
from ledger.signing import pae, verify

HANDLING = (
    "dispute.accepted",
    "dispute.transferred",
    "dispute.declined",
    "dispute.checked",
    "dispute.heard",
    "dispute.decided",
    "dispute.reexamined",
)
DECIDING = ("dispute.declined", "dispute.decided", "dispute.reexamined")


class Opening(NamedTuple):
    """What a party shows: the envelope that was filed and the target, each with its salt."""

    envelope: bytes
    envelope_salt: bytes
    target: dict[str, Any]
    target_salt: bytes


class Finding(NamedTuple):
    """Something that should not be: the rule's name and what is wrong."""

    rule: str
    reason: str


def check_case(world: World, ident: str, opening: Opening) -> Iterator[Finding]:
    """Yield what is wrong with a case of the log that `world` is the state of.

    The account of the target's stream must be among `world.accounts`. Raises NotFoundError for a
    case that is not in the log, ProofError where the openings are not those of the case or the
    envelope is not signed by its actor.
    """
    dispute = world.disputes.get(ident)
    if dispute is None:
        raise NotFoundError(f"no dispute {ident} is recorded")
    check_opening(dispute.filer, opening.envelope_salt, opening.envelope)
    check_opening(dispute.target, opening.target_salt, dumps(opening.target))
    if not dispute.anonymous:
        yield from _filer(world, dispute, opening)
    if "entry" in opening.target:
        yield from _deciders(world, dispute, opening.target)


def _filer(world: World, dispute: Dispute, opening: Opening) -> Iterator[Finding]:
    statement = parse_envelope(opening.envelope)
    if statement.body.get("target") != opening.target:
        raise ProofError("the filer's envelope is about another target than the case")
    message = pae(statement.payload)
    for each in statement.signatures:
        key = world.keys.get(each.keyid)
        if key is None or key.actor != statement.actor:
            raise ProofError(f"key {each.keyid[:16]}… is not {statement.actor}'s in this log")
        if not verify(key.public_key, message, each.sig):
            raise ProofError(f"the signature by key {each.keyid[:16]}… does not verify")
    if statement.actor in acting(world, dispute.keys_of("dispute.received", *HANDLING)):
        yield Finding("filer-handles", f"{statement.actor} filed the case and handled it")


def _deciders(world: World, dispute: Dispute, target: dict[str, Any]) -> Iterator[Finding]:
    account = world.accounts.get(target["stream"]) or Account()
    entry = account.entries.get(target["entry"])
    if entry is None:
        raise ProofError(f"{target['entry']} is no entry of {target['stream']}")
    member = target["stream"].partition("/")[2]
    case = case_of(world, member, entry, world.today(dispute.received_at))
    for name in acting(world, dispute.keys_of(*DECIDING)):
        wrong = had_part(case, entry, name)
        if wrong is not None:
            yield Finding(wrong.rule, f"{name} decided the case: {wrong.message}")
