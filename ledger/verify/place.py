"""Where a monitor is in a log, and what it must remember: one SQLite file, for one monitor.

Everything that was checked becomes durable in one transaction with the place after it, so a
monitor killed at any moment goes on from the last place whose checks were done. The file grows by
what an entry says; what is read back at a start grows with people and streams only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from ledger.entry import format_instant, parse_instant
from ledger.errors import ConflictError
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import Cosignature
from ledger.log.note import VerifierKey
from ledger.verify.chunk import Record
from ledger.verify.report import Failure, FaultError
from ledger.verify.source import SourceError
from ledger.verify.sql import SCRIPTS, query, script
from ledger.verify.tree import TreeState

FILE = "monitor.sqlite"


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that the log's key signed, and the note that shows it."""

    checkpoint: Checkpoint
    note: bytes


class Place:
    """The state of one monitor in the folder `folder`, made if need be; a context manager.

    Raises ConflictError where another monitor holds the folder or it follows another log, and
    SourceError (nothing is known) where the file cannot be read or written.
    """

    def __init__(self, folder: Path, vkey: VerifierKey) -> None:
        self._origin = vkey.name
        with _readable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._held)
            raise ConflictError("monitor", f"another monitor keeps its place in {folder}") from None
        try:
            with _readable(folder):
                self._file = sqlite3.connect(folder / FILE, isolation_level=None)
                self._open(folder, vkey)
        except BaseException:
            os.close(self._held)
            raise

    def _open(self, folder: Path, vkey: VerifierKey) -> None:
        self._file.execute("PRAGMA synchronous = FULL")
        (version,) = self._file.execute("PRAGMA user_version").fetchone()
        if version > len(SCRIPTS):
            raise ConflictError("monitor", f"{folder} is of a newer version of this program")
        for each in range(version, len(SCRIPTS)):
            self._file.executescript(f"BEGIN;{script(each)}COMMIT;")
        row = self._file.execute(query("place")).fetchone()
        if row is None:
            self._run("new_place", vkey.text, _tree_text(TreeState()))
            row = self._file.execute(query("place")).fetchone()
        if row[0] != vkey.text:
            raise ConflictError("monitor", f"{folder} follows the log of {row[0]}: name another")

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        os.close(self._held)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within becomes durable, or nothing of it."""
        with _readable(FILE):
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._file.execute("ROLLBACK")
                raise

    @property
    def size(self) -> int:
        """How many entries are checked."""
        return int(self._row()[1])

    @property
    def recorded_at(self) -> str:
        """The last checked entry's instant."""
        return str(self._row()[2])

    @property
    def tree(self) -> TreeState:
        """The tree over the checked entries."""
        found = orjson.loads(self._row()[3])
        rows = tuple(bytes.fromhex(row) for row in found["rows"])
        peaks, rest = (bytes.fromhex(found[name]) for name in ("peaks", "rest"))
        return TreeState(found["full"], peaks, rest, rows)

    @property
    def stale_since(self) -> datetime | None:
        """Since when the log shows an older checkpoint than one that was seen."""
        text = self._row()[4]
        return None if text is None else parse_instant(text)

    @property
    def trouble(self) -> str | None:
        """Why the last pass could not check."""
        found: str | None = self._row()[5]
        return found

    def move(self, size: int, recorded_at: str, tree: TreeState) -> None:
        """Everything up to `size` is checked."""
        self._run("move", size, recorded_at, _tree_text(tree))

    def set_stale(self, since: datetime | None) -> None:
        """Remember since when an older checkpoint is shown."""
        self._run("stale", None if since is None else format_instant(since))

    def set_trouble(self, reason: str | None) -> None:
        """Remember why a pass could not check, or that it could."""
        self._run("trouble", reason)

    def see(self, seen: Seen, now: datetime) -> None:
        """Keep a signed checkpoint, for good."""
        signed = seen.checkpoint
        self._run("see", signed.size, signed.root, seen.note, format_instant(now))

    def newest_seen(self) -> Seen | None:
        """Return the newest checkpoint that was seen."""
        return self._seen("seen_newest")

    def seen_at(self, size: int) -> Seen | None:
        """Return the checkpoint that was seen for a size."""
        return self._seen("seen_at", size)

    def hear(self, word: Cosignature) -> None:
        """Keep a witness's cosignature, unless a newer one is kept."""
        self._run("hear", word.name, word.key_id, word.time, word.line)

    def heard(self) -> list[Cosignature]:
        """Return the newest cosignature of each witness."""
        return [Cosignature(*row) for row in self._all("heard")]

    @property
    def witnesses_state(self) -> str:
        """What was last said of quorum and silent witnesses; empty while all was well."""
        return str(self._all("witnesses_state")[0][0])

    def set_witnesses_state(self, state: str) -> None:
        """Remember what is said of them."""
        self._run("set_witnesses_state", state)

    def heads(self) -> dict[str, bytes]:
        """Return the last entry of every stream, as `Replay.head` gives it."""
        return dict(self._all("heads"))

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield the entries that later decisions depend on, by index and in their order."""
        for index, text in self._all("kept"):
            stream, seq, recorded_at, kind, ident, actor, keyids, body = orjson.loads(text)
            yield index, (stream, seq, recorded_at, kind, ident, actor, tuple(keyids), body)

    def keep(self, index: int, record: Record) -> None:
        """Keep an entry that later decisions depend on."""
        self._run("keep", index, orjson.dumps(record).decode())

    def put_heads(self, heads: Iterable[tuple[str, bytes]]) -> None:
        """Keep the last entries of streams."""
        with _readable(FILE):
            self._file.executemany(query("put_head"), heads)

    def statement(self, ident: str, index: int) -> None:
        """Note a statement id. Raises FaultError where it was used before."""
        if not self._run("use", _raw(ident)):
            reason = f"the statement id {ident} is used a second time"
            raise FaultError(Failure("id-once", reason, index))

    def put_event(self, number: bytes, seq: int, packed: bytes) -> None:
        """Keep an event of a member's account, by the stream's number."""
        self._run("put_event", number, seq, packed)

    def events(self, number: bytes) -> Iterator[bytes]:
        """Yield the events of an account, in their order."""
        for (packed,) in self._all("events", number):
            yield packed

    def find(self, name: str, evidence: dict[str, Any]) -> bool:
        """Keep a finding; False where the same one is kept and not acknowledged yet."""
        return bool(self._run("find", name, orjson.dumps(evidence).decode()))

    def findings(self) -> list[tuple[int, dict[str, Any]]]:
        """Return number and evidence of every finding that nobody has acknowledged."""
        return [(number, orjson.loads(text)) for number, text in self._all("findings")]

    def acknowledge(self, now: datetime) -> int:
        """Mark all findings as looked at; they stay. Returns how many there were."""
        return self._run("acknowledge", format_instant(now))

    def post(self, report: dict[str, Any]) -> None:
        """Queue a report for the webhook."""
        self._run("post", orjson.dumps(report).decode())

    def posts(self, limit: int) -> Sequence[tuple[int, str]]:
        """Return number and body of the oldest reports that are not confirmed."""
        return self._all("posts", limit)

    def posted(self, number: int) -> None:
        """Forget a report that the webhook has confirmed."""
        self._run("posted", number)

    def _row(self) -> Any:
        return self._all("place")[0]

    def _seen(self, name: str, *values: object) -> Seen | None:
        for size, root, note in self._all(name, *values):
            return Seen(Checkpoint(self._origin, size, root), note)
        return None

    def _all(self, name: str, *values: object) -> list[Any]:
        with _readable(FILE):
            return self._file.execute(query(name), values).fetchall()

    def _run(self, name: str, *values: object) -> int:
        with _readable(FILE):
            return self._file.execute(query(name), values).rowcount


@contextlib.contextmanager
def _readable(what: Path | str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise SourceError(f"the monitor's place in {what} cannot be used: {error}") from None


def _tree_text(tree: TreeState) -> str:
    return orjson.dumps(
        {
            "full": tree.full,
            "peaks": tree.peaks.hex(),
            "rest": tree.rest.hex(),
            "rows": [row.hex() for row in tree.rows],
        }
    ).decode()


def _raw(ident: str) -> bytes:
    return bytes.fromhex(ident.replace("-", ""))
