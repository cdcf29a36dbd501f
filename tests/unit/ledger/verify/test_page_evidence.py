from __future__ import annotations

from typing import Any

import pytest

from ledger import canonical
from ledger.errors import FormatError
from ledger.log.checkpoint import Checkpoint, sign
from ledger.log.merkle import Node, consistency_proof, inclusion_proof, leaf_hash, root_of
from ledger.signing import encode_base64
from ledger.verify.page_evidence import is_page_evidence, parse, verify_page_evidence
from tests.support.organisation import ORIGIN
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER

HONEST = [leaf_hash(b"%d" % n) for n in range(9)]
REWRITTEN = [leaf_hash(b"forged"), *HONEST[1:]]


def signed(leaves: list[bytes], size: int, signer: Any = LOG_SIGNER) -> bytes:
    return sign(Checkpoint(ORIGIN, size, root_of(leaves[:size])), signer)


def proof_in(leaves: list[bytes], older: int) -> list[str]:
    def get(node: Node) -> bytes:
        level, at = node
        return root_of(leaves[at << level : (at + 1) << level])

    return [encode_base64(each) for each in consistency_proof(older, len(leaves), get)]


def evidence(**changed: Any) -> bytes:
    """Return evidence of a rewritten history; bytes are encoded, None leaves a member out."""
    value = {
        "at": "2026-01-05T09:00:00+08:00",
        "detail": "the tree of size 9 has another past at size 5",
        "kind": "mingzhang.evidence.v1",
        "reason": "history",
        "vkey": LOG_SIGNER.vkey.text,
        "kept": signed(HONEST, 5),
        "seen": signed(REWRITTEN, 9),
        "root": root_of(REWRITTEN[:5]),
        "proof": proof_in(REWRITTEN, 5),
    } | changed
    encoded = {
        name: encode_base64(each) if isinstance(each, bytes) else each
        for name, each in value.items()
        if each is not None
    }
    return canonical.dumps(encoded)


@pytest.mark.parametrize("size", [4, 5, 8])
def test_a_rewritten_history_is_proven(size: int) -> None:
    data = evidence(
        kept=signed(HONEST, size),
        root=root_of(REWRITTEN[:size]),
        proof=proof_in(REWRITTEN, size),
    )
    report = verify_page_evidence(data, LOG_SIGNER.vkey)
    assert report.fork
    assert "FORK" in report.lines()[-1]


def test_it_is_proven_too_where_the_newer_tree_was_seen_first() -> None:
    assert verify_page_evidence(
        evidence(kept=signed(REWRITTEN, 9), seen=signed(HONEST, 5)), LOG_SIGNER.vkey
    ).fork


def test_two_roots_of_one_size_are_proof_by_themselves() -> None:
    data = evidence(kept=signed(HONEST, 9), root=None, proof=None)
    assert verify_page_evidence(data, LOG_SIGNER.vkey).fork


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"seen": signed(HONEST, 9), "proof": proof_in(HONEST, 5), "root": root_of(HONEST[:5])},
            "continues",
        ),
        ({"root": b"\x01" * 32}, "does not belong to the newer tree"),
        ({"proof": proof_in(HONEST, 4)}, "does not belong to the newer tree"),
        ({"proof": None}, "no proof between"),
        ({"kept": signed(HONEST, 5, OTHER_SIGNER)}, "kept is not the log's"),
        ({"seen": signed(REWRITTEN, 9, OTHER_SIGNER)}, "seen is not the log's"),
        ({"seen": b"not a note"}, "seen is not the log's"),
        ({"kept": None}, "seen, of size 9, is signed"),
        ({"vkey": OTHER_SIGNER.vkey.text, "kept": None}, "another key"),
    ],
)
def test_what_anybody_could_have_made_proves_nothing(changed: dict[str, Any], said: str) -> None:
    report = verify_page_evidence(evidence(**changed), LOG_SIGNER.vkey)
    assert not report.fork
    assert said in "\n".join(report.lines())
    assert "NOT PROVEN" in report.lines()[-2]


def test_an_entry_that_is_not_in_the_log_is_said_to_be_so() -> None:
    def get(node: Node) -> bytes:
        level, at = node
        return root_of(HONEST[at << level : (at + 1) << level])

    proof = [encode_base64(each) for each in inclusion_proof(3, 9, get)]
    given: dict[str, Any] = {
        "reason": "entry",
        "kept": None,
        "root": None,
        "seen": signed(HONEST, 9),
        "index": 3,
        "proof": proof,
    }
    good = verify_page_evidence(evidence(**given, entry=b"3"), LOG_SIGNER.vkey)
    assert "the entry is number 3" in "\n".join(good.lines())
    bad = verify_page_evidence(evidence(**given, entry=b"33"), LOG_SIGNER.vkey)
    assert "the entry shown is not in the log" in "\n".join(bad.lines())


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "mingzhang.evidence.v2"},
        {"odd": "member"},
        {"detail": 1},
        {"root": b"\x01" * 31},
        {"proof": "x"},
        {"proof": [1]},
        {"index": -1},
        {"kept": "A"},
        {"kept": 5},
    ],
)
def test_what_is_not_exactly_evidence_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        parse(evidence(**changed))


def test_a_file_of_evidence_is_known_by_its_content() -> None:
    assert is_page_evidence(evidence())
    assert not is_page_evidence(b"c2sp.org/tlog-proof@v1\n")
    with pytest.raises(FormatError):
        parse(evidence() + b"\n")
