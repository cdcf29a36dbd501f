"""Checks the cosignatures that entries of the log hold: they are of this log's own tree.

Of a `checkpoint.witnessed` entry only the form is decided at append. Whose word a line is, a policy
says; whether it is of this tree, the tree: each line by a witness of the policy must hold over the
checkpoint that this log has at the size that the entry names.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.errors import MingzhangError
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import find_cosignatures
from ledger.log.note import parse_signature
from ledger.log.policy import Policy
from ledger.verify.report import Failure, FaultError
from ledger.verify.source import Source
from ledger.verify.tree import root_for


class Cosigned(NamedTuple):
    """What the entry `index` says: signature lines over the checkpoint of `size`."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    statement: str
    stream: str
    size: int
    lines: tuple[str, ...]


def check_cosigned(source: Source, said: Cosigned, signed: Checkpoint, policy: Policy) -> None:
    """Raise FaultError at a line in the name of a witness of `policy` that is not of this tree.

    `signed` is a checkpoint of the log that covers the entry.
    """
    root = root_for(source, said.size, signed.size, said.index)
    text = Checkpoint(signed.origin, said.size, root).body()
    try:
        find_cosignatures(text, map(parse_signature, said.lines), policy.keys)
    except MingzhangError as error:
        reason = (
            f"{error.message}: the witness did not cosign this log's tree of size {said.size}, "
            "though the entry says so"
        )
        failure = Failure("cosignature", reason, said.index, said.statement, said.stream)
        raise FaultError(failure) from None
