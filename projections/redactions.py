"""Erasures: which text or file was erased, by whom, and why; the entry itself stays (B22)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import psycopg

from ledger.domain.decide import FOUNDED
from ledger.domain.event import Event
from ledger.domain.texts import ERASED as KIND
from ledger.signing import decode_base64, keyid
from projections.columns import Id, Note
from projections.dossier import KEY, KeyRow
from projections.fold import AsOf, Need, ReadModel, Rows, Table
from projections.sql import query


class ErasedRow(NamedTuple):
    """An erasure: the statement that ordered it, and who signed that."""

    id: Id
    log_index: Annotated[int, Note("Place in the log, from 0.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]
    stream: Annotated[str, Note("What it was about, such as member/m-1 or dispute/d-1.")]
    commitment: Annotated[str, Note("Commitment to the text or file that was erased, hex.")]
    cause: Annotated[str, Note("request, expired, mistaken or law.")]
    actors: Annotated[str, Note("Who signed the order, with spaces between.")]


ERASED = Table("erased", ErasedRow)


@dataclass(frozen=True, slots=True)
class Redactions:
    """Every erasure, newest first, at a position of the log."""

    as_of: AsOf
    found: tuple[ErasedRow, ...]


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event."""
    proposal = event.proposal
    if proposal.type == KIND:
        return [(KEY, each) for each in proposal.keyids]
    if proposal.type == "key.registered":
        return ((KEY, keyid(decode_base64(proposal.body["public_key"]))),)
    return ()


def fold(event: Event, rows: Rows) -> None:
    """Fold one event into erasures, or into whose a key is."""
    proposal, body = event.proposal, event.proposal.body
    if proposal.type == FOUNDED:
        for each in body["keys"]:
            _key(rows, each["public_key"], each["actor"])
    elif proposal.type == "key.registered":
        _key(rows, body["public_key"], proposal.stream.partition("/")[2])
    elif proposal.type == KIND:
        keys = [(each, rows.get(KEY, each)) for each in proposal.keyids]
        actors = sorted({key.actor if key is not None else name for name, key in keys})
        place = (proposal.id, event.index, event.recorded_at, proposal.stream)
        rows.put(ERASED, ErasedRow(*place, body["commitment"], body["cause"], " ".join(actors)))


def _key(rows: Rows, public_key: str, actor: str) -> None:
    rows.put(KEY, KeyRow(keyid(decode_base64(public_key)), actor))


REDACTIONS = ReadModel(
    "redactions",
    1,
    (ERASED, KEY),
    frozenset({"actor", "dispute", "ledger", "member"}),
    needs,
    fold,
)


def from_rows(rows: Rows, as_of: AsOf) -> Redactions:
    """Return every erasure, from all rows in memory."""
    found = sorted(rows.all(ERASED), key=lambda each: -each.log_index)
    return Redactions(as_of, tuple(found))


def from_database(connection: psycopg.Connection[Any], build: int, as_of: AsOf) -> Redactions:
    """Return every erasure, from a build's tables."""
    asked = {"size": as_of.size}
    found = connection.execute(query("redactions", "erased", build).encode(), asked)
    return Redactions(as_of, tuple(ErasedRow(*each) for each in found))
