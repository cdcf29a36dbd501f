"""What this project writes is read by an implementation that shares no code with it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from ledger.log.merkle import inclusion_proof, leaf_hash, root_of
from ledger.log.receipt import Receipt, encode
from tests.conformance import independent
from tests.support.organisation import ORIGIN, Organisation
from tests.support.static_log import LOG_SIGNER, small_log, write_log

VKEY = LOG_SIGNER.vkey.text


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    return small_log(Organisation(), awards=600).entries


@pytest.fixture(scope="module")
def log(entries: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    write_log(folder, entries)
    return folder


def test_the_reader_shares_no_code_with_the_project() -> None:
    source = Path(independent.__file__).read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
    }
    assert imported.isdisjoint({"ledger", "projections", "api", "ops", "tests", "nacl", "orjson"})


def test_it_reads_checkpoint_tiles_and_entries(log: Path, entries: list[bytes]) -> None:
    head = independent.open_head((log / "checkpoint").read_bytes(), VKEY)
    assert (head.origin, head.size) == (ORIGIN, len(entries))
    read = independent.read_entries(log, head.size)
    assert read == entries
    leaves = [independent.sha256(b"\x00" + each) for each in read]
    assert independent.tree_root(leaves) == head.root
    assert independent.check_hash_tiles(log, leaves) == 4


def test_it_verifies_every_signature_and_chain(entries: list[bytes]) -> None:
    assert independent.check_signatures(entries) > 1_200
    assert independent.check_chains(entries) == 13


def test_it_verifies_a_receipt(log: Path, entries: list[bytes]) -> None:
    note = (log / "checkpoint").read_bytes()
    leaves = [leaf_hash(each) for each in entries]

    def get(node: tuple[int, int]) -> bytes:
        level, index = node
        return root_of(leaves[index << level : (index + 1) << level])

    for index in (0, 1, 255, 256, len(entries) - 1):
        proof = tuple(inclusion_proof(index, len(entries), get))
        receipt = encode(Receipt(entries[index], index, proof, note))
        head, found, entry = independent.open_receipt(receipt, VKEY)
        assert (head.size, found, entry) == (len(entries), index, entries[index])


def test_it_refuses_a_checkpoint_that_was_changed(log: Path) -> None:
    note = (log / "checkpoint").read_bytes()
    with pytest.raises(InvalidSignature):
        independent.open_head(note.replace(b"\n6", b"\n7", 1), VKEY)
