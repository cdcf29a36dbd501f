"""A log of unsigned entries, made quickly, for folds and their drivers: they check no signature.

The same journal can be given to a fold as events, written as a static log, and put into a database
below signed checkpoints.
"""

from __future__ import annotations

import hashlib
import random
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from ledger.domain.event import Event, Proposal
from ledger.entry import entry_bytes, format_instant, new_id, parse_entry, statement_payload
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import Edge, leaf_hash
from ledger.log.note import Signer
from ledger.log.tiles import TILE_WIDTH, encode_entries, entry_tiles_for_size, tile_path
from ledger.signing import PAYLOAD_TYPE, encode_base64
from ledger.store.port import Row
from ledger.store.table import EntryTable
from tests.support.organisation import COMMITMENT, ORIGIN, key_of

START = datetime(2025, 1, 1, tzinfo=UTC)
SIGNER = Signer(ORIGIN, key_of("log"))
BATCH = 500
NO_LEAF = bytes(32)


class Journal:
    """Entries by index; `add` and the methods over it append one and return its statement's id."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self._heads: dict[str, tuple[int, str]] = {}
        self._rows: list[Row] = []

    def add(self, kind: str, stream: str, body: dict[str, Any]) -> str:
        now = START + timedelta(seconds=len(self.entries))
        random_part = hashlib.sha256(len(self.entries).to_bytes(8, "big")).digest()[:10]
        keyids = ("a" * 64, "b" * 64)
        ident = new_id(now, random_part)
        proposal = Proposal(kind, ident, ORIGIN, stream, "rec-1", body, keyids)
        return self._put(proposal, format_instant(now, micros=True))

    def take(self, events: Iterable[Event]) -> None:
        """Append statements that were made elsewhere, with their own people and days."""
        for each in events:
            self._put(each.proposal, each.recorded_at)

    def _put(self, proposal: Proposal, at: str) -> str:
        stream, index = proposal.stream, len(self.entries)
        payload = statement_payload(
            type=proposal.type,
            id=proposal.id,
            log=ORIGIN,
            stream=stream,
            actor=proposal.actor,
            signed_at=at[:19] + "Z",
            body=proposal.body,
        )
        signatures = [
            {"keyid": each, "sig": b64encode(bytes(64)).decode()} for each in proposal.keyids
        ]
        envelope = orjson.dumps(
            {
                "payload": b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": signatures,
            }
        )
        seq, prev = self._heads.get(stream, (0, "0" * 64))
        data = entry_bytes(stream, seq + 1, prev, at, envelope)
        self._heads[stream] = (seq + 1, leaf_hash(data).hex())
        self.entries.append(data)
        self._rows.append(Row(index, stream, seq + 1, proposal.type, proposal.id, data))
        return proposal.id

    def unit(self, ident: str, parent: str | None = None, name_zh: str = "单位") -> str:
        body = {"name_zh": name_zh, "name_en": ident.title(), "start": "2025-01-01"}
        return self.add(
            "unit.opened", f"unit/{ident}", body | ({"parent": parent} if parent else {})
        )

    def move(self, ident: str, parent: str) -> str:
        return self.add("unit.moved", f"unit/{ident}", {"parent": parent})

    def enrol(self, member: str, unit: str) -> str:
        body = {"unit": unit, "member_type": "ordinary", "date": "2024-01-01"}
        return self.add("member.enrolled", f"member/{member}", body)

    def transfer(self, member: str, unit: str) -> str:
        return self.add("member.transferred", f"member/{member}", {"unit": unit})

    def leave(self, member: str) -> str:
        return self.add("member.left", f"member/{member}", {"date": "2025-06-01"})

    def suspend(self, member: str) -> str:
        return self.add("member.suspended", f"member/{member}", {"date": "2025-06-01"})

    def rulebook(self, version: str = "1.0.0", **more: Any) -> str:
        names = (("C-1", "志愿服务", "Volunteering"), ("D-1", "无故缺席", "Absence"))
        items = [
            {
                "code": code,
                "category": "A",
                "name_zh": zh,
                "name_en": en,
                "act_type": "test.act",
                "kind": "credit" if code == "C-1" else "debit",
                "unit": "occurrence",
                "min": 1,
                "max": 1_000_000,
            }
            for code, zh, en in names
        ]
        body = {
            "version": version,
            "unit": "root",
            "effective_from": "2023-01-01",
            "title_zh": "细则",
            "title_en": "Rules",
            "member_types": [{"code": "ordinary", "name_zh": "普通党员"}],
            "items": items,
        } | more
        return self.add("rulebook.published", "rulebook/rules", body)

    def award(self, member: str, points: int = 100, act_date: str = "2025-03-01") -> str:
        return self.add("points.awarded", f"member/{member}", _act("C-1", points, act_date))

    def deduct(self, member: str, points: int = 100, act_date: str = "2025-03-01") -> str:
        return self.add("points.deducted", f"member/{member}", _act("D-1", points, act_date))

    def correct(
        self, member: str, reverses: str, points: int | None = None, act_date: str = "2025-03-01"
    ) -> str:
        """Reverse a statement, with an award (or a deduction, below zero) if `points` is given."""
        body: dict[str, Any] = {"reverses": reverses, "reason": COMMITMENT}
        if points is not None:
            kind = ("points.awarded", "C-1") if points > 0 else ("points.deducted", "D-1")
            body["replacement"] = {"type": kind[0], **_act(kind[1], abs(points), act_date)}
        return self.add("points.corrected", f"member/{member}", body)

    def events(self) -> list[Event]:
        """Return the events as the strict parser reads them."""
        return [Event.of(parse_entry(data), index) for index, data in enumerate(self.entries)]

    def note(self, size: int | None = None) -> bytes:
        """Return the signed checkpoint of a size, the whole journal's unless given."""
        leaves = [leaf_hash(each) for each in self.entries[:size]]
        edge = Edge.empty().extend(leaves)
        return checkpoint.sign(Checkpoint(ORIGIN, edge.size, edge.root()), SIGNER)

    def write(self, folder: Path) -> str:
        """Write the entries and the checkpoint as a static log, and return the folder as text."""
        for n, width in entry_tiles_for_size(len(self.entries)):
            path = folder / tile_path("entries", n, width)
            path.parent.mkdir(parents=True, exist_ok=True)
            start = n * TILE_WIDTH
            path.write_bytes(encode_entries(self.entries[start : start + width]))
        (folder / "checkpoint").write_bytes(self.note())
        return str(folder)

    def store(self, table: EntryTable, stop: int | None = None, *, signed: bool = True) -> None:
        """Append what the database does not hold yet, up to `stop`, in batches.

        Each batch carries the note of the size that it extends; the last size is signed too,
        unless `signed` is off.
        """
        stop = len(self.entries) if stop is None else stop
        size, leaf = table.head()
        edge = Edge.empty().extend([leaf_hash(each) for each in self.entries[:size]])
        while size < stop:
            rows = self._rows[size : min(stop, size + BATCH)]
            table.append(rows, leaf, _note(edge) if size else None)
            edge = edge.extend([leaf_hash(row.state) for row in rows])
            size, leaf = edge.size, leaf_hash(rows[-1].state)
        if signed:
            table.keep_note(size, _note(edge))


def random_journal(seed: int, size: int, members: int = 40) -> Journal:
    """Return a journal of about `size` entries in four units: everything that ranks depend on."""
    rng = random.Random(seed)
    journal = Journal()
    journal.unit("root", name_zh="全体")
    journal.unit("east", "root", "东村")
    journal.unit("west", "root", "西村")
    journal.unit("group", "east", "一组")
    journal.rulebook()
    units = ["root", "east", "west", "group"]
    names = [f"m-{n}" for n in range(members)]
    for name in names:
        journal.enrol(name, rng.choice(units))
    live: dict[str, list[str]] = {name: [] for name in names}
    while len(journal.entries) < size:
        name, roll = rng.choice(names), rng.random()
        # Few distinct values, so that there are ties.
        points = rng.choice([50, 100, 100, 200, 225])
        day = f"202{rng.choice('45')}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        if roll < 0.7:
            live[name].append(journal.award(name, points, day))
        elif roll < 0.84:
            live[name].append(journal.deduct(name, points, day))
        elif roll < 0.95:
            if live[name]:
                target = live[name].pop(rng.randrange(len(live[name])))
                replacement = rng.choice([None, points, -points])
                made = journal.correct(name, target, replacement, day)
                if replacement is not None:
                    live[name].append(made)
        elif roll < 0.98:
            journal.transfer(name, rng.choice(units))
        elif roll < 0.985:
            journal.leave(name)
        elif roll < 0.99:
            # A key is registered once in a log, whoever has it.
            public = key_of(f"{name} {len(journal.entries)}").public_key
            body = {"suite": "ed25519", "public_key": encode_base64(public)}
            journal.add("key.registered", f"actor/{name}", body)
        else:
            journal.move("group", rng.choice(["east", "west"]))
    return journal


def _act(item: str, points: int, act_date: str) -> dict[str, Any]:
    return {
        "rulebook": "rules",
        "version": "1.0.0",
        "item": item,
        "points": points,
        "act_date": act_date,
        "reason": COMMITMENT,
        "evidence": [{"kind": "photo", "commitment": COMMITMENT}],
    }


def _note(edge: Edge) -> bytes:
    return checkpoint.sign(Checkpoint(ORIGIN, edge.size, edge.root()), SIGNER)
