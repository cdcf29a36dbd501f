"""The witness's decisions, one status at a time (C2SP tlog-witness)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError, ProofError
from ledger.log import checkpoint, note, witness
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import EMPTY_ROOT
from ledger.log.note import Signer
from ledger.log.witness import NOTHING, Accepted, Kept, Rejected, Request, decide
from ledger.signing import encode_base64
from tests.support.organisation import key_of
from tests.support.witnesses import COSIGNER, LOG, Tree

LOGS = {LOG.name: [LOG.vkey]}
TREE = Tree()
HASH = encode_base64(bytes(32))


def kept(size: int) -> Kept:
    return Kept(size, TREE.checkpoint(size).root) if size else NOTHING


def ask(old: int, new: int, at: int | None = None, tree: Tree = TREE) -> Accepted | Rejected:
    return decide(Request(old, tree.proof(old, new), tree.note(new)), LOGS, kept(at or old))


@given(st.integers(0, 40), st.integers(0, 40))
def test_what_extends_the_kept_head_is_accepted_and_cosigned(old: int, more: int) -> None:
    found = ask(old, old + more)
    assert isinstance(found, Accepted)
    assert found.kept.size == old + more
    line, shown = found.cosigned(COSIGNER, 1_700_000_000)
    assert COSIGNER.vkey.check(found.text, note.parse_signature(line).signature) == 1_700_000_000
    assert note.verify(shown, [LOG.vkey]).text == found.text
    assert witness.head_of(shown) == found.kept


@given(st.integers(1, 40), st.integers(0, 40))
def test_another_history_is_422_at_any_size(old: int, more: int) -> None:
    other = Tree("another history")
    request = Request(old, other.proof(old, old + more), other.note(old + more))
    found = decide(request, LOGS, kept(old))
    assert isinstance(found, Rejected)
    assert found.status == 422


def test_another_old_size_is_409_with_the_kept_size_in_its_own_media_type() -> None:
    for old, at in ((0, 7), (5, 7), (8, 7)):
        assert ask(old, 9, at) == Rejected(409, b"7\n", "text/x.tlog.size")


def test_an_old_size_above_the_checkpoint_is_400() -> None:
    found = decide(Request(9, (), TREE.note(8)), LOGS, kept(9))
    assert isinstance(found, Rejected)
    assert found.status == 400


def test_an_unknown_log_is_404_before_its_signature_is_looked_at() -> None:
    stranger = Tree(signer=Signer("stranger.example", key_of("stranger")))
    found = ask(0, 3, tree=stranger)
    assert isinstance(found, Rejected)
    assert found.status == 404


def bad_beside_good() -> bytes:
    bad = LOG.sign("another text\n").decode().split("\n\n")[1]
    return TREE.note(3) + bad.encode()


@pytest.mark.parametrize(
    "signed",
    [
        checkpoint.sign(TREE.checkpoint(3), Signer(LOG.name, key_of("a thief"))),
        bad_beside_good(),
    ],
)
def test_no_trusted_signature_and_a_bad_one_are_403(signed: bytes) -> None:
    found = decide(Request(0, (), signed), LOGS, NOTHING)
    assert isinstance(found, Rejected)
    assert found.status == 403


def test_a_proof_from_nothing_must_be_empty() -> None:
    found = decide(Request(0, (bytes(32),), TREE.note(3)), LOGS, NOTHING)
    assert isinstance(found, Rejected)
    assert found.status == 422


def test_an_empty_tree_has_the_empty_root() -> None:
    empty = checkpoint.sign(Checkpoint(LOG.name, 0, EMPTY_ROOT), LOG)
    assert isinstance(decide(Request(0, (), empty), LOGS, NOTHING), Accepted)
    wrong = checkpoint.sign(Checkpoint(LOG.name, 0, bytes(32)), LOG)
    found = decide(Request(0, (), wrong), LOGS, NOTHING)
    assert isinstance(found, Rejected)
    assert found.status == 422


def test_what_is_kept_has_checked_signatures_only_and_extension_lines_are_cosigned() -> None:
    text = TREE.checkpoint(3).body() + "an extension of another log's\n"
    stranger = Signer("stranger.example", key_of("stranger")).sign(text).decode()
    signed = LOG.sign(text) + stranger.split("\n\n")[1].encode()
    found = decide(Request(0, (), signed), LOGS, NOTHING)
    assert isinstance(found, Accepted)
    line, shown = found.cosigned(COSIGNER, 5)
    assert b"stranger.example" not in shown
    assert shown.startswith(text.encode())
    with pytest.raises(ProofError):
        COSIGNER.vkey.check(TREE.checkpoint(3).body(), note.parse_signature(line).signature)


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_a_request_is_read_back_from_its_bytes(old: int, proof: list[bytes]) -> None:
    request = Request(old, tuple(proof), TREE.note(3))
    assert witness.parse_request(witness.encode_request(request)) == request


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("old 1", "no blank line"),
        ("old 01\n\n", "without leading zeros"),
        ("old +1\n\n", "without leading zeros"),
        ("old -1\n\n", "without leading zeros"),
        ("old \n\n", "without leading zeros"),
        ("old  1\n\n", "without leading zeros"),
        ("old 1 \n\n", "without leading zeros"),
        ("old 1\r\n\n", "without leading zeros"),
        (f"old {2**63}\n\n", "without leading zeros"),
        ("new 1\n\n", "without leading zeros"),
        ("\n\n", "without leading zeros"),
        (f"old 1\n{HASH[:-1]}\n\n", "not base64"),
        (f"old 1\n{HASH[:-2]}B=\n\n", "not canonical"),
        (f"old 1\n{encode_base64(bytes(31))}\n\n", "32 are needed"),
        (f"old 1\n{HASH} \n\n", "not base64"),
        ("old 1\né\n\n", "not ASCII"),
        ("old 1\n" + f"{HASH}\n" * 64 + "\n", "63 at most"),
        ("old 1\n\n" + "x" * 16_384, "at most 16384"),
    ],
)
def test_what_is_not_exactly_a_request_is_refused(head: str, reason: str) -> None:
    body = head.encode() + (TREE.note(3) if head.endswith("\n\n") else b"")
    with pytest.raises(FormatError, match=reason):
        witness.parse_request(body)
