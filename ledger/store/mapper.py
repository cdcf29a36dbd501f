"""Turns stored entries into domain events of the eventsourcing library and back.

The stored state is the entry's exact bytes and the topic its statement type. The library's own
mapper imports whatever a database row names as its topic; this one looks it up in a fixed list.
"""

from __future__ import annotations

from eventsourcing.application import Repository
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    Cipher,
    Compressor,
    EventStore,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    Transcoder,
)

from ledger.entry import parse_entry
from ledger.errors import FormatError, StartRefusedError
from ledger.store.events import EVENTS
from ledger.store.recorded import Recorded


class EntryMapper(Mapper[str]):
    """Maps entries without loss: bytes to an event and back to the same bytes.

    The library's set-up hands in a transcoder, which an entry does not need, and perhaps a
    compressor and a cipher, which would change the bytes and are refused (StartRefusedError).
    """

    def __init__(
        self,
        transcoder: Transcoder | None = None,
        compressor: Compressor | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        if compressor is not None or cipher is not None:
            raise StartRefusedError(
                "the log holds each entry's exact bytes: unset COMPRESSOR_TOPIC, CIPHER_TOPIC and "
                "CIPHER_KEY"
            )
        super().__init__(transcoder or JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Return what is stored of an event. Raises FormatError unless it is one of ours."""
        if not isinstance(domain_event, Recorded) or type(domain_event) not in EVENTS.values():
            raise FormatError(
                f"a {type(domain_event).__name__} is no event of this ledger: only signed entries "
                "are recorded, as the classes of ledger.store.events"
            )
        entry = domain_event.entry
        return StoredEvent(entry.stream, entry.seq, domain_event.topic, entry.data)

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """Return the event of stored entry bytes.

        Raises FormatError for an unknown topic, for bytes that are no entry, and for an entry
        that is another one than its row says.
        """
        kind = EVENTS.get(stored_event.topic)
        if kind is None:
            raise FormatError(
                f"{stored_event.topic[:80]!r} is no statement type that this version knows: use a "
                "newer version of the program"
            )
        entry = parse_entry(stored_event.state)
        found = (entry.stream, entry.seq, entry.statement.type)
        named = (stored_event.originator_id, stored_event.originator_version, stored_event.topic)
        if found != named:
            raise FormatError(
                f"the row of {named[0]} {named[1]} ({named[2]}) holds the entry {found[0]} "
                f"{found[1]} ({found[2]}): the row was changed"
            )
        return kind(entry)


def repository(recorder: ApplicationRecorder) -> Repository[str]:
    """Return the library's repository over `recorder`.

    `get("member/m-1", version=3)` gives an aggregate of `ledger.domain` as it was after that
    entry of its stream, the newest one without `version`. With `projector_func=project_account` a
    member's stream gives the account.
    """
    return Repository(EventStore(EntryMapper(), recorder))
