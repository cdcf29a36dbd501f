"""State commitments: two RFC 6962 trees over what a fold of the log gives at a size.

The `members` tree has a leaf a member, sorted by id: its stream's last entry, unit and figures, so
an omitted entry shows and neighbours prove that a member is not in it. The `ranking` tree has a
leaf a position, in rank order: the leaf's index is the position, so an inclusion proof is a proof
of rank. A `state.sealed` entry names a root; a proof is one file that holds the entry's receipt,
the leaf and the path (RFC 6962 section 2.1.1).
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger import canonical
from ledger.errors import FormatError, ProofError
from ledger.log.merkle import (
    HASH_SIZE,
    Edge,
    Node,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_inclusion,
)
from ledger.signing import decode_base64, encode_base64

SEALED = "state.sealed"
MEMBERS, RANKING = "members", "ranking"
PROOF_BYTES_MAX = 1 << 20
_PATH_MAX = 64
_ID = re.compile(r"[a-z0-9-]{1,64}").fullmatch
_HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch
_TEXTS = {"member": _ID, "unit": _ID, "period": _ID, "head": _HEX64}
_PROOF = ("hashes", "index", "leaf", "receipt", "tree", "v")
_ABSENCE = ("absent", "neighbours", "receipt", "v")
_NEIGHBOUR = ("hashes", "index", "leaf")


@dataclass(frozen=True, slots=True)
class MemberLeaf:
    """A member at a log size: `seq` and `head` (hex) are those of the stream's last entry.

    `merit` and `service` are in hundredths; None where the member's type has no such account, or
    no figure to rank by yet (A21, A25).
    """

    member: str
    seq: int
    head: str
    unit: str
    period: str
    merit: int | None = None
    service: int | None = None

    def data(self) -> bytes:
        """Return the leaf's bytes (RFC 8785)."""
        return _bytes(self)


@dataclass(frozen=True, slots=True)
class RankingLeaf:
    """A position in a ranking, from 0; equal scores share a `rank` (A22). Score in hundredths."""

    position: int
    rank: int
    member: str
    unit: str
    period: str
    score: int

    def data(self) -> bytes:
        """Return the leaf's bytes (RFC 8785)."""
        return _bytes(self)


Leaf = MemberLeaf | RankingLeaf
_LEAVES: dict[str, type[MemberLeaf] | type[RankingLeaf]] = {
    MEMBERS: MemberLeaf,
    RANKING: RankingLeaf,
}
_OPTIONAL = {"merit", "service"}


def _bytes(leaf: Leaf) -> bytes:
    values = {name: getattr(leaf, name) for name in leaf.__dataclass_fields__}
    return canonical.dumps({name: each for name, each in values.items() if each is not None})


def parse_leaf(data: bytes, tree: str) -> Leaf:
    """Return the leaf whose bytes are exactly `data`. Raises FormatError."""
    kind, value = _kind(tree), canonical.loads(data)
    if type(value) is not dict:
        raise FormatError(f"a leaf of the {tree} tree is a JSON object")
    fields = kind.__dataclass_fields__
    if not set(fields) - _OPTIONAL <= set(value) <= set(fields):
        raise FormatError(f"a leaf of the {tree} tree has the members {', '.join(fields)}")
    for name, each in value.items():
        if name not in _TEXTS:
            if type(each) is not int:
                raise FormatError(f"the leaf's {name} is no integer")
        elif type(each) is not str or _TEXTS[name](each) is None:
            raise FormatError(f"the leaf's {name} is not of its form: {each!r}")
    if any(value.get(name, 1) < least for name, least in (("seq", 1), ("rank", 1))):
        raise FormatError("seq and rank count from 1")
    if value.get("position", 0) < 0:
        raise FormatError("positions count from 0")
    return kind(**value)


def _kind(tree: str) -> type[MemberLeaf] | type[RankingLeaf]:
    if tree not in _LEAVES:
        raise FormatError(f"{tree!r} is no state tree: {MEMBERS} or {RANKING}")
    return _LEAVES[tree]


def root(leaves: Sequence[Leaf]) -> bytes:
    """Return the root of a tree of these leaves, 32 bytes. Raises ValueError out of order."""
    _check_order(leaves)
    return root_of([leaf_hash(each.data()) for each in leaves])


def _check_order(leaves: Sequence[Leaf]) -> None:
    for index, leaf in enumerate(leaves):
        if isinstance(leaf, RankingLeaf):
            good = leaf.position == index
        else:
            before = leaves[index - 1] if index else None
            good = before is None or before.member.encode() < leaf.member.encode()
        if not good:
            raise ValueError(f"leaf {index} ({leaf.member}) is out of order")


def prove(leaves: Sequence[Leaf], index: int, receipt: bytes) -> StateProof:
    """Return the proof of one leaf under the root that the entry in `receipt` names."""
    nodes: dict[Node, bytes] = {}
    data = [each.data() for each in leaves]
    Edge.empty().extend([leaf_hash(each) for each in data], nodes)
    tree = RANKING if isinstance(leaves[index], RankingLeaf) else MEMBERS
    hashes = inclusion_proof(index, len(leaves), nodes.__getitem__)
    return StateProof(tree, index, data[index], tuple(hashes), receipt)


@dataclass(frozen=True, slots=True)
class StateProof:
    """A leaf of a state tree with its path, and the receipt of the entry that names the root."""

    tree: str
    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    receipt: bytes

    def data(self) -> bytes:
        """Return the proof's file: RFC 8785 JSON, hashes and leaf in base64, the receipt as is."""
        return canonical.dumps(
            {
                "v": 1,
                "tree": self.tree,
                **self.path(),
                # A receipt's lines; canonical JSON here carries no control characters.
                "receipt": self.receipt.decode().split("\n"),
            }
        )

    def path(self) -> dict[str, Any]:
        """Return the leaf and where it stands, as JSON's types."""
        return {
            "index": self.index,
            "leaf": encode_base64(self.leaf),
            "hashes": [encode_base64(each) for each in self.hashes],
        }

    def check(self, body: dict[str, Any]) -> Leaf:
        """Return the leaf, which lies under the root that `body` (of `state.sealed`) names.

        Raises FormatError or ProofError.
        """
        leaf = parse_leaf(self.leaf, self.tree)
        if body["tree"] != self.tree:
            raise ProofError(f"the entry seals the {body['tree']} tree, the proof is of another")
        root = bytes.fromhex(body["root"])
        verify_inclusion(leaf_hash(self.leaf), self.index, body["count"], list(self.hashes), root)
        if leaf.period != body["period"]:
            raise ProofError(f"the leaf is of period {leaf.period}, the entry of {body['period']}")
        if isinstance(leaf, RankingLeaf) and leaf.position != self.index:
            raise ProofError(f"the leaf says position {leaf.position} and stands at {self.index}")
        return leaf


@dataclass(frozen=True, slots=True)
class Absence:
    """That a member is in no leaf of a `members` tree: the leaves between which it would stand."""

    member: str
    neighbours: tuple[StateProof, ...]
    receipt: bytes

    def data(self) -> bytes:
        """Return the proof's file: RFC 8785 JSON, as `StateProof.data` has it."""
        return canonical.dumps(
            {
                "v": 1,
                "absent": self.member,
                "neighbours": [each.path() for each in self.neighbours],
                "receipt": self.receipt.decode().split("\n"),
            }
        )


def absence(leaves: Sequence[MemberLeaf], member: str, receipt: bytes) -> Absence:
    """Return the proof that `member` is in none of the leaves. Raises ValueError where it is."""
    names = [each.member.encode() for each in leaves]
    at = bisect_left(names, member.encode())
    if at < len(names) and leaves[at].member == member:
        raise ValueError(f"{member} is in the tree")
    beside = [index for index in (at - 1, at) if 0 <= index < len(leaves)]
    return Absence(member, tuple(prove(leaves, index, receipt) for index in beside), receipt)


def parse_proof(data: bytes) -> StateProof | Absence:
    """Read a proof's file, exactly as `data` of the two writes it. Raises FormatError."""
    if len(data) > PROOF_BYTES_MAX:
        raise FormatError(f"a state proof of {len(data)} bytes; at most {PROOF_BYTES_MAX} are read")
    value = canonical.loads(data)
    names = tuple(value) if type(value) is dict else ()
    if names not in (_PROOF, _ABSENCE) or value["v"] != 1:
        raise FormatError(
            f"a state proof has exactly the members {', '.join(_PROOF)} (of an absence: "
            f"{', '.join(_ABSENCE)}), and v is 1"
        )
    lines = value["receipt"]
    if type(lines) is not list or not all(type(each) is str for each in lines):
        raise FormatError("hashes and the receipt's lines are lists of text")
    receipt = "\n".join(lines).encode()
    if names == _PROOF:
        if type(value["tree"]) is not str:
            raise FormatError("the tree is named by text")
        _kind(value["tree"])
        return _parse_path(value, value["tree"], receipt)
    member, beside = value["absent"], value["neighbours"]
    if type(member) is not str or _ID(member) is None:
        raise FormatError(f"absent is the id of a member, not {member!r}")
    if type(beside) is not list or len(beside) > 2:
        raise FormatError("an absence has at most two neighbours")
    if any(type(each) is not dict or tuple(each) != _NEIGHBOUR for each in beside):
        raise FormatError(f"a neighbour has exactly the members {', '.join(_NEIGHBOUR)}")
    return Absence(member, tuple(_parse_path(e, MEMBERS, receipt) for e in beside), receipt)


def _parse_path(value: dict[str, Any], tree: str, receipt: bytes) -> StateProof:
    hashes = value["hashes"]
    if type(hashes) is not list or len(hashes) > _PATH_MAX:
        raise FormatError(f"a state proof has a list of at most {_PATH_MAX} hashes")
    if not all(type(each) is str for each in hashes):
        raise FormatError("hashes and the receipt's lines are lists of text")
    if type(value["index"]) is not int or value["index"] < 0 or type(value["leaf"]) is not str:
        raise FormatError("the index counts from 0, and the leaf is text")
    return StateProof(
        tree,
        value["index"],
        decode_base64(value["leaf"]),
        tuple(decode_base64(each, HASH_SIZE) for each in hashes),
        receipt,
    )


def check_absent(member: str, body: dict[str, Any], proofs: Sequence[StateProof]) -> None:
    """Raise ProofError unless neighbours in a `members` tree leave no place for `member`.

    `proofs` are those of the leaf before and the one after; at an end of the tree one is enough,
    and none for an empty tree.
    """
    if body["tree"] != MEMBERS:
        raise ProofError("absence is shown by the members tree, which is sorted by id")
    if body["count"] == 0:
        if bytes.fromhex(body["root"]) != hashlib.sha256().digest():
            raise ProofError("a tree of no leaves has the hash of nothing as its root")
        return
    found = sorted((each.index, each.check(body).member.encode()) for each in proofs)
    wanted = member.encode()
    below = [index for index, name in found if name < wanted]
    above = [index for index, name in found if name > wanted]
    if len(below) + len(above) != len(found):
        raise ProofError(f"{member} is in the tree")
    after = (below[-1] + 1) if below else 0
    if after != (above[0] if above else body["count"]):
        raise ProofError(f"these leaves are no neighbours: between them {member} could stand")
