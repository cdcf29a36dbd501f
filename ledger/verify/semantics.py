"""The checks that depend on the entries before: chains, times, rights and keys at a position.

Entries come in the order of the log. The rules are those that the sequencer applied, by the same
function (`ledger.domain.decide`), on the state that the entries before give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ledger.domain.account import Account, matters
from ledger.domain.decide import FOUNDED, decide, founding_keys, needs, proving_key
from ledger.domain.event import Event, Proposal
from ledger.domain.organisation import Recovery
from ledger.domain.witnessed import WITNESSED
from ledger.domain.world import LAST, SIZE, World
from ledger.errors import FormatError, Refused
from ledger.log.checkpoint import Checkpoint
from ledger.log.policy import Policy
from ledger.log.tiles import HASH_SIZE
from ledger.signing import pae, verify
from ledger.verify.chunk import Chunk, Record, bad_signature
from ledger.verify.cosigned import Cosigned, check_cosigned
from ledger.verify.draws import Draw, check_draw
from ledger.verify.report import Failure, FaultError
from ledger.verify.source import Source

_SEQ_END = HASH_SIZE + 8
_NO_HEAD = bytes(HASH_SIZE + 16)
_WITH_KEYS = (FOUNDED, "key.registered")


class Uses(Protocol):
    """Where the uses of statement ids go: to a check at the end (`runs`), or at once (`place`)."""

    def statement(self, ident: str, index: int) -> None:
        """Note that entry `index` has the statement id `ident`."""


class Accounts(Protocol):
    """Where members' accounts wait until one is decided on: for this run, or kept (`place`)."""

    def put_aside(self, number: bytes, event: Event) -> None:
        """Keep an event of the stream of that number."""

    def load(self, world: World, stream: str, number: bytes) -> Account:
        """Make the account of a stream one of the world's, and return it."""

    def make_room(self, world: World, kept: tuple[str, ...]) -> None:
        """Put accounts away that rested longest, but not those of the streams `kept`."""


class Replay:
    """The state that the entries so far give; it grows with people and streams, not with entries.

    `keys` are all registered public keys in the order of registration; `signatures` those that
    were verified here because no worker knew their key yet. `draws` and `cosigned` wait to be
    compared with the tree.
    """

    def __init__(self, origin: str, uses: Uses, accounts: Accounts) -> None:
        self._origin = origin
        self._uses = uses
        self._accounts = accounts
        self._world = World()
        # Stream to leaf hash (32 bytes) and seq (8) of its last entry and the stream's own number
        # (8, from 1), in one value: a log has as many as it has members.
        self._heads: dict[str, bytes] = {}
        self._recorded_at = ""
        self.keys: list[bytes] = []
        self.draws: list[Draw] = []
        self.cosigned: list[Cosigned] = []
        self.entries = 0
        self.signatures = 0

    def resume(
        self,
        records: Iterable[tuple[int, Record]],
        heads: Mapping[str, bytes],
        recorded_at: str,
        entries: int,
    ) -> None:
        """Go on after `entries` entries that were checked before.

        `records` are those of them that are kept (`is_kept`), by index and in their order; `heads`
        are those that `head` gave.
        """
        for index, record in records:
            proposal = self._proposal(record)
            self._world.evolve(Event(proposal, record[1], index, record[2]))
            self._learn_keys(proposal)
        self._world.positions[SIZE] = entries
        self._world.instants[LAST] = recorded_at
        self._heads = dict(heads)
        self._recorded_at = recorded_at
        self.entries = entries

    @staticmethod
    def is_kept(record: Record) -> bool:
        """Tell whether later decisions depend on this one; ids, chains and accounts apart."""
        return not record[3].startswith("points.")

    def head(self, stream: str) -> bytes:
        """Return the last entry of a stream: leaf hash (32 bytes), seq (8), stream's number (8)."""
        return self._heads[stream]

    @property
    def recorded_at(self) -> str:
        """The last entry's instant; empty before the first."""
        return self._recorded_at

    @property
    def streams(self) -> int:
        """The number of streams so far."""
        return len(self._heads)

    @property
    def recoveries(self) -> tuple[Recovery, ...]:
        """Histories that were given up, as the log itself says, in order."""
        organisation = self._world.organisation
        return organisation.recoveries if organisation is not None else ()

    @property
    def members(self) -> int:
        """The number of members so far."""
        return len(self._world.members)

    def apply(self, chunk: Chunk) -> None:
        """Check and fold the entries of a bundle. Raises FaultError at the first bad one."""
        still_open = {offset: (payload, sigs) for offset, payload, sigs in chunk.open}
        leaves, prevs = chunk.leaves, chunk.prevs
        for offset, record in enumerate(chunk.records):
            start, stop = offset * HASH_SIZE, (offset + 1) * HASH_SIZE
            stream, seq, recorded_at = record[:3]
            head = self._heads.get(stream, _NO_HEAD)
            if (
                recorded_at < self._recorded_at
                or head[:HASH_SIZE] != prevs[start:stop]
                or int.from_bytes(head[HASH_SIZE:_SEQ_END]) != seq - 1
            ):
                raise self._misplaced(record, prevs[start:stop], head)
            number = head[_SEQ_END:] if seq > 1 else (len(self._heads) + 1).to_bytes(8)
            self._decide(record, number, still_open.get(offset) if still_open else None)
            self._heads[stream] = leaves[start:stop] + seq.to_bytes(8) + number
            self._recorded_at = recorded_at
            self.entries += 1

    def _misplaced(self, record: Record, prev: bytes, head: bytes) -> FaultError:
        seq, recorded_at = record[1:3]
        expected = int.from_bytes(head[HASH_SIZE:_SEQ_END]) + 1
        if recorded_at < self._recorded_at:
            reason = f"recorded_at falls from {self._recorded_at} to {recorded_at}"
            return self._fault(record, "recorded-at", reason)
        if seq != expected:
            reason = f"it is number {seq} of its stream, where {expected} comes next"
            return self._fault(record, "chain", reason)
        last = "the stream's last entry" if seq > 1 else "nothing, 64 zeros, for a first entry"
        reason = f"prev {prev.hex()[:16]}… is not the hash of {last}"
        return self._fault(record, "chain", reason)

    def _decide(
        self,
        record: Record,
        number: bytes,
        still_open: tuple[bytes, list[tuple[str, bytes]]] | None,
    ) -> None:
        stream, seq, recorded_at, kind, ident, _, _, body = record
        proposal = self._proposal(record)
        try:
            read = needs(proposal)
            if read:
                self._load(read)
            decide(self._world, proposal, recorded_at)
        except Refused as error:
            raise self._fault(record, error.rule, error.message) from None
        except FormatError as error:
            raise self._fault(record, "entry-format", error.message) from None
        if still_open is not None:
            self._verify(record, *still_open)
        event = Event(proposal, seq, self.entries, recorded_at)
        self._world.evolve(event)
        if proposal.stream.startswith("member/") and matters(proposal):
            self._accounts.put_aside(number, event)
        self._learn_keys(proposal)
        if kind == "dispute.drawn":
            self.draws.append(Draw(self.entries, ident, stream, body["size"], body["root"]))
        elif kind == WITNESSED:
            lines = tuple(body["cosignatures"])
            self.cosigned.append(Cosigned(self.entries, ident, stream, body["size"], lines))
        self._uses.statement(ident, self.entries)

    def check_claims(self, source: Source, signed: Checkpoint, policy: Policy | None) -> None:
        """Compare what entries so far say of the tree itself with it. Raises FaultError.

        Cosignatures in them are checked where a policy says whose they are.
        """
        draws, cosigned = self.draws, self.cosigned
        self.draws, self.cosigned = [], []
        for draw in draws:
            check_draw(source, draw, signed.size)
        if policy is not None:
            for said in cosigned:
                check_cosigned(source, said, signed, policy)

    def _load(self, streams: tuple[str, ...]) -> None:
        """Load the accounts that a statement is decided on, and those with other halves (B13)."""
        waiting = list(streams)
        seen = dict.fromkeys(waiting)
        while waiting:
            stream = waiting.pop()
            head = self._heads.get(stream)
            if head is None:
                continue
            account = self._accounts.load(self._world, stream, head[_SEQ_END:])
            others = [each for each in account.counterparts() if each not in seen]
            seen |= dict.fromkeys(others)
            waiting += others
        self._accounts.make_room(self._world, tuple(seen))

    def _proposal(self, record: Record) -> Proposal:
        stream, _, _, kind, ident, actor, keyids, body = record
        return Proposal(kind, ident, self._origin, stream, actor, body, keyids)

    def _learn_keys(self, proposal: Proposal) -> None:
        if proposal.type in _WITH_KEYS:
            new = proving_key(proposal)
            self.keys += founding_keys(proposal).values() if new is None else [new]

    def _verify(self, record: Record, payload: bytes, sigs: list[tuple[str, bytes]]) -> None:
        message = pae(payload)
        for ident, sig in sigs:
            key = self._world.keys.get(ident)
            if key is None or not verify(key.public_key, message, sig):
                raise self._fault(record, "signature", bad_signature(ident))
            self.signatures += 1

    def _fault(self, record: Record, kind: str, reason: str) -> FaultError:
        return FaultError(Failure(kind, reason, self.entries, record[4], record[0]))
