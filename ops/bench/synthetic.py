"""A year of an organisation, made without people: for folds and queries, which check no signature.

The same statements are given as events, as entries below a signed checkpoint in a database, and as
a published log.
"""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson

from ledger.domain.event import Event, Proposal
from ledger.entry import entry_bytes, format_instant, new_id, statement_payload
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import Edge, leaf_hash
from ledger.log.note import Signer
from ledger.log.tiles import TILE_WIDTH, encode_entries, entry_tiles_for_size, tile_path
from ledger.signing import PAYLOAD_TYPE, PrivateKey, encode_base64
from ledger.store.port import Row
from ledger.store.table import EntryTable

ORIGIN = "bench.example/points"
YEAR = 2026
START = datetime(YEAR, 1, 1, 1, tzinfo=UTC)
COMMITMENT = "ab" * 32
_SIG = b64encode(bytes(64)).decode()
_BATCH = 1_000
_SEED = 19_491_001

Said = tuple[str, str, dict[str, Any]]
"""A statement's type, stream and body."""


class Size(NamedTuple):
    """An organisation: `branches` under areas under one root, members, and acts of each."""

    prefix: str
    areas: int
    branches: int
    members: int
    acts_each: int


def frame(size: Size) -> Iterator[Said]:
    """Yield the founding, the units and the rulebook."""
    key = encode_base64(PrivateKey.from_seed(bytes(32)).public_key)
    keys = [{"actor": "reg-1", "suite": "ed25519", "public_key": key}]
    body: dict[str, Any] = {"time_zone": "UTC", "threshold": 1, "keys": keys}
    yield "ledger.founded", "ledger/root", body
    root = size.prefix
    names = {"name_zh": "单位", "name_en": "Unit", "start": f"{YEAR}-01-01"}
    yield "unit.opened", f"unit/{root}", names
    for area in range(size.areas):
        yield "unit.opened", f"unit/{root}-{area}", names | {"parent": root}
    for branch in range(size.branches):
        above = f"{root}-{branch % size.areas}"
        yield "unit.opened", f"unit/{_branch(size, branch)}", names | {"parent": above}
    yield "rulebook.published", f"rulebook/{root}", _rulebook(root)


def _branch(size: Size, number: int) -> str:
    return f"{size.prefix}-{number % size.areas}-{number}"


def _rulebook(unit: str) -> dict[str, Any]:
    def item(code: str, kind: str = "credit", **more: Any) -> dict[str, Any]:
        names = {"name_zh": "志愿服务", "name_en": "Volunteering", "category": "A"}
        kinds = {"code": code, "kind": kind, "act_type": "bench.act", "unit": "occurrence"}
        return names | kinds | more

    return {
        "unit": unit,
        "version": "1.0.0",
        "effective_from": f"{YEAR}-01-01",
        "title_zh": "细则",
        "title_en": "Rules",
        "member_types": [{"code": "ordinary", "name_zh": "普通党员"}],
        "items": [
            item("C-1", points=50, cap={"per": "month", "points": 200}),
            item("C-2", min=50, max=300),
            item("D-1", "debit", points=100),
            item("S-1", points=100, account="service"),
        ],
        "merit": {"base": 6000, "floor": 0, "ceiling": 10000},
        "bands": [
            {"code": "good", "name_zh": "合格", "min": 6000},
            {"code": "poor", "name_zh": "不合格", "min": 0, "below": 6000},
        ],
    }


def members(size: Size, first: int = 0, stop: int | None = None) -> Iterator[Said]:
    """Yield the enrolments of members from `first` on."""
    for number in range(first, size.members if stop is None else stop):
        body = {
            "unit": _branch(size, number % size.branches),
            "member_type": "ordinary",
            "date": f"{YEAR}-01-01",
        }
        yield "member.enrolled", f"member/{size.prefix}{number}", body


def acts(size: Size, first: int = 0, stop: int | None = None) -> Iterator[Said]:
    """Yield members' acts through the year, turn by turn."""
    random = Random(_SEED + first)
    days = [(date(YEAR, 1, 1) + timedelta(days=each)).isoformat() for each in range(365)]
    last = size.members if stop is None else stop
    for turn in range(size.acts_each):
        for number in range(first, last):
            code, points = random.choice((("C-1", 50), ("C-2", 150), ("D-1", 100), ("S-1", 100)))
            body = {
                "rulebook": size.prefix,
                "version": "1.0.0",
                "item": code,
                "points": points,
                # Acts come in the order of their days, as they do in life.
                "act_date": days[(turn * 365 + random.randrange(365)) // size.acts_each],
                "reason": COMMITMENT,
                "evidence": [{"kind": "photo", "commitment": COMMITMENT}],
            }
            kind = "points.deducted" if code == "D-1" else "points.awarded"
            yield kind, f"member/{size.prefix}{number}", body


def signers(size: Size, stream: str) -> tuple[str, str]:
    """Return the key ids that sign a member's entries: the branch's and the area's."""
    number = int(stream.removeprefix(f"member/{size.prefix}")) % size.branches
    return f"{number:064x}", f"a{number % size.areas:063x}"


class Events:
    """Numbers the statements of an organisation as a log does."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._count = 0
        self._seqs: dict[str, int] = defaultdict(int)
        self._random = Random(f"{_SEED} {size.prefix}")

    @property
    def size(self) -> int:
        """How many were numbered."""
        return self._count

    def of(self, said: Said) -> Event:
        """Return the next event."""
        kind, stream, body = said
        index, now = self._count, START + timedelta(milliseconds=self._count)
        ident = new_id(now, self._random.randbytes(10))
        self._count += 1
        self._seqs[stream] += 1
        keyids = signers(self._size, stream) if stream.startswith("member/") else ("a" * 64,)
        proposal = Proposal(kind, ident, ORIGIN, stream, "rec-1", body, keyids)
        return Event(proposal, self._seqs[stream], index, format_instant(now, micros=True))


class Log:
    """An organisation's log: its entries, in a database and published."""

    def __init__(self, size: Size) -> None:
        self.entries: list[bytes] = []
        self._rows: list[Row] = []
        self._signer = Signer(ORIGIN, PrivateKey.from_seed(bytes(32)))
        self.vkey = self._signer.vkey
        events = Events(size)
        heads: dict[str, str] = {}
        for source in (frame(size), members(size), acts(size)):
            for said in source:
                self._add(events.of(said), heads)

    def _add(self, event: Event, heads: dict[str, str]) -> None:
        proposal = event.proposal
        payload = statement_payload(
            type=proposal.type,
            id=proposal.id,
            log=ORIGIN,
            stream=proposal.stream,
            actor=proposal.actor,
            signed_at=f"{event.recorded_at[:19]}Z",
            body=proposal.body,
        )
        envelope = orjson.dumps(
            {
                "payload": b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": each, "sig": _SIG} for each in proposal.keyids],
            }
        )
        before = heads.get(proposal.stream, "0" * 64)
        data = entry_bytes(proposal.stream, event.seq, before, event.recorded_at, envelope)
        heads[proposal.stream] = leaf_hash(data).hex()
        self.entries.append(data)
        kinds = (proposal.stream, event.seq, proposal.type, proposal.id)
        self._rows.append(Row(event.index, *kinds, data))

    def store(self, table: EntryTable) -> None:
        """Append everything to an empty log's table, in batches below signed checkpoints."""
        edge, leaf = Edge.empty(), bytes(32)
        for start in range(0, len(self._rows), _BATCH):
            rows = self._rows[start : start + _BATCH]
            table.append(rows, leaf, self._note(edge) if edge.size else None)
            edge = edge.extend([leaf_hash(row.state) for row in rows])
            leaf = leaf_hash(rows[-1].state)
        table.keep_note(edge.size, self._note(edge))

    def publish(self, folder: Path) -> None:
        """Write the entries and the checkpoint as a static log."""
        for n, width in entry_tiles_for_size(len(self.entries)):
            path = folder / tile_path("entries", n, width)
            path.parent.mkdir(parents=True, exist_ok=True)
            start = n * TILE_WIDTH
            path.write_bytes(encode_entries(self.entries[start : start + width]))
        edge = Edge.empty().extend([leaf_hash(each) for each in self.entries])
        (folder / "checkpoint").write_bytes(self._note(edge))

    def _note(self, edge: Edge) -> bytes:
        return checkpoint.sign(Checkpoint(ORIGIN, edge.size, edge.root()), self._signer)
