"""What the browser computes by itself: quorums, proofs out of tiles, proofs of sealed states."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.web.standalone import bundle, constant_of
from ledger import canonical
from ledger.errors import FormatError, ProofError
from ledger.log.checkpoint import Checkpoint, sign
from ledger.log.merkle import (
    Node,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from ledger.log.tiles import tile_path, tiles_for_size
from ledger.signing import encode_base64
from ledger.state import MemberLeaf, RankingLeaf, StateProof, prove, root
from tests.support.chromium import needs_chromium
from tests.support.lying import WITNESSES
from tests.support.organisation import ORIGIN
from tests.support.static_log import LOG_SIGNER

pytestmark = needs_chromium

DAY_S = 86_400
NOW_S = 1_800_000_000
MODULES = [
    f"verifier/{each}.js" for each in ("bytes", "merkle", "note", "policy", "receipt", "tiles")
]
HARNESS = (Path(__file__).parent / "compute.js").read_text()


@pytest.fixture(scope="module")
def verifier(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    constants = ", ".join(constant_of(each) for each in MODULES)
    page.add_script_tag(content=bundle(*MODULES) + HARNESS.replace("MODULES)", f"{constants})"))
    yield page
    page.close()


def b64(data: bytes | str) -> str:
    return encode_base64(data.encode() if isinstance(data, str) else data)


NOTE = sign(Checkpoint(ORIGIN, 23, b"\x07" * 32), LOG_SIGNER)
NAMED = "".join(f"witness w{n} {each.vkey}\n" for n, each in enumerate(WITNESSES, start=1))


def cosigned(*ages_d: float | None) -> bytes:
    """Return a checkpoint cosigned by the witnesses in turn, so many days ago (None: not)."""
    note = NOTE
    for witness, age in zip(WITNESSES, ages_d, strict=False):
        if age is not None:
            note = witness.cosign(note, int(NOW_S - age * DAY_S))
    return note


@pytest.mark.parametrize(
    ("quorum", "ages", "expected"),
    [
        ("quorum none\n", (1,), [False, False, False, 1, 3, None]),
        ("quorum w1\n", (1,), [True, True, True, 1, 3, NOW_S - DAY_S]),
        ("quorum w2\n", (1,), [True, False, False, 1, 3, None]),
        (
            "group g any w1 w2 w3\nquorum g\n",
            (9, None, 2),
            [True, True, True, 2, 3, NOW_S - 2 * DAY_S],
        ),
        (
            "group g all w1 w2 w3\nquorum g\n",
            (1, 2, 3),
            [True, True, True, 3, 3, NOW_S - 3 * DAY_S],
        ),
        (
            "group g all w1 w2 w3\nquorum g\n",
            (1, 2, 8),
            [True, True, False, 3, 3, NOW_S - 8 * DAY_S],
        ),
        ("group g 2 w1 w2 w3\nquorum g\n", (8, 1, 2), [True, True, True, 3, 3, NOW_S - 2 * DAY_S]),
        (
            "group g 1 w1 w2\ngroup h all g w3\nquorum h\n",
            (None, 1, 2),
            [True, True, True, 2, 3, NOW_S - 2 * DAY_S],
        ),
        ("group g 1 w1 w2\ngroup h all g w3\nquorum h\n", (1, 1), [True, False, False, 2, 3, None]),
    ],
)
def test_a_quorum_is_as_new_as_its_last_needed_witness(
    verifier: Any, quorum: str, ages: tuple[float | None, ...], expected: list[Any]
) -> None:
    assert (
        verifier.evaluate("quorum", [b64(NAMED + quorum), b64(cosigned(*ages)), NOW_S]) == expected
    )


def test_a_bad_cosignature_of_a_listed_witness_rejects_the_note(verifier: Any) -> None:
    note = cosigned(1)
    line = note.split(b"\n")[-2]
    other = WITNESSES[0].cosign(sign(Checkpoint(ORIGIN, 24, b"\x08" * 32), LOG_SIGNER), NOW_S)
    bad = note.replace(line, other.split(b"\n")[-2])
    assert verifier.evaluate("quorum", [b64(NAMED + "quorum w1\n"), b64(bad), NOW_S]) == "proof"
    # One that nobody lists is nobody's matter.
    alone = NAMED.split("\n")[1] + "\nquorum w2\n"
    assert verifier.evaluate("quorum", [b64(alone), b64(bad), NOW_S])[1] is False


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "quorum w9\n",
        NAMED,
        NAMED + "quorum w1",
        NAMED + "quorum w1\r\n",
        NAMED + "quorum w1\nquorum w1\n",
        NAMED + "quorum w1 w2\n",
        NAMED + NAMED + "quorum w1\n",
        NAMED + "group g 0 w1 w2\nquorum g\n",
        NAMED + "group g 3 w1 w2\nquorum g\n",
        NAMED + "group g 02 w1 w2 w3\nquorum g\n",
        NAMED + "group g any\nquorum g\n",
        NAMED + "group g any w1 w1\nquorum g\n",
        NAMED + "group g any w9\nquorum g\n",
        NAMED + "group g any h\ngroup h any g\nquorum g\n",
        NAMED + "group g any w1\ngroup h any w1 w2\nquorum h\n",
        NAMED + "group none any w1\nquorum none\n",
        NAMED + "group w1 any w2\nquorum w1\n",
        f"witness x {LOG_SIGNER.vkey.text}\nquorum x\n",
        f"log {WITNESSES[0].vkey}\nquorum none\n",
        "quorum\x0bnone\n",
        "wittness w1 x\nquorum none\n",
    ],
)
def test_a_policy_that_is_not_exactly_one_is_refused(verifier: Any, policy: str) -> None:
    assert verifier.evaluate("quorum", [b64(policy), b64(NOTE), NOW_S]) == "format"


def test_comments_tabs_and_urls_are_no_fault_of_a_policy(verifier: Any) -> None:
    policy = (
        f" # who counts\n\n\tlog\t{LOG_SIGNER.vkey.text} https://log.example/ \n{NAMED}quorum w1\n"
    )
    assert verifier.evaluate("quorum", [b64(policy), b64(cosigned(1)), NOW_S])[:2] == [True, True]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600, 65_537, 70_000])
def test_proofs_out_of_tiles_are_those_of_the_whole_tree(verifier: Any, size: int) -> None:
    leaves = [leaf_hash(b"%d" % n) for n in range(size)]
    roots: dict[Node, bytes] = {}

    def get(node: Node) -> bytes:
        level, at = node
        if node not in roots:
            roots[node] = root_of(leaves[at << level : (at + 1) << level])
        return roots[node]

    def tile(level: int, n: int, width: int) -> str:
        return b64(b"".join(get((8 * level, n * 256 + at)) for at in range(width)))

    wanted = {tile_path(*each): each for each in tiles_for_size(size)}
    random_ = random.Random(size)
    for _ in range(4):
        index, older = random_.randrange(size), random_.randrange(size) + 1
        needed = {path: tile(*each) for path, each in wanted.items() if each[0] or size < 1_000}
        if size >= 1_000:
            needed |= {
                path: tile(*each)
                for path, each in wanted.items()
                if not each[0] and each[1] in {index // 256, (older - 1) // 256, (size - 1) // 256}
            }
        found = verifier.evaluate("proofs", [needed, size, index, older])
        assert found[0] == [b64(each) for each in inclusion_proof(index, size, get)]
        assert found[1] == [b64(each) for each in consistency_proof(older, size, get)]
        assert set(found[2]) <= set(wanted)
        assert len(found[2]) == len(set(found[2]))


MEMBER = MemberLeaf("m-3", 4, "ab" * 32, "east", "2026", 1200)
PLACE = RankingLeaf(3, 4, "m-3", "east", "2026", 96)
CHANGES: list[dict[str, Any]] = [
    {},
    {"tree": "odd"},
    {"tree": "members"},
    {"tree": "ranking"},
    {"count": 3},
    {"root": "00" * 32},
    {"period": "2025"},
]


def leaves_with(leaf: MemberLeaf | RankingLeaf) -> list[MemberLeaf | RankingLeaf]:
    """Return five leaves, of which `leaf` is number 3."""
    if isinstance(leaf, RankingLeaf):
        others: list[MemberLeaf | RankingLeaf] = [
            replace(leaf, position=n, rank=n + 1, member=f"m-{n}", score=100 - n) for n in range(5)
        ]
    else:
        others = [replace(leaf, member=f"m-{n}", merit=None, service=n) for n in range(5)]
    return [*others[:3], leaf, *others[4:]]


def judged(body: dict[str, Any], proof: StateProof) -> str:
    """Return what the Python side makes of a leaf under a sealed root."""
    try:
        replace(proof, tree=body["tree"]).check(body)
    except FormatError:
        return "format"
    except ProofError:
        return "proof"
    return "ok"


@pytest.mark.parametrize("leaf", [MEMBER, PLACE])
def test_a_sealed_balance_or_rank_is_judged_as_python_judges_it(
    leaf: MemberLeaf | RankingLeaf, verifier: Any
) -> None:
    leaves = leaves_with(leaf)
    good = prove(leaves, 3, b"")
    body = {"tree": good.tree, "period": "2026", "count": 5, "root": root(leaves).hex()}
    odd = [
        b"{}",
        b"[]",
        b"5",
        *(
            canonical.dumps({**canonical.loads(good.leaf), **changed})
            for changed in (
                {"rank": 0},
                {"seq": 0},
                {"position": -1},
                {"position": 4},
                {"head": "AB" * 32},
                {"member": "M 3"},
                {"member": 3},
                {"unit": ""},
                {"score": "96"},
                {"merit": "12"},
                {"more": 1},
            )
        ),
    ]
    proofs = [good, replace(good, index=2), replace(good, index=4), prove(leaves, 2, b"")]
    proofs += [replace(good, leaf=each) for each in odd]
    proofs.append(replace(good, hashes=good.hashes[1:]))
    seen = set()
    for proof in proofs:
        for changed in CHANGES:
            given = body | changed
            args = [given, b64(proof.leaf), proof.index, [b64(each) for each in proof.hashes]]
            found = verifier.evaluate("state", args)
            found = found if isinstance(found, str) else "ok"
            assert found == judged(given, proof), (given, proof)
            seen.add(found)
    assert seen == {"ok", "format", "proof"}


def test_positions_count_from_0_as_leaves_do(verifier: Any) -> None:
    late = replace(PLACE, position=4)
    leaves = [each.data() for each in leaves_with(PLACE)]
    leaves[3] = late.data()
    hashes = [leaf_hash(each) for each in leaves]

    def get(node: Node) -> bytes:
        level, at = node
        return root_of(hashes[at << level : (at + 1) << level])

    proof = inclusion_proof(3, 5, get)
    body = {"tree": "ranking", "period": "2026", "count": 5, "root": root_of(hashes).hex()}
    args = [body, b64(leaves[3]), 3, [b64(each) for each in proof]]
    assert verifier.evaluate("state", args) == "proof"
    assert judged(body, StateProof("ranking", 3, leaves[3], tuple(proof), b"")) == "proof"
