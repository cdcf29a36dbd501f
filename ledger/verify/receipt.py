"""Checks a receipt by itself, and says what it shows and what it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger import schema
from ledger.entry import Entry, parse_entry
from ledger.errors import ProofError
from ledger.log import receipt
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy
from ledger.verify.witnessed import Witnessed

NOT_WITNESSED = "that everyone is shown the same log: no policy was given to check witnesses by"
NOT_SHOWN = (
    "that the signatures are good and their keys were entitled: only the whole log has the keys",
    "that the entry still counts: a later correction may have reversed it",
)


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """A receipt that holds: its entry is number `index` of the log that `checkpoint` signs."""

    checkpoint: Checkpoint
    index: int
    entry: Entry
    witnessed: Witnessed | None = None

    @property
    def ok(self) -> bool:
        """Whether the checkpoint has the quorum that was asked for; all else holds."""
        return self.witnessed is None or self.witnessed.met

    @property
    def keyids(self) -> tuple[str, ...]:
        """The key ids that the statement is signed under."""
        return tuple(each.keyid for each in self.entry.statement.signatures)

    def lines(self) -> list[str]:
        """Return the report for a reader: what was checked, what the entry says, what is open."""
        statement = self.entry.statement
        lines = [
            f"log         {self.checkpoint.origin}",
            (
                f"entry       {self.index} of {self.checkpoint.size:,}, in the tree with the root "
                f"{self.checkpoint.root.hex()}"
            ),
            f"recorded    {self.entry.recorded_at}, number {self.entry.seq} of {self.entry.stream}",
            f"statement   {statement.type} {statement.id}",
            f"signed      {statement.signed_at} by {statement.actor}",
            *(f"key         {each}" for each in self.keyids),
            *_content(statement.type, statement.body),
        ]
        if self.witnessed is not None:
            lines += self.witnessed.lines()
        if self.ok:
            lines.append(
                "OK          the entry is in the log that this checkpoint signs, exactly as shown"
            )
        else:
            lines.append(
                "WAITING     the entry is in the signed log, but too few witnesses have seen this "
                "checkpoint: it can be checked again after 7 days"
            )
        open_ends = NOT_SHOWN if self.witnessed is not None else (*NOT_SHOWN, NOT_WITNESSED)
        return [*lines, *(f"not shown   {each}" for each in open_ends)]


def verify_receipt_file(
    data: bytes, vkey: VerifierKey, policy: Policy | None = None
) -> ReceiptReport:
    """Check a receipt's bytes against the log's key and read the entry in it.

    With `policy` the report is not `ok` until the receipt's checkpoint has its quorum.

    Raises FormatError where it is not exactly a receipt with an entry, ProofError where the
    checkpoint's signature, the inclusion proof or the log's name does not hold.
    """
    parsed = receipt.parse(data)
    checkpoint = receipt.verify_receipt(parsed, vkey)
    entry = parse_entry(parsed.entry)
    statement = entry.statement
    schema.validate(statement.type, statement.body)
    if statement.log != checkpoint.origin:
        raise ProofError(
            f"the statement is meant for the log {statement.log}, this is {checkpoint.origin}"
        )
    witnessed = Witnessed.of(parsed.checkpoint, policy) if policy is not None else None
    return ReceiptReport(checkpoint, parsed.index, entry, witnessed)


def _content(statement_type: str, body: dict[str, Any]) -> list[str]:
    """Say what a points entry is about; other types have their members listed as they are."""
    if statement_type in ("points.awarded", "points.deducted"):
        return _act(statement_type, body)
    if statement_type == "points.corrected":
        lines = [f"reverses    {body['reverses']}"]
        replacement = body.get("replacement")
        return lines + (_act(replacement["type"], replacement) if replacement else [])
    return [f"{name:<11} {value}" for name, value in body.items() if isinstance(value, str | int)]


def _act(statement_type: str, body: dict[str, Any]) -> list[str]:
    sign = "-" if statement_type == "points.deducted" else "+"
    whole, hundredths = divmod(body["points"], 100)
    return [
        f"points      {sign}{whole}.{hundredths:02d} for {body['item']}",
        f"rule        {body['rulebook']} {body['version']}, act of {body['act_date']}",
    ]
