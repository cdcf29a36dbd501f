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

NOT_SHOWN = (
    "that the signatures are good and their keys were entitled: only the whole log has the keys",
    "that the entry still counts: a later correction may have reversed it",
    "that everyone is shown the same log: no witness cosigned this checkpoint yet",
)


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """A receipt that holds: its entry is number `index` of the log that `checkpoint` signs."""

    checkpoint: Checkpoint
    index: int
    entry: Entry

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
            "OK          the entry is in the log that this checkpoint signs, exactly as shown",
        ]
        return [*lines, *(f"not shown   {each}" for each in NOT_SHOWN)]


def verify_receipt_file(data: bytes, vkey: VerifierKey) -> ReceiptReport:
    """Check a receipt's bytes against the log's key and read the entry in it.

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
    return ReceiptReport(checkpoint, parsed.index, entry)


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
