"""Checks a state proof by itself: a balance, a rank, or that a member is not in a table."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.log.note import VerifierKey
from ledger.state import SEALED, Absence, Leaf, MemberLeaf, check_absent, parse_proof
from ledger.verify.receipt import ReceiptReport, verify_receipt_file

NOT_SHOWN = (
    "that the sealed figures are what the entries give: replaying the log shows it",
    "that everyone is shown the same log: no witness cosigned this checkpoint yet",
)


@dataclass(frozen=True, slots=True)
class StateReport:
    """A leaf that lies under the root which an entry of the signed log names, or that none does.

    Without a leaf, `absent` is the member who has none.
    """

    receipt: ReceiptReport
    leaf: Leaf | None
    absent: str = ""

    def lines(self) -> list[str]:
        """Return the report for a reader."""
        body, leaf = self.receipt.entry.statement.body, self.leaf
        lines = [
            f"log         {self.receipt.checkpoint.origin}",
            (
                f"sealed      entry {self.receipt.index}: the {body['tree']} tree of "
                f"{body['count']:,} as of log size {body['as_of']:,}, root {body['root']}"
            ),
            f"table       period {body['period']} of unit {body['unit']}, rules {body['rulebook']}",
        ]
        if leaf is None:
            lines.append(f"OK          {self.absent} is not in the tree: its neighbours are shown")
            return [*lines, *(f"not shown   {each}" for each in NOT_SHOWN)]
        lines.append(f"member      {leaf.member} in unit {leaf.unit}")
        if isinstance(leaf, MemberLeaf):
            lines += [
                f"stream      {leaf.seq} entries, the last is {leaf.head}",
                *(
                    f"{name:<11} {_points(figure)}"
                    for name, figure in (("merit", leaf.merit), ("service", leaf.service))
                    if figure is not None
                ),
            ]
        else:
            lines.append(
                f"rank        {leaf.rank}, position {leaf.position + 1} of {body['count']:,}, "
                f"with {_points(leaf.score)}"
            )
        lines.append("OK          this is what was sealed, exactly as shown")
        return [*lines, *(f"not shown   {each}" for each in NOT_SHOWN)]


def verify_state_file(data: bytes, vkey: VerifierKey) -> StateReport:
    """Check a state proof's bytes against the log's key.

    Raises FormatError where it is not exactly a state proof, ProofError where checkpoint, receipt
    or the path to the sealed root does not hold.
    """
    proof = parse_proof(data)
    report = verify_receipt_file(proof.receipt, vkey)
    statement = report.entry.statement
    if statement.type != SEALED:
        raise FormatError(f"the receipt is of {statement.type}: a state proof has one of {SEALED}")
    if isinstance(proof, Absence):
        check_absent(proof.member, statement.body, proof.neighbours)
        return StateReport(report, None, proof.member)
    return StateReport(report, proof.check(statement.body))


def _points(hundredths: int) -> str:
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{rest:02d}"
