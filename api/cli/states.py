"""`mingzhang seal` and `mingzhang proof state`: state trees to be sealed, and proofs under them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli import console
from api.cli.ask import opened
from ledger import canonical
from ledger.domain import period as periods
from ledger.state import MEMBERS, RANKING, SEALED, Absence
from projections.commitments import prove_sealed

PeriodId = Annotated[str, typer.Argument(metavar="PERIOD", help="The period's id, such as q1.")]

proof = typer.Typer(no_args_is_help=True, help="Proofs for a member to keep.")


class Size(StrEnum):
    """Which of a period's two sizes a state is of."""

    PUBLISHED = periods.PUBLISHED
    SEALED = periods.SEALED


class Tree(StrEnum):
    """The two state trees."""

    MEMBERS = MEMBERS
    RANKING = RANKING


OfSize = Annotated[
    Size | None,
    typer.Option("--of", help="Of the published table or of the seal; the later one if not given."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(seal)
    app.add_typer(proof, name="proof")


def seal(
    period: PeriodId,
    out: Annotated[Path, typer.Option("--out", help="A folder for the bodies and the leaves.")],
    of: OfSize = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Compute a period's two state trees, for secretary and committee to sign.

    It writes the body of a `state.sealed` for each, TREE.json, and the leaves, TREE.leaves.json,
    which whoever is shown them compares with the log (`mingzhang audit compare --published`).
    Nothing is signed here: sign each body, let the other sign too (cosign), and submit it.
    """
    files = [
        out / name
        for tree in (MEMBERS, RANKING)
        for name in (f"{tree}.json", f"{tree}.leaves.json")
    ]
    for path in files:
        console.need_free(path)
    with opened(data) as (ledger, views):
        found = views.state(period, views.state_size(period, of))
        origin = ledger.origin
    if found.as_of.parked:
        raise console.CommandError(
            f"{', '.join(found.as_of.parked)} cannot be folded, so the figures lack it: "
            "`mingzhang lag` says why"
        )
    for tree in (MEMBERS, RANKING):
        body = found.body(tree)
        console.write_file(out / f"{tree}.json", canonical.dumps(body))
        console.write_file(out / f"{tree}.leaves.json", found.document(tree))
        typer.echo(
            f"{tree:<11} {body['count']:,} leaves as of log size {body['as_of']:,}, root "
            f"{body['root']}"
        )
        typer.echo(
            f"sign        mingzhang sign {SEALED} period/{period} --log {origin} "
            f"--body @{out / f'{tree}.json'} --actor SECRETARY --key FILE --out {tree}.envelope"
        )


@proof.command()
def state(
    period: PeriodId,
    tree: Annotated[Tree, typer.Argument(help="Of a balance, or of a rank.")],
    member: Annotated[str, typer.Argument(help="The member's id.")],
    out: Annotated[Path, typer.Option("--out", help="A new file for the proof.")],
    of: OfSize = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Write the proof of a member's sealed balance or rank.

    Or that the members tree has no such member, by its neighbours. Anyone checks it with
    `mingzhang verify state` and the log's verifier key.
    """
    console.need_free(out)
    with opened(data) as (ledger, views):
        size = views.state_size(period, of)
        found = prove_sealed(ledger, views.state, period, tree.value, size, member)
    console.write_file(out, found.data())
    said = "is not in" if isinstance(found, Absence) else "is in"
    typer.echo(f"wrote {out}: {member} {said} the {tree} tree of {period} as of log size {size:,}")
