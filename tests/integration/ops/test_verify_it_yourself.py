"""`ops/verify-it-yourself.md` does what it says, on a log as exported, and finds forgeries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from ledger.entry import entry_bytes, parse_entry
from ledger.log import checkpoint, receipt
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import Edge, inclusion_proof, leaf_hash
from ledger.log.timestamp import query
from tests.support.organisation import Organisation
from tests.support.static_log import LOG_SIGNER, small_log, write_log
from tests.support.tsa import Tsa

PAGE = Path(__file__).parents[3] / "ops" / "verify-it-yourself.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text())
KEY, SIGNED, RECEIPT, INCLUDED, WHO, SIGNERS, WHOLE, STAMPED, GO = range(len(BLOCKS))
INDEX = 300


def run(folder: Path, number: int) -> subprocess.CompletedProcess[str]:
    """Run one block of the page; Python without our package or any other."""
    language, text = BLOCKS[number]
    words = ["bash", "-euo", "pipefail", "-c"] if language == "sh" else [sys.executable, "-I", "-c"]
    return subprocess.run(
        [*words, text], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )


def said(folder: Path, number: int) -> str:
    done = run(folder, number)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the page asks for."""
    folder = tmp_path_factory.mktemp("yourself")
    entries = small_log(Organisation(), 600).entries
    nodes: dict[tuple[int, int], bytes] = {}
    edge = Edge.empty().extend([leaf_hash(each) for each in entries[:400]], nodes)
    older = checkpoint.sign(Checkpoint(LOG_SIGNER.name, 400, edge.root()), LOG_SIGNER)
    proof = tuple(inclusion_proof(INDEX, 400, nodes.__getitem__))
    given = receipt.encode(receipt.Receipt(entries[INDEX], INDEX, proof, older))
    write_log(folder / "log", entries)
    tsa = Tsa(folder.with_name("tsa"))
    stamped = folder / "log" / "timestamps" / "400"
    stamped.mkdir(parents=True)
    (stamped / "checkpoint").write_bytes(older)
    (stamped / "tsa.example.tsr").write_bytes(tsa.reply(query(older).data))
    (folder / "log.vkey").write_text(LOG_SIGNER.vkey.text + "\n")
    (folder / "receipt.tlog-proof").write_bytes(given)
    (folder / "older.checkpoint").write_bytes(older)
    shutil.copy(tsa.roots, folder / "tsa-roots.pem")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "yourself"))


def test_every_command_and_program_does_what_the_page_says(folder: Path) -> None:
    assert said(folder, KEY) == "the verifier key is whole\n"
    assert said(folder, SIGNED) == "Signature Verified Successfully\n"
    assert said(folder, RECEIPT) == "Signature Verified Successfully\n"
    assert said(folder, INCLUDED) == "the entry is in the log\n"
    shown = sorted(line.split()[1:] for line in said(folder, WHO).splitlines())
    assert shown == [["ed25519", "com-1"], ["ed25519", "rec-1"]]
    assert said(folder, SIGNERS) == "Signature Verified Successfully\n" * 2
    assert said(folder, WHOLE) == (
        "all entries are those of the signed tree, and every stream is a chain\n"
        "the log continues the older checkpoint\n"
    )
    assert re.fullmatch(r"Verification: OK\nTime stamp: .* GMT\n", said(folder, STAMPED))


@pytest.mark.skipif(
    shutil.which("fsck.tessera") is None, reason="no Tessera fsck: name it fsck.tessera"
)
def test_tesseras_fsck_reads_the_log(folder: Path) -> None:
    command = BLOCKS[GO][1].splitlines()[1].replace("fsck ", "fsck.tessera ", 1)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "Successfully" in done.stderr


def test_another_checkpoint_key_or_signature_is_noticed(folder: Path) -> None:
    said(folder, KEY)
    text = (folder / "log" / "checkpoint").read_text()
    size = text.split("\n")[1]
    (folder / "log" / "checkpoint").write_text(text.replace(size, str(int(size) - 1), 1))
    assert run(folder, SIGNED).returncode != 0
    vkey = (folder / "log.vkey").read_text()
    (folder / "log.vkey").write_text(vkey.replace("test.example", "best.example"))
    assert run(folder, KEY).returncode != 0


def test_another_entry_or_place_in_a_receipt_is_noticed(folder: Path) -> None:
    good = receipt.parse((folder / "receipt.tlog-proof").read_bytes())
    entries = small_log(Organisation(), 600).entries
    for entry, index in ((entries[INDEX - 1], INDEX), (good.entry, INDEX - 1)):
        forged = receipt.Receipt(entry, index, good.proof, good.checkpoint)
        (folder / "receipt.tlog-proof").write_bytes(receipt.encode(forged))
        said(folder, KEY)
        said(folder, RECEIPT)
        assert run(folder, INCLUDED).returncode != 0


def test_a_forged_signature_is_noticed(folder: Path) -> None:
    entry = parse_entry(small_log(Organisation(), 600).entries[INDEX])
    envelope = orjson.loads(entry.statement.envelope)
    one, two = envelope["signatures"]
    one["sig"], two["sig"] = two["sig"], one["sig"]
    forged = entry_bytes(
        entry.stream, entry.seq, entry.prev, entry.recorded_at, orjson.dumps(envelope)
    )
    (folder / "entry.json").write_bytes(forged)
    said(folder, WHO)
    assert run(folder, SIGNERS).returncode != 0


def test_a_changed_entry_and_a_rewritten_history_are_noticed(folder: Path) -> None:
    bundle = folder / "log" / "tile" / "entries" / "000"
    whole = bundle.read_bytes()
    changed_entry = whole.replace(b'"seq":2,', b'"seq":3,', 1)
    assert changed_entry != whole
    bundle.write_bytes(changed_entry)
    changed = run(folder, WHOLE)
    assert changed.returncode != 0
    assert "does not continue" in changed.stderr or "not those of the signed" in changed.stderr
    shutil.rmtree(folder / "log")
    write_log(folder / "log", small_log(Organisation(members=5), 600).entries)
    rewritten = run(folder, WHOLE)
    assert rewritten.returncode != 0
    assert "does not continue the older checkpoint" in rewritten.stderr


def test_a_token_on_another_checkpoint_is_noticed(folder: Path) -> None:
    shutil.copy(folder / "log" / "checkpoint", folder / "log" / "timestamps" / "400" / "checkpoint")
    assert run(folder, STAMPED).returncode != 0
