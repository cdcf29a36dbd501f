"""Fault 7: one bit flips, on disk or in memory, or an insider edits a row.

It is found by start-up, by the append, by a reader or by the verification, or does no harm; it is
never signed over: every note that is signed afterwards is of the history that was there before.
"""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.entry import parse_entry
from ledger.errors import MingzhangError, StartRefusedError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.merkle import Edge, leaf_hash, root_of
from ledger.log.note import VerifierKey
from ledger.log.receipt import parse, verify_receipt
from ledger.store import sequencer
from ledger.store.anchor import AnchorFile
from ledger.store.batch import Batch
from ledger.store.embedded import EmbeddedServer
from ledger.store.ledger import Ledger
from ledger.store.port import Row, Stored
from ledger.store.publish import export
from ledger.store.sequencer import STEPS, Sequencer
from ledger.store.table import EntryTable
from ledger.verify.whole import verify_log
from tests.support.processes import Workers, await_that, award_now, found, rounds
from tests.support.servers import WHEEL, kill_server, scratch_folder

ROUNDS = rounds(50)
AWARDS = 600
pytestmark = pytest.mark.timeout(120 + 6 * ROUNDS)


@dataclass(frozen=True)
class Template:
    """A ledger that nobody has open, and the entries that it holds; it is copied, not used."""

    data: Path
    states: list[bytes]


@dataclass(frozen=True)
class Originals:
    """One ledger at several moments, and where things lie in its files."""

    vkey: VerifierKey
    early: Template
    clean: Template
    unsummed: Template
    crashed: Template
    files: dict[str, Path]
    wal: tuple[Path, range]
    tile_pieces: list[bytes]


@pytest.fixture(scope="module")
def originals() -> Iterator[Originals]:
    with scratch_folder("data") as data:
        vkey = found(data, None)
        early = copied(data, "early", states_of(data))
        with Ledger.open(data) as ledger:
            for _ in range(6):
                ledger.append_batch([award_now() for _ in range(AWARDS // 6)])
            with superuser(data) as connection:
                await_that(lambda: len(rows(connection, "SELECT FROM mingzhang.tile")) == 2)
                connection.execute("VACUUM FREEZE")
                tiles = rows(connection, "SELECT data, root FROM mingzhang.tile ORDER BY n")
                files = relation_files(connection)
        clean = copied(data, "clean", states_of(data))
        unsummed = copied(data, "unsummed", clean.states)
        pg_checksums(unsummed.data, "--disable")
        wal = crash(data)
        server_states = [*clean.states, *wal[2]]
        pieces = [each for row in tiles for each in (row[0][1000:1016], row[1])]
        crashed = Template(data, server_states)
        yield Originals(vkey, early, clean, unsummed, crashed, files, wal[:2], pieces)


def states_of(data: Path) -> list[bytes]:
    with Ledger.open(data) as ledger:
        return ledger.entries(0, ledger.size())


def superuser(data: Path) -> psycopg.Connection[Any]:
    """Connect to the embedded database of a ledger that is open."""
    lines = (data / "postgres" / "postmaster.pid").read_text().split("\n")
    conninfo = make_conninfo(host=lines[4], port=lines[3], user="postgres", dbname="mingzhang")
    return psycopg.connect(conninfo, autocommit=True)


def rows(connection: psycopg.Connection[Any], sql: str) -> list[Any]:
    return connection.execute(sql.encode()).fetchall()


def relation_files(connection: psycopg.Connection[Any]) -> dict[str, Path]:
    """Return the file, below the cluster's folder, of each table and index of the log."""
    found_files = rows(
        connection,
        "SELECT c.relname, pg_relation_filepath(c.oid) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'mingzhang' AND c.relkind IN ('r', 'i') "
        "UNION ALL SELECT 'toast', pg_relation_filepath(reltoastrelid) FROM pg_class "
        "WHERE oid = 'mingzhang.tile'::regclass",
    )
    return {name: Path(path) for name, path in found_files}


def copied(data: Path, name: str, states: list[bytes]) -> Template:
    target = data.parent / name
    subprocess.run(["cp", "-a", "--reflink=auto", str(data), str(target)], check=True)
    return Template(target, states)


def pg_checksums(data: Path, what: str) -> None:
    subprocess.run(
        [str(WHEEL / "pginstall18" / "bin" / "pg_checksums"), what, "-D", str(data / "postgres")],
        check=True,
        capture_output=True,
    )


def crash(data: Path) -> tuple[Path, range, list[bytes]]:
    """Append, and kill the server before its pages are written: the WAL alone has the entries."""
    server = EmbeddedServer(data / "postgres")
    with superuser(data) as connection:
        connection.execute("CHECKPOINT")
        ((size,),) = rows(connection, "SELECT size FROM mingzhang.head")
        place = "SELECT (pg_walfile_name_offset(pg_current_wal_lsn())).*"
        ((_, start),) = rows(connection, place)
        workers = Workers(data.parent, data, None)
        worker = workers.start(threads=2, each=25)
        worker.await_ready()
        worker.await_done()
        added = "SELECT state FROM mingzhang.entry WHERE index >= {} ORDER BY index"
        states = [state for (state,) in rows(connection, added.format(size))]
        ((name, stop),) = rows(connection, place)
        worker.kill()
        kill_server(data / "postgres")
    server.close()
    return Path("postgres", "pg_wal", name), range(start, stop), states


# -- the faults --------------------------------------------------------------------------------

Fault = Callable[[Originals, Path, random.Random], None]


def flip(path: Path, at: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def flip_somewhere(path: Path, dice: random.Random) -> None:
    flip(path, dice.randrange(path.stat().st_size), dice.randrange(8))


def flip_in(path: Path, piece: bytes, dice: random.Random) -> None:
    """Flip a bit of a piece of bytes that lies in the file once."""
    at = path.read_bytes().index(piece)
    flip(path, at + dice.randrange(len(piece)), dice.randrange(8))


def heap(all_: Originals, data: Path, dice: random.Random) -> None:
    flip_somewhere(data / "postgres" / all_.files["entry"], dice)


def index(all_: Originals, data: Path, dice: random.Random) -> None:
    name = dice.choice(["entry_pkey", "entry_id", "entry_stream_seq", "checkpoint_pkey"])
    flip_somewhere(data / "postgres" / all_.files[name], dice)


def small_table(all_: Originals, data: Path, dice: random.Random) -> None:
    name = dice.choice(["head", "checkpoint", "migration", "toast"])
    flip_somewhere(data / "postgres" / all_.files[name], dice)


def wal(all_: Originals, data: Path, dice: random.Random) -> None:
    path, places = all_.wal
    flip(data / path, dice.choice(places), dice.randrange(8))


def entry_bytes_unseen(all_: Originals, data: Path, dice: random.Random) -> None:
    """A bit of an entry flips before its page's checksum is made."""
    flip_in(data / "postgres" / all_.files["entry"], dice.choice(all_.unsummed.states), dice)
    pg_checksums(data, "--enable")


def leaf_unseen(all_: Originals, data: Path, dice: random.Random) -> None:
    leaf = leaf_hash(dice.choice(all_.unsummed.states))
    flip_in(data / "postgres" / all_.files["entry"], leaf, dice)
    pg_checksums(data, "--enable")


def tile_unseen(all_: Originals, data: Path, dice: random.Random) -> None:
    piece = dice.choice(all_.tile_pieces)
    for name in ("tile", "toast"):
        path = data / "postgres" / all_.files[name]
        if piece in path.read_bytes():
            flip_in(path, piece, dice)
    pg_checksums(data, "--enable")


def anchor(all_: Originals, data: Path, dice: random.Random) -> None:
    path = data / "anchor"
    used = [at for at, byte in enumerate(path.read_bytes()) if byte]
    flip(path, dice.choice(used), dice.randrange(8))


ON_DISK: list[tuple[str, Fault]] = [
    ("clean", heap),
    ("clean", index),
    ("clean", small_table),
    ("crashed", wal),
    ("unsummed", entry_bytes_unseen),
    ("unsummed", leaf_unseen),
    ("unsummed", tile_unseen),
    ("clean", anchor),
]


# -- the judge ---------------------------------------------------------------------------------


def judge(
    originals: Originals, template: Template, data: Path, hook: Callable[[Ledger], None]
) -> str:
    """Use the ledger in `data`; return what found the fault, or that it did no harm.

    Fails where anything is signed for another history, or read wrong and not found.
    """
    try:
        ledger = Ledger.open(data)
    except StartRefusedError:
        return "start"
    with ledger:
        receipts: list[bytes] = []
        refused = False
        hook(ledger)
        try:
            receipts += [ledger.append(award_now(f"m-{1 + n}")) for n in range(4)]
        except MingzhangError:
            refused = True
        check_signed(originals, template, ledger, receipts)
        if refused:
            return "append"
        return read_all(originals, template, ledger, data.parent / f"{data.name}-export")


def check_signed(
    originals: Originals, template: Template, ledger: Ledger, receipts: list[bytes]
) -> None:
    """Every note that is there now is of the first history, with what was appended to it."""
    leaves = [leaf_hash(state) for state in template.states]
    notes = []
    for receipt in map(parse, receipts):
        verify_receipt(receipt, originals.vkey)
        assert receipt.index == len(leaves), "an entry was put where another one was"
        leaves.append(leaf_hash(receipt.entry))
        notes.append(receipt.checkpoint)
    # The table of notes may be what was damaged.
    with suppress(MingzhangError):
        notes.append(ledger.checkpoint())
    for note in notes:
        signed = open_checkpoint(note, originals.vkey)
        assert signed.root == root_of(leaves[: signed.size]), f"signed over at size {signed.size}"


def read_all(originals: Originals, template: Template, ledger: Ledger, folder: Path) -> str:
    size = len(template.states)
    try:
        states = ledger.entries(0, size)
        served = [ledger.tile(0, n) for n in range(size // 256)]
        for member in ("m-1", "m-2", "m-3", "m-4"):
            ledger.stream(f"member/{member}", limit=1000)
    except MingzhangError:
        return "read"
    try:
        export(ledger, folder, originals.vkey)
    except MingzhangError:
        return "verify"
    assert verify_log(str(folder), originals.vkey, workers=0).ok
    assert states == template.states, "what is read is not what was recorded, and nothing says so"
    for state in states:
        try:
            verify_receipt(parse(ledger.receipt(parse_entry(state).statement.id)), originals.vkey)
        except MingzhangError:
            # Whoever gets a receipt checks it, if the ledger does not.
            return "receipt"
    for n, tile in enumerate(served):
        leaves = [leaf_hash(state) for state in states[n * 256 : (n + 1) * 256]]
        if tile != b"".join(leaves):
            # Whoever fetches a tile holds it against the signed root.
            return "tile"
    return "no harm"


def no_hook(ledger: Ledger) -> None:
    """Nothing more happens to it."""


def tried(
    originals: Originals,
    template: Template,
    name: str,
    fault: Callable[[Path], None],
    hook: Callable[[Ledger], None] = no_hook,
) -> str:
    """Copy a template, do something to it, and judge what comes of it."""
    copy = copied(template.data, name, template.states)
    try:
        fault(copy.data)
        return judge(originals, template, copy.data, hook)
    finally:
        for made in (copy.data, copy.data.parent / f"{name}-export"):
            subprocess.run(["rm", "-rf", str(made)], check=True)


@pytest.mark.parametrize(("template", "fault"), ON_DISK, ids=[each.__name__ for _, each in ON_DISK])
def test_a_bit_that_flips_on_disk_is_found_or_does_no_harm(
    originals: Originals, template: str, fault: Fault
) -> None:
    dice = random.Random(fault.__name__)
    where: Counter[str] = Counter()
    source = getattr(originals, template)
    for number in range(-(-ROUNDS // len(ON_DISK))):
        name = f"flip-{number}"
        where[tried(originals, source, name, lambda data: fault(originals, data, dice))] += 1
    print(f"{fault.__name__}: {dict(where)}")
    if fault in (entry_bytes_unseen, leaf_unseen):
        assert not where["no harm"]


def test_an_undamaged_copy_is_judged_sound(originals: Originals) -> None:
    for template in (originals.clean, originals.crashed):
        assert tried(originals, template, "sound", lambda data: None) == "no harm"


def test_a_bit_that_flips_in_the_edge_in_memory_is_never_signed(originals: Originals) -> None:
    dice = random.Random(7)
    for number in range(5):

        def flip_edge(ledger: Ledger) -> None:
            assert ledger._sequencer is not None
            tip = ledger._sequencer.head.tip
            place = dice.randrange(len(tip.edge.peaks))
            peaks = list(tip.edge.peaks)
            peaks[place] = flipped(peaks[place], dice)
            tip.edge = Edge(tip.edge.size, tuple(peaks))

        name = f"edge-{number}"
        assert tried(originals, originals.clean, name, lambda data: None, flip_edge) == "append"


def flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def flip_what_is_read_back(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    dice = random.Random(field)
    append = EntryTable.append

    def flipping(
        self: EntryTable, batch: list[Row], expected: bytes, note: bytes | None
    ) -> list[Stored] | None:
        stored = append(self, batch, expected, note)
        assert stored is not None
        return [each._replace(**{field: flipped(getattr(each, field), dice)}) for each in stored]

    monkeypatch.setattr(EntryTable, "append", flipping)


@pytest.mark.parametrize("field", ["state", "leaf"])
def test_a_bit_that_flips_on_the_way_back_from_the_database_is_never_signed(
    originals: Originals, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    flip_what_is_read_back(monkeypatch, field)
    assert tried(originals, originals.clean, "read-back", lambda data: None) == "append"


def test_an_old_copy_of_the_database_is_not_signed_on(originals: Originals) -> None:
    """The anchor is ahead of it: what was acknowledged in between would be forked away."""
    assert tried(originals, originals.early, "old", newer_anchor(originals)) == "start"


def newer_anchor(originals: Originals) -> Callable[[Path], None]:
    def put(data: Path) -> None:
        (data / "anchor").write_bytes((originals.clean.data / "anchor").read_bytes())

    return put


# -- planted -----------------------------------------------------------------------------------


def test_a_check_that_trusts_the_databases_leaf_hash_is_caught(
    originals: Originals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: what happened to a log in 2022, when one flipped bit of a leaf hash was signed."""

    def trusting(self: Sequencer, batch: Batch) -> None:
        if batch.stored is not None:
            leaves = [each.leaf for each in batch.stored]
            batch.edge = self.head.tip.edge.extend(leaves, batch.nodes)

    steps = [(name, trusting if name == "check" else step) for name, step in STEPS]
    monkeypatch.setattr(sequencer, "STEPS", steps)
    flip_what_is_read_back(monkeypatch, "leaf")
    with pytest.raises((AssertionError, MingzhangError), match=r"signed over|does not lead"):
        tried(originals, originals.clean, "trusting", lambda data: None)


def test_a_start_that_ignores_the_anchor_is_caught(
    originals: Originals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: an old copy is then signed on, and the judge, who knows more, sees the fork."""
    monkeypatch.setattr(AnchorFile, "newest", lambda self: None)
    forked = replace(originals.early, states=originals.clean.states)
    with pytest.raises(AssertionError, match=r"put where another one was|signed over"):
        tried(originals, forked, "ignoring", newer_anchor(originals))


# -- an insider --------------------------------------------------------------------------------


def edit(data: Path, at: int) -> None:
    """Change one entry as the database's superuser can: the leaf hash beside it follows."""
    with superuser(data) as connection:
        connection.execute("SET session_replication_role = replica")
        ((state,),) = rows(connection, f"SELECT state FROM mingzhang.entry WHERE index = {at}")
        changed = state.replace(b'"recorded_at":"2', b'"recorded_at":"1')
        assert changed != state
        connection.execute("UPDATE mingzhang.entry SET state = %s WHERE index = %s", (changed, at))


@pytest.mark.parametrize(
    ("at", "by"),
    [(300, "verify"), (-1, "start"), (3, "start")],
    ids=["under a full tile", "in the last tile", "what decisions rest on"],
)
def test_an_insiders_edit_is_found_at_the_next_start_or_by_the_verification(
    originals: Originals, at: int, by: str
) -> None:
    """Under full tiles a start reads what decisions rest on; points are for the verification."""
    place = at if at >= 0 else len(originals.clean.states) + at

    def edit_closed(data: Path) -> None:
        with Ledger.open(data):
            edit(data, place)

    assert tried(originals, originals.clean, "insider", edit_closed) == by


@pytest.mark.parametrize("at", [300, -1], ids=["under a full tile", "in the last tile"])
def test_an_insiders_edit_under_a_running_ledger_is_not_signed_over(
    originals: Originals, at: int
) -> None:
    """The running one goes on with the tree that it has; the verification finds the edit."""
    place = at if at >= 0 else len(originals.clean.states) + at
    found_by = tried(
        originals,
        originals.clean,
        "running",
        lambda data: None,
        lambda ledger: edit(originals.clean.data.parent / "running", place),
    )
    assert found_by == "verify"
