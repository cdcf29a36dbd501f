"""A watched log that witnesses have cosigned: by a scripted cosigner, or by the product's witness.

Either way a test sets the witnesses' clock, so that the log's own can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import Edge, Node, consistency_proof, leaf_hash
from ledger.log.witness import Request, encode_request
from tests.support.organisation import ORIGIN
from tests.support.static_log import LOG_SIGNER, Recorder
from tests.support.watched import Watched
from tests.support.witnesses import cosigner, policy_of

Cosign = Callable[[Checkpoint, "Seen"], list[str]]
WITNESSES = (1, 2)


def scripted(signed: Checkpoint, log: Seen) -> list[str]:
    """Cosign as two witnesses would, whatever it is."""
    return [cosigner(n).line(signed.body(), log.clock()) for n in WITNESSES]


class Seen(Watched):
    """Records `checkpoint.witnessed` entries; `now` is the witnesses' time, RFC 3339."""

    def __init__(self, cosign: Cosign = scripted) -> None:
        self.now = "2026-01-05T02:00:00Z"
        self._cosign = cosign
        super().__init__()

    def clock(self) -> int:
        """The witnesses' POSIX time."""
        return int(datetime.fromisoformat(self.now).astimezone(UTC).timestamp())

    def leaves(self) -> list[bytes]:
        """The leaf hashes so far."""
        recorder = Recorder()
        placed = [recorder.place(e, checked=False, recorded_at=at) for at, e in self.said]
        return [leaf_hash(each) for each in placed]

    def head(self, size: int | None = None) -> Checkpoint:
        """The checkpoint of the first `size` entries, or of all."""
        leaves = self.leaves()[:size]
        return Checkpoint(ORIGIN, len(leaves), Edge.empty().extend(leaves).root())

    def witness(self, now: str, day: str) -> int:
        """Have what is there cosigned at `now`, record it on a day, and return the size."""
        self.now = now
        signed = self.head()
        body = {"size": signed.size, "cosignatures": self._cosign(signed, self)}
        self.say("checkpoint.witnessed", "ledger/root", body, ("clerk",), day)
        return signed.size

    def policy(self, folder: Path) -> Path:
        """Write the policy of both witnesses, who are both needed."""
        path = folder / "policy"
        path.write_bytes(policy_of(dict.fromkeys(WITNESSES, "http://127.0.0.1:9/"), 2))
        return path


def by_witnesses(urls: list[str]) -> Cosign:
    """Return what asks running witnesses, as the ledger does: with a proof from what they have."""
    known = dict.fromkeys(urls, 0)

    def cosign(signed: Checkpoint, log: Seen) -> list[str]:
        nodes: dict[Node, bytes] = {}
        Edge.empty().extend(log.leaves(), nodes)
        note = checkpoint.sign(signed, LOG_SIGNER)
        lines = []
        for url in urls:
            old = known[url]
            proof = consistency_proof(old, signed.size, nodes.__getitem__) if old else ()
            body = encode_request(Request(old, tuple(proof), note))
            answer = httpx.post(f"{url}/add-checkpoint", content=body)
            assert answer.status_code == 200, answer.text
            lines.append(answer.text.removesuffix("\n"))
            known[url] = signed.size
        return lines

    return cosign
