"""A deliberate recovery: going on behind what others have seen, by a signed and visible entry.

A ledger that was put back to an older state is refused at start (`start`). Where nothing newer can
be restored, its registrars sign a `ledger.recovered` that says what is given up. It is checked
here before anything is signed, recorded first of all, and only then is the old anchor laid aside:
a crash in between leaves a ledger whose start is refused as before.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ledger import schema
from ledger.domain.decide import decide
from ledger.domain.event import Proposal
from ledger.domain.organisation import RECOVERED
from ledger.entry import Statement, format_instant, parse_envelope
from ledger.errors import MingzhangError, StartRefusedError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import Signer, VerifierKey
from ledger.store.admission import check_signatures
from ledger.store.anchor import AnchorFile
from ledger.store.port import Clock, Store, Witnesses
from ledger.store.start import ask_witnesses, edge_at, start_tip
from ledger.store.tip import Tip

RECOVERING = "recovering"


class Seen(NamedTuple):
    """A checkpoint that others have seen and that this ledger contradicts; `root` if known."""

    where: str
    size: int
    root: bytes | None


def contradictions(
    store: Store,
    anchored: tuple[int, bytes] | None,
    witnesses: Witnesses | None,
    signer: Signer | VerifierKey,
    given_up: int,
) -> list[Seen]:
    """Return what the anchor and the witnesses know that this ledger contradicts."""
    vkey = signer.vkey if isinstance(signer, Signer) else signer
    size, _ = store.head()
    found = []
    if anchored is not None:
        kept = open_checkpoint(anchored[1], vkey)
        if kept.size > size or edge_at(store, kept.size).root() != kept.root:
            found.append(Seen("the anchor", kept.size, kept.root))
    if witnesses is not None:
        found += [
            Seen(f"witness {each.witness}", each.known or 0, None)
            for each in ask_witnesses(store, witnesses, signer)[1]
            if each.contradicts and (each.known or 0) > given_up
        ]
    return found


def check_recovery(
    envelope: bytes,
    store: Store,
    anchored: tuple[int, bytes] | None,
    witnesses: Witnesses | None,
    signer: Signer,
    clock: Clock,
) -> int:
    """Return the size of the history that a signed `ledger.recovered` gives up.

    Raises StartRefusedError unless it says exactly what is seen here and may be recorded.
    """
    statement = _statement(envelope, signer.name)
    tip, _ = start_tip(store, None, signer.vkey)
    _check_rights(statement, tip, clock)
    body = statement.body
    organisation = tip.world.organisation
    before = organisation.given_up if organisation is not None else 0
    recorded = bool(store.find([statement.id]))
    # Where a crash came after it was recorded, the statement itself is what gave them up.
    seen = contradictions(store, anchored, witnesses, signer, 0 if recorded else before)
    if not seen:
        raise StartRefusedError(
            "nothing that others have seen contradicts this ledger: start it without --recovery"
        )
    newest = max(seen, key=lambda each: (each.size, each.root is not None))
    if body["from_size"] != newest.size:
        raise StartRefusedError(
            f"the statement gives up size {body['from_size']}, {newest.where} has seen "
            f"{newest.size}: sign one that says so"
        )
    if newest.root is not None and body["from_root"] != newest.root.hex():
        raise StartRefusedError(
            f"the statement's from_root is not the root that {newest.where} has at size "
            f"{newest.size}: {newest.root.hex()}"
        )
    size, _ = store.head()
    if body["to_size"] != size and not recorded:
        raise StartRefusedError(
            f"the statement goes on from {body['to_size']} entries, here are {size}: sign one that "
            "says so"
        )
    return newest.size


def lay_aside(anchor: Path, given_up: int) -> None:
    """Keep the old anchor as evidence, and put the one of the recovered ledger in its place."""
    if anchor.exists():
        anchor.replace(anchor.with_name(f"{anchor.name}.given-up-{given_up}"))
    recovering_path(anchor).replace(anchor)


def recovering_path(anchor: Path) -> Path:
    """Return where the recovered ledger's anchor is until the statement is recorded."""
    return anchor.with_name(f"{anchor.name}.{RECOVERING}")


def newest_anchored(anchor: Path, vkey: VerifierKey) -> tuple[int, bytes] | None:
    """Return the newest note of an anchor file, None where there is no file.

    Raises StartRefusedError.
    """
    if not anchor.exists():
        return None
    file = AnchorFile(anchor, vkey)
    try:
        return file.newest()
    finally:
        file.close()


def _statement(envelope: bytes, origin: str) -> Statement:
    try:
        statement = parse_envelope(envelope)
        schema.validate(statement.type, statement.body)
    except MingzhangError as error:
        raise StartRefusedError(f"the recovery's statement: {error.message}") from None
    if statement.type != RECOVERED or statement.log != origin:
        raise StartRefusedError(
            f"a recovery needs a {RECOVERED} for {origin}, this is a {statement.type} for "
            f"{statement.log}"
        )
    return statement


def _check_rights(statement: Statement, tip: Tip, clock: Clock) -> None:
    now = max(format_instant(clock.now(), micros=True), tip.recorded_at)
    try:
        decide(tip.world, Proposal.of(statement), now)
        sound = check_signatures(statement, tip.public_key)
    except MingzhangError as error:
        raise StartRefusedError(f"the recovery's statement: {error.message}") from None
    if not sound:
        raise StartRefusedError("the recovery's statement is signed by a key that is not known")
