"""Signs what the server refuses, with the service actor's key (`ledger.refusal`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ledger import keyfile, refusal
from ledger.errors import MingzhangError
from ledger.signing import PrivateKey
from ledger.store.ledger import SERVICE_KEY_FILE
from ledger.store.queue import Outcome


@dataclass(frozen=True, slots=True)
class Refuser:
    """Signs refusals in the name of the log `origin`."""

    key: PrivateKey
    origin: str

    def sign(self, envelopes: Sequence[bytes], outcomes: Sequence[Outcome], size: int) -> None:
        """Put a signed refusal on every error among `outcomes` that is a refusal.

        A failure of the server's own is none, nor is one of bytes that hold no payload to name.
        `size` is the log's signed size.
        """
        now = datetime.now(UTC)
        for envelope, outcome in zip(envelopes, outcomes, strict=True):
            if not is_refusal(outcome):
                continue
            assert isinstance(outcome, MingzhangError)  # noqa: S101 - see is_refusal
            statement = refusal.refused_statement(envelope)
            if statement is not None:
                outcome.refusal = refusal.make(
                    self.key,
                    log=self.origin,
                    statement=statement,
                    rule=getattr(outcome, "rule", outcome.code),
                    now=now,
                    size=size,
                )


def is_refusal(outcome: Outcome) -> bool:
    """Tell whether an outcome says no to the statement, for good as it stands."""
    return isinstance(outcome, MingzhangError) and outcome.status < 500


def open_refuser(data_dir: Path, origin: str) -> Refuser | None:
    """Return what signs refusals, None where the ledger has no service key yet.

    Raises KeyFileError for a key that cannot be read.
    """
    path = service_key_path(data_dir)
    return Refuser(keyfile.load(path), origin) if path.exists() else None


def service_key_path(data_dir: Path) -> Path:
    """Return where the service actor's key is: in the data folder, or MINGZHANG_SERVICE_KEY."""
    return Path(os.environ.get("MINGZHANG_SERVICE_KEY", data_dir / SERVICE_KEY_FILE))
