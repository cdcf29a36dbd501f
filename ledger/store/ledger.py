"""The ledger as a program uses it: append, read, prove.

`Ledger.open` starts or finds PostgreSQL, brings the schema up to date, checks that the log may be
signed here, and runs one sequencer thread. Any number of processes may open the same ledger.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ledger import keyfile
from ledger.errors import FormatError, MingzhangError, StartRefusedError, StoppedError
from ledger.log import policy
from ledger.log.note import Signer, VerifierKey
from ledger.log.policy import Policy
from ledger.signing import SUITE_ED25519, PrivateKey
from ledger.sm2 import SUITE_SM2
from ledger.store.admission import ED25519_ONLY, Admission
from ledger.store.anchor import AnchorFile
from ledger.store.cosignatures import Cosignatures
from ledger.store.port import Clock, SystemClock
from ledger.store.postgres import Database, open_database
from ledger.store.queue import QUEUE_ENTRIES_MAX, AppendQueue, Outcome, raised
from ledger.store.reader import Reader
from ledger.store.recovery import check_recovery, lay_aside, newest_anchored, recovering_path
from ledger.store.sequencer import Sequencer
from ledger.store.table import EntryTable
from ledger.store.tiler import Tiler
from ledger.store.witnesses import Witnesses

APPEND_TIMEOUT_S = 30.0
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}").fullmatch
CONFIG_FILE, KEY_FILE, VKEY_FILE, ANCHOR_FILE = "ledger.toml", "log.key", "log.vkey", "anchor"
SERVICE_KEY_FILE, POLICY_FILE = "service.key", "policy"


@dataclass(frozen=True, slots=True)
class Options:
    """How a ledger runs: helper processes for signatures, queue length, readers' connections.

    `append` off gives a ledger that only reads; it needs no log key. `recovery` is a signed
    `ledger.recovered`, for a ledger that must go on behind what others have seen.
    """

    admission_workers: int = 0
    queue_entries_max: int = QUEUE_ENTRIES_MAX
    readers_max: int = 8
    append: bool = True
    recovery: bytes | None = None


def initialise(data_dir: Path, origin: str) -> str:
    """Make a new ledger's folder: its name (`ledger.toml`) and its two keys. Return the vkey.

    `log.key` signs checkpoints; `service.key`, the service actor's, refusals and what lapses.

    Raises StartRefusedError if the folder is a ledger already or cannot be written.
    """
    if _ORIGIN(origin) is None:
        raise StartRefusedError(
            f"{origin!r} cannot name a log: use a host and path without scheme or spaces, such as "
            "example.org/points"
        )
    config = data_dir / CONFIG_FILE
    if config.exists():
        raise StartRefusedError(f"{data_dir} holds a ledger already: name another folder")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        signer = Signer(origin, PrivateKey.generate())
        keyfile.save(data_dir / KEY_FILE, _private(signer), None)
        keyfile.save(data_dir / SERVICE_KEY_FILE, PrivateKey.generate(), None)
        (data_dir / VKEY_FILE).write_text(signer.vkey.text + "\n")
        config.write_text(f'origin = "{origin}"\n')
    except OSError as error:
        raise StartRefusedError(f"cannot write {data_dir}: {error.strerror}") from None
    return signer.vkey.text


def _private(signer: Signer) -> PrivateKey:
    assert isinstance(signer.key, PrivateKey)  # noqa: S101 - it was made a line above
    return signer.key


def read_origin(data_dir: Path) -> str:
    """Return the origin of the ledger in `data_dir`. Raises StartRefusedError if there is none."""
    path = data_dir / CONFIG_FILE
    try:
        origin = tomllib.loads(path.read_text())["origin"]
    except FileNotFoundError:
        raise StartRefusedError(
            f"{data_dir} holds no ledger: run `mingzhang init --origin NAME --data {data_dir}`"
        ) from None
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise StartRefusedError(f"cannot read {path}: {error}") from None
    return str(origin)


def keep_policy(data_dir: Path, data: bytes) -> Policy:
    """Make a C2SP policy file that of the ledger in `data_dir`, and return it parsed.

    From then on every process that opens the ledger asks its witnesses. Raises StartRefusedError.
    """
    found = _parsed_policy(data_dir, data, "the policy")
    path = data_dir / POLICY_FILE
    unfinished = path.with_name(f"{POLICY_FILE}.unfinished")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        raise StartRefusedError(f"cannot write {path}: {error.strerror}") from None
    return found


def read_policy(data_dir: Path) -> Policy | None:
    """Return the policy of the ledger in `data_dir`, None without one. Raises StartRefusedError."""
    path = data_dir / POLICY_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartRefusedError(f"cannot read {path}: {error.strerror}") from None
    return _parsed_policy(data_dir, data, str(path))


def _parsed_policy(data_dir: Path, data: bytes, what: str) -> Policy:
    try:
        found = policy.parse(data)
        vkey = VerifierKey.parse((data_dir / VKEY_FILE).read_text().strip())
    except FormatError as error:
        raise StartRefusedError(f"{what}: {error.message}") from None
    except OSError as error:
        raise StartRefusedError(f"cannot read {data_dir / VKEY_FILE}: {error.strerror}") from None
    if found.logs and vkey not in [each.vkey for each in found.logs]:
        raise StartRefusedError(f"{what} names other logs than this one: add `log {vkey.text}`")
    Witnesses.check(found)
    return found


def read_suites(data_dir: Path) -> frozenset[str]:
    """Return the suites whose keys the ledger in `data_dir` registers: `suites` in its settings.

    Ed25519 alone where they name none. Raises StartRefusedError for one that is not known.
    """
    path = data_dir / CONFIG_FILE
    try:
        given = tomllib.loads(path.read_text()).get("suites", [SUITE_ED25519])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StartRefusedError(f"cannot read {path}: {error}") from None
    known = (SUITE_ED25519, SUITE_SM2)
    if type(given) is not list or not given or any(each not in known for each in given):
        raise StartRefusedError(
            f"{path}: `suites` lists what keys may be registered, of {', '.join(known)}"
        )
    return frozenset(given)


class Ledger(Reader):
    """Appends, and everything of `Reader`; a context manager that must be closed."""

    def __init__(
        self,
        database: Database,
        sequencer: Sequencer | None,
        table: EntryTable | None,
        anchor: AnchorFile | None,
        signer: Signer | None,
        origin: str,
        options: Options,
        admission: Admission | None,
        trusted: Policy | None = None,
        suites: frozenset[str] = ED25519_ONLY,
    ) -> None:
        self.database = database
        self.origin = origin
        self.suites = suites
        self.vkey = signer.vkey.text if signer is not None else ""
        self._pool = database.pool(1, options.readers_max)
        super().__init__(self._pool, lambda: sequencer.signed if sequencer is not None else None)
        self.policy = trusted
        self.cosignatures = Cosignatures(self._pool)
        self._sequencer = sequencer
        self._closing = [each for each in (admission, table, anchor) if each is not None]
        self._queue = (
            AppendQueue(sequencer, options.queue_entries_max) if sequencer is not None else None
        )
        self._tiler = Tiler(self._pool, self.size) if sequencer is not None else None

    @classmethod
    def open(
        cls,
        data_dir: Path | None = None,
        *,
        url: str | None = None,
        clock: Clock | None = None,
        options: Options = Options(),
    ) -> Ledger:
        """Open the ledger of `data_dir`, in its embedded database or the one at `url`.

        `data_dir` defaults to MINGZHANG_DATA, `url` to MINGZHANG_DATABASE_URL. Raises
        StartRefusedError with what must be put right.
        """
        folder = data_dir or Path(os.environ.get("MINGZHANG_DATA", "var/data"))
        origin, suites = read_origin(folder), read_suites(folder)
        with ExitStack() as opened:
            database = open_database(folder, url or os.environ.get("MINGZHANG_DATABASE_URL"))
            opened.callback(database.close)
            if not options.append:
                trusted = read_policy(folder)
                ledger = cls(
                    database, None, None, None, None, origin, options, None, trusted, suites
                )
                opened.pop_all()
                return ledger
            key_path = Path(os.environ.get("MINGZHANG_LOG_KEY", folder / KEY_FILE))
            signer = Signer(origin, keyfile.load(key_path))
            table = opened.enter_context(closing(EntryTable(database.connect)))
            clock = clock or SystemClock()
            admission = Admission(origin, options.admission_workers, suites)
            opened.callback(admission.close)
            trusted = read_policy(folder)
            with ExitStack() as asking:
                witnesses = Witnesses.of(trusted)
                if witnesses is not None:
                    asking.callback(witnesses.close)
                anchor_path, given_up = folder / ANCHOR_FILE, 0
                if options.recovery is not None:
                    anchored = newest_anchored(anchor_path, signer.vkey)
                    given_up = check_recovery(
                        options.recovery, table, anchored, witnesses, signer, clock
                    )
                    anchor_path = recovering_path(anchor_path)
                anchor = opened.enter_context(closing(AnchorFile(anchor_path, signer.vkey)))
                sequencer = Sequencer(
                    table,
                    signer,
                    anchor,
                    clock,
                    admission,
                    witnesses=witnesses,
                    given_up=given_up,
                )
            ledger = cls(
                database,
                sequencer,
                table,
                anchor,
                signer,
                origin,
                options,
                admission,
                trusted,
                suites,
            )
            # Whoever has the ledger closes it; until here a refusal leaves nothing open.
            opened.pop_all()
        if options.recovery is not None:
            try:
                ledger.append(options.recovery)
                lay_aside(folder / ANCHOR_FILE, given_up)
            except BaseException:
                ledger.close()
                raise
        return ledger

    def append(self, envelope: bytes, timeout_s: float = APPEND_TIMEOUT_S) -> bytes:
        """Record one signed statement and return its receipt (C2SP tlog-proof bytes).

        The same statement again returns the same receipt. Raises FormatError, Refused,
        ConflictError, BusyError, OutcomeUnknownError or StoppedError.
        """
        return raised(self.append_batch([envelope], timeout_s)[0])

    def append_batch(
        self, envelopes: Sequence[bytes], timeout_s: float = APPEND_TIMEOUT_S
    ) -> list[Outcome]:
        """Record statements in one go; one receipt or error each, in order. It is not atomic."""
        return self._appending().append_batch(envelopes, timeout_s)

    async def append_async(self, envelope: bytes, timeout_s: float = APPEND_TIMEOUT_S) -> bytes:
        """Like `append`, for a coroutine."""
        return raised((await self.append_batch_async([envelope], timeout_s))[0])

    async def append_batch_async(
        self, envelopes: Sequence[bytes], timeout_s: float = APPEND_TIMEOUT_S
    ) -> list[Outcome]:
        """Like `append_batch`, for a coroutine."""
        return await self._appending().append_batch_async(envelopes, timeout_s)

    def check_ready(self) -> None:
        """Raise MingzhangError unless the database answers and the sequencer has not stopped."""
        self._rows("SELECT 1")
        if self._sequencer is not None and self._sequencer.stopped is not None:
            raise StoppedError(f"nothing more is signed: {self._sequencer.stopped}")

    def halt(self, reason: str) -> None:
        """Sign nothing more in this process; what is under way is finished first."""
        if self._sequencer is not None:
            self._sequencer.halt(reason)

    def actor_of(self, keyid: str) -> str | None:
        """Return the actor whom a key id is registered for, as this process has followed it."""
        if self._sequencer is None:
            return None
        key = self._sequencer.head.tip.world.keys.get(keyid)
        return key.actor if key is not None else None

    @property
    def given_up(self) -> int:
        """The size of an earlier history that an entry `ledger.recovered` gave up, 0 without."""
        if self._sequencer is None or self._sequencer.head.tip.world.organisation is None:
            return 0
        return self._sequencer.head.tip.world.organisation.given_up

    def close(self) -> None:
        """Finish what is queued, record the newest note, and let go of the database."""
        if self._queue is not None:
            self._queue.close()
        if self._tiler is not None:
            self._tiler.close()
        for each in self._closing:
            each.close()
        self._pool.close()
        self.database.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _appending(self) -> AppendQueue:
        if self._queue is None:
            raise MingzhangError("this ledger was opened for reading only")
        return self._queue
