"""`mingzhang bundle`: one ZIP that stands alone, for a member, a hearing or a working paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from api.bundles import make
from api.bundles.make import Opening, Sources
from api.cli import console
from ledger.archive import write_stored
from ledger.store.documents import Documents
from ledger.store.ledger import POLICY_FILE, VKEY_FILE, Ledger, Options
from ledger.store.register import Register
from projections.runner import Runner
from projections.views import Views

Out = Annotated[Path, typer.Option("--out", help="A new file, ending .zip.")]
Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        min=1,
        help="The size of the checkpoint that all receipts are under; if not given, the newest "
        "that has its witnesses' quorum.",
    ),
]

bundle = typer.Typer(
    no_args_is_help=True,
    help="One ZIP that stands alone: receipts, keys, rules, states, texts, a report and "
    "verify.html. `mingzhang verify bundle` checks it.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(bundle, name="bundle")


@bundle.command()
def member(
    member: Annotated[str, typer.Argument(help="The member's id.")],
    out: Out,
    size: Size = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Write a member's dossier.

    Every entry with who signed it, the sealed balances and ranks, and the texts and files that the
    member's entries commit to. Other members are masked in its report; who objected or filed a
    dispute is not in it.
    """
    _write(data, out, lambda sources: make.member_bundle(sources, member, size))


@bundle.command()
def hearing(
    about: Annotated[
        str, typer.Argument(metavar="DISPUTE|ENTRY", help="A dispute's id, or an entry's.")
    ],
    out: Out,
    actor: Annotated[
        str | None, typer.Option("--actor", help="Of a dispute: who opens the case.")
    ] = None,
    purpose: Annotated[
        str, typer.Option("--purpose", help="What for; intake's register keeps it.")
    ] = "the hearing's papers",
    size: Size = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Write the papers for a hearing.

    Of a dispute, with what was filed and by whom, which is confidential: give them to those who
    sit on it only. Of an entry, with its way, reasons and evidence.
    """
    opening = Opening(actor, purpose) if actor is not None else None
    _write(data, out, lambda sources: make.hearing_bundle(sources, about, opening, size))


@bundle.command()
def paper(
    file: Annotated[
        Path, typer.Argument(metavar="PAPER.JSON", help="What `mingzhang audit sample` wrote.")
    ],
    out: Out,
    size: Size = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Write an auditor's working paper with the entries that were drawn.

    That they are the ones the seed draws is checked by `mingzhang audit verify-sample`.
    """
    read = console.read_file(file)
    _write(data, out, lambda sources: make.paper_bundle(sources, read, size))


def _write(data: Path, out: Path, gather: Callable[[Sources], dict[str, bytes]]) -> None:
    console.need_free(out)
    with _sources(data) as sources:
        files = gather(sources)
    packed = write_stored(files)
    console.write_file(out, packed)
    receipts = sum(name.startswith("receipts/") for name in files)
    typer.echo(f"wrote {out}: {len(files)} files, {receipts} receipts, {len(packed):,} bytes")
    typer.echo(f"check       mingzhang verify bundle {out} --vkey {data / VKEY_FILE}")


@contextmanager
def _sources(data: Path) -> Iterator[Sources]:
    """Open the ledger to read it, its read models, and what lies beside the log."""
    with Ledger.open(data, options=Options(append=False)) as ledger:
        Runner.of(ledger).catch_up()
        policy = (data / POLICY_FILE).read_bytes() if ledger.policy is not None else None
        with ledger.database.pool(1, 2) as pool:
            yield Sources(
                ledger,
                Views(pool),
                Documents(pool),
                Register(pool),
                console.read_file(data / VKEY_FILE),
                policy,
            )
