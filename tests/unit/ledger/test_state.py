"""State trees: a balance or a rank is proved by a path, an absence by neighbours."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError, ProofError
from ledger.log.merkle import EMPTY_ROOT
from ledger.state import (
    MEMBERS,
    RANKING,
    Absence,
    Leaf,
    MemberLeaf,
    RankingLeaf,
    StateProof,
    absence,
    check_absent,
    parse_leaf,
    parse_proof,
    prove,
    root,
)

HEAD = "ab" * 32
RECEIPT = b"c2sp.org/tlog-proof@v1\nextra eyJ9\n\norigin\n"


def members(count: int) -> list[MemberLeaf]:
    return [
        MemberLeaf(f"m-{number:03}", number + 1, HEAD, "east", "q1", 6000 + number, -number)
        for number in range(count)
    ]


def ranking(count: int) -> list[RankingLeaf]:
    return [
        RankingLeaf(number, number + 1, f"m-{count - number:03}", "east", "q1", 9000 - number)
        for number in range(count)
    ]


def body(leaves: list[Any], tree: str = MEMBERS) -> dict[str, Any]:
    return {"tree": tree, "period": "q1", "count": len(leaves), "root": root(leaves).hex()}


def test_a_leaf_is_the_bytes_that_formats_names() -> None:
    leaf = MemberLeaf("m-1", 7, HEAD, "east", "q1", 6250)
    wanted = f'{{"head":"{HEAD}","member":"m-1","merit":6250,"period":"q1","seq":7,"unit":"east"}}'
    assert leaf.data() == wanted.encode(), "the account that a type lacks is left out"
    place = RankingLeaf(0, 1, "m-1", "east", "q1", -50)
    wanted = '{"member":"m-1","period":"q1","position":0,"rank":1,"score":-50,"unit":"east"}'
    assert place.data() == wanted.encode()
    assert parse_leaf(leaf.data(), MEMBERS) == leaf
    assert parse_leaf(place.data(), RANKING) == place


def test_the_root_is_rfc_6962_over_the_leaves() -> None:
    one, two = (each.data() for each in members(2))
    left, right = (hashlib.sha256(b"\x00" + each).digest() for each in (one, two))
    assert root(members(2)) == hashlib.sha256(b"\x01" + left + right).digest()
    assert root([]) == EMPTY_ROOT


@given(st.integers(1, 40), st.data())
def test_every_leaf_is_proved_and_no_other_passes(count: int, data: st.DataObject) -> None:
    for leaves, tree in ((members(count), MEMBERS), (ranking(count), RANKING)):
        index = data.draw(st.integers(0, count - 1))
        proof = prove(leaves, index, RECEIPT)
        assert parse_proof(proof.data()) == proof
        sealed = body(list(leaves), tree)
        assert proof.check(sealed) == leaves[index]
        honest: Leaf = leaves[index]
        better: Leaf = (
            replace(honest, merit=9999)
            if isinstance(honest, MemberLeaf)
            else replace(honest, score=9999)
        )
        for forged in (
            replace(proof, leaf=better.data()),
            replace(proof, index=index + 1),
            replace(proof, hashes=(*proof.hashes, b"\x00" * 32)),
        ):
            with pytest.raises(ProofError):
                forged.check(sealed)


def test_a_proof_of_rank_is_its_place() -> None:
    leaves = ranking(5)
    wrong = [*leaves[:2], replace(leaves[2], position=0), *leaves[3:]]
    with pytest.raises(ValueError, match="out of order"):
        root(wrong)
    proof = prove(wrong, 2, RECEIPT)
    sealed = body(list(leaves), RANKING)
    with pytest.raises(ProofError):
        proof.check(sealed)


def test_a_leaf_of_another_period_or_tree_does_not_pass() -> None:
    leaves = members(3)
    proof = prove(leaves, 1, RECEIPT)
    with pytest.raises(ProofError, match="of period q1"):
        proof.check(body(list(leaves)) | {"period": "q2"})
    with pytest.raises(ProofError, match="tree"):
        proof.check(body(list(leaves)) | {"tree": RANKING})


@pytest.mark.parametrize(
    ("absent", "shown"),
    [("m-0015", [1, 2]), ("a", [0]), ("z", [4])],
)
def test_neighbours_prove_that_a_member_is_not_in_it(absent: str, shown: list[int]) -> None:
    leaves = members(5)
    proofs = [prove(leaves, index, RECEIPT) for index in shown]
    check_absent(absent, body(list(leaves)), proofs)


@pytest.mark.parametrize(
    ("absent", "shown", "reason"),
    [
        ("m-0015", [1, 3], "no neighbours"),
        ("m-0015", [1], "no neighbours"),
        ("m-0015", [2], "no neighbours"),
        ("z", [3], "no neighbours"),
        ("m-001", [0, 1], "is in the tree"),
        ("m-001", [0, 2], "no neighbours"),
    ],
)
def test_a_gap_proves_nothing(absent: str, shown: list[int], reason: str) -> None:
    leaves = members(5)
    proofs = [prove(leaves, index, RECEIPT) for index in shown]
    with pytest.raises(ProofError, match=reason):
        check_absent(absent, body(list(leaves)), proofs)


def test_nobody_is_in_an_empty_tree() -> None:
    check_absent("m-1", body([]), [])
    with pytest.raises(ProofError, match="hash of nothing"):
        check_absent("m-1", body([]) | {"root": HEAD}, [])


def test_members_out_of_order_have_no_root() -> None:
    one, two = members(2)
    for wrong in ([two, one], [one, one]):
        with pytest.raises(ValueError, match="out of order"):
            root(wrong)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v: v | {"v": 2}, "v is 1"),
        (lambda v: v | {"more": 1}, "exactly the members"),
        (lambda v: {k: e for k, e in v.items() if k != "tree"}, "exactly the members"),
        (lambda v: v | {"tree": "others"}, "no state tree"),
        (lambda v: v | {"index": -1}, "counts from 0"),
        (lambda v: v | {"index": True}, "counts from 0"),
        (lambda v: v | {"hashes": ["AA=="]}, "32"),
        (lambda v: v | {"hashes": [v["leaf"]] * 65}, "at most 64"),
        (lambda v: v | {"leaf": v["leaf"][:-1]}, "base64"),
        (lambda v: v | {"receipt": "text"}, "lists of text"),
    ],
)
def test_a_proof_that_is_not_exactly_one_is_refused(change: Any, reason: str) -> None:
    value = orjson.loads(prove(members(3), 1, RECEIPT).data())
    data = orjson.dumps(change(value), option=orjson.OPT_SORT_KEYS)
    with pytest.raises(FormatError, match=reason):
        parse_proof(data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seq": 0}, "count from 1"),
        ({"head": "AB" * 32}, "head is not of its form"),
        ({"unit": "East"}, "unit is not of its form"),
        ({"merit": "1"}, "merit is no integer"),
        ({"extra": 1}, "has the members"),
    ],
)
def test_a_leaf_that_is_not_exactly_one_is_refused(change: dict[str, Any], reason: str) -> None:
    value = orjson.loads(members(1)[0].data()) | change
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    with pytest.raises(FormatError, match=reason):
        parse_leaf(data, MEMBERS)


def test_a_large_file_is_not_read() -> None:
    proof = StateProof(MEMBERS, 0, members(1)[0].data(), (), b"x" * (1 << 20))
    with pytest.raises(FormatError, match="at most"):
        parse_proof(proof.data())


@pytest.mark.parametrize(("absent", "shown"), [("m-0015", [1, 2]), ("a", [0]), ("z", [4])])
def test_the_file_of_an_absence_has_the_neighbours(absent: str, shown: list[int]) -> None:
    leaves = members(5)
    made = absence(leaves, absent, RECEIPT)
    again = parse_proof(made.data())
    assert again == made
    assert isinstance(again, Absence)
    assert [each.index for each in again.neighbours] == shown
    check_absent(again.member, body(list(leaves)), again.neighbours)
    with pytest.raises(ValueError, match="is in the tree"):
        absence(leaves, "m-002", RECEIPT)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"absent": "M-1"}, "id of a member"),
        ({"neighbours": {}}, "at most two"),
        ({"neighbours": [{}, {}, {}]}, "at most two"),
        ({"neighbours": [{"leaf": ""}]}, "a neighbour has exactly"),
        ({"tree": MEMBERS}, "exactly the members"),
    ],
)
def test_an_absence_that_is_not_exactly_one_is_refused(change: dict[str, Any], reason: str) -> None:
    value = orjson.loads(absence(members(3), "m-0015", RECEIPT).data()) | change
    with pytest.raises(FormatError, match=reason):
        parse_proof(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))
