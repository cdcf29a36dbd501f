"""The demo's sealed quarter: its state commitments, and what a member keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from ledger.domain.period import SEALED
from ledger.log.note import VerifierKey
from ledger.signing import PrivateKey
from ledger.state import MEMBERS, RANKING, Absence
from ledger.state import SEALED as STATE_SEALED
from ledger.store.ledger import Ledger, Options
from ledger.store.queue import raised
from ledger.verify.state import verify_state_file
from ops.demo.clock import SetClock
from ops.demo.record import Recorded
from ops.demo.sign import Pen
from ops.demo.way import PAIR
from projections.commitments import prove_sealed
from projections.compare import Comparison, compare
from projections.runner import Runner
from projections.views import Views

TREES = (MEMBERS, RANKING)


def seal(
    ledger: Ledger,
    clock: SetClock,
    people: Mapping[str, PrivateKey],
    period: str,
    folder: Path,
    recorded: Recorded,
) -> None:
    """Record the two states of a sealed period, and write their leaves into `folder`."""
    Runner.of(ledger).catch_up()
    pen = Pen(people, Random(period))
    folder.mkdir(parents=True, exist_ok=True)
    with ledger.database.pool(1, 1) as pool:
        views = Views(pool)
        found = views.state(period, views.state_size(period, SEALED))
    for tree in TREES:
        made = pen.signed(
            clock.now().replace(microsecond=0),
            STATE_SEALED,
            f"period/{period}",
            found.body(tree),
            *PAIR,
        )
        (outcome,) = ledger.append_batch([made.envelope])
        recorded.receipts[made.id] = raised(outcome)
        recorded.types[made.type] += 1
        (folder / f"{tree}.leaves.json").write_bytes(found.document(tree))


def shown(
    data: Path, exported: Path, vkey: VerifierKey, period: str, folder: Path
) -> tuple[list[str], Comparison]:
    """Prove balance, rank and absence to members, verify the proofs, and compare it all.

    Returns what the verifier says of them, and what `audit compare` finds. The files stay in
    `folder`. Raises ProofError where a proof does not hold.
    """
    lines: list[str] = []
    with (
        Ledger.open(data, options=Options(append=False)) as ledger,
        ledger.database.pool(1, 1) as pool,
    ):
        views = Views(pool)
        size = views.state_size(period, SEALED)
        first = views.state(period, size).ranking[0].member
        for tree, member in ((MEMBERS, first), (RANKING, first), (MEMBERS, "nobody")):
            proof = prove_sealed(ledger, views.state, period, tree, size, member)
            name = f"{tree}-{member}-{'absence' if isinstance(proof, Absence) else 'proof'}.json"
            (folder / name).write_bytes(proof.data())
            lines += [f"{name}:", *verify_state_file(proof.data(), vkey).lines()]
    paths = [folder / f"{tree}.leaves.json" for tree in TREES]
    return lines, compare(str(exported), vkey, [(str(each), each.read_bytes()) for each in paths])
