"""Where the demo leaves what it made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """Everything below `root`."""

    root: Path

    @property
    def data(self) -> Path:
        """The ledger's own folder, with its database."""
        return self.root / "data"

    @property
    def keys(self) -> Path:
        """A private key file for every actor."""
        return self.root / "keys"

    @property
    def vkey(self) -> Path:
        """The log's verifier key."""
        return self.root / "log.vkey"

    @property
    def exported(self) -> Path:
        """The static log."""
        return self.root / "export"

    @property
    def receipts(self) -> Path:
        """Receipts of the founding, the rulebooks and the member whose statement is shown."""
        return self.root / "receipts"

    @property
    def seals(self) -> Path:
        """Leaves of the sealed quarter's states, and members' proofs under them."""
        return self.root / "seals"

    @property
    def rulebooks(self) -> Path:
        """The rulebooks as their authors wrote them."""
        return self.root / "rulebooks"

    @property
    def edited(self) -> Path:
        """The log as a server with one edited row hands it out."""
        return self.root / "tampered" / "edited"

    @property
    def rewritten(self) -> Path:
        """The log that an insider rewrote and signed."""
        return self.root / "tampered" / "rewritten"
