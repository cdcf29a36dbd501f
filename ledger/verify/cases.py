"""Checks a case on what its parties disclose: the filer's envelope and the target, with salts.

In the log both are commitments, so that nobody can see there whether a handler is the filer, or had
part in the entry that a decision left as it is. Whoever is shown the two openings can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from ledger.canonical import dumps
from ledger.commitment import check_opening
from ledger.domain.account import Account
from ledger.domain.dispute import Dispute
from ledger.domain.eligibility import acting
from ledger.domain.ruling import had_part
from ledger.domain.way import case_of
from ledger.domain.world import World
from ledger.entry import parse_envelope
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log.note import VerifierKey
from ledger.signing import pae, verify
from ledger.verify.checks.finding import Check, Ending
from ledger.verify.checks.finding import Finding as Flag
from ledger.verify.checks.fold import Fold
from ledger.verify.prefix import Prefix, Progress

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


def check_disclosed(
    data: bytes, where: str, vkey: VerifierKey, progress: Progress
) -> tuple[str, list[Finding]]:
    """Check a case on the file that discloses it, in the log at `where`; return its id and faults.

    The file is what `mingzhang dispute open` prints: a JSON object with at least `dispute`,
    `envelope` (text), `target`, and the salts `envelope_salt` and `target_salt` in hex. Raises
    FormatError for another, and what `check_case` and reading the log raise.
    """
    ident, opening = parse_opening(data)
    ending = _Ending()
    with Fold((ending,)) as fold:
        Prefix(where, vkey).fold(fold.apply, progress=progress)
        fold.findings()
        found = ending.found
        assert found is not None  # noqa: S101 - the fold has ended
        kind, _, member = str(opening.target.get("stream", "")).partition("/")
        if kind == "member":
            found.account(member)
        return ident, list(check_case(found.world, ident, opening))


def parse_opening(data: bytes) -> tuple[str, Opening]:
    """Read a file that discloses a case; return the dispute's id with it. Raises FormatError."""
    try:
        given = orjson.loads(data)
        target = given["target"]
        if not isinstance(target, dict) or not all(isinstance(x, str) for x in target.values()):
            raise TypeError("target")
        salts = [bytes.fromhex(given[name]) for name in ("envelope_salt", "target_salt")]
        return given["dispute"], Opening(given["envelope"].encode(), salts[0], target, salts[1])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"the file discloses no case, as `mingzhang dispute open` prints it: {error!r}"
        ) from None


class _Ending(Check):
    """Keeps the end of a log."""

    found: Ending | None = None

    def finish(self, ending: Ending) -> Iterable[Flag]:
        """Keep it."""
        self.found = ending
        return ()


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
