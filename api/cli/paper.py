"""`mingzhang notice` and `mingzhang certificate`: what is printed, as PDF files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import console
from api.cli.ask import opened, read_wanted
from api.paper.certificate import certificate_pdf
from api.paper.check import Anchor, checked_url
from api.paper.names import read_names
from api.paper.notice import Table, notice_pdf
from api.web.register import Known, Register
from api.web.settings import read_page_settings
from ledger.domain import period as periods
from ledger.errors import ConflictError
from ledger.store.ledger import CONFIG_FILE, VKEY_FILE, Ledger
from projections.asof import Wanted
from projections.commitments import size_of
from projections.notices import PeriodNotice
from projections.views import Views

Out = Annotated[Path, typer.Option("--out", help="The PDF file to write.")]
Names = Annotated[
    Path | None,
    typer.Option(
        "--names", help="A CSV file of `member id,name`; names are printed masked (张*三)."
    ),
]
Url = Annotated[
    str | None,
    typer.Option("--url", help=f"Where people reach the pages; else `url` in {CONFIG_FILE}."),
]
Contact = Annotated[
    str | None,
    typer.Option("--contact", help=f"Whom to call; else `contact` in {CONFIG_FILE}."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(notice)
    app.command()(certificate)


def notice(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The period's id, such as q1.")],
    out: Out,
    names: Names = None,
    url: Url = None,
    contact: Contact = None,
    as_of: console.AsOf = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Print the A4 notice of a period for the board.

    Its published or sealed table, the entries of the period in publicity, and the ledger's root in
    print and in a QR symbol. With the same --as-of it is the same file.
    """
    known_names = read_names(console.read_file(names)) if names is not None else {}
    with opened(data) as (ledger, views):
        at = _position(ledger, read_wanted(as_of, data))
        found = views.period_notice(period, at)
        anchor = _anchor(ledger, data, found.as_of.size, url, contact)
        table = _table(views, found)
        board = views.board(found.period.unit, Wanted(size=found.as_of.size))
        known = _known(ledger, found.as_of.size)
        document = notice_pdf(found, table, board, known, known_names, anchor)
    console.write_file(out, document)
    typer.echo(f"wrote {out}: {anchor.link}")


def certificate(
    member: Annotated[str, typer.Argument(help="The member's id.")],
    out: Out,
    names: Names = None,
    url: Url = None,
    contact: Contact = None,
    as_of: console.AsOf = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Print a certificate of a member's standing: figures of each year, and the ledger's root."""
    known_names = read_names(console.read_file(names)) if names is not None else {}
    with opened(data) as (ledger, views):
        found = views.statement(member, _position(ledger, read_wanted(as_of, data)), limit=1)
        anchor = _anchor(ledger, data, found.as_of.size, url, contact, member)
        known = _known(ledger, found.as_of.size)
        document = certificate_pdf(found, known, known_names, anchor)
    console.write_file(out, document)
    typer.echo(f"wrote {out}: {anchor.link}")


def _position(ledger: Ledger, wanted: Wanted | None) -> Wanted:
    """Return which prefix is printed: the newest signed one unless one is asked for."""
    return wanted if wanted is not None else Wanted(size=ledger.size())


def _known(ledger: Ledger, size: int) -> Known:
    """Return the rulebooks of a prefix: one that came later titles nothing on an older paper."""
    known = Register(ledger).read()
    then = {name: each for name, each in known.rulebooks.items() if each.index < size}
    return known._replace(rulebooks=then)


def _anchor(
    ledger: Ledger, data: Path, size: int, url: str | None, contact: str | None, member: str = ""
) -> Anchor:
    """Return what a paper commits to; where to check and whom to call are never made up."""
    settings = read_page_settings(data)
    where, whom = url or settings.url, contact or settings.contact
    if not where or not whom.strip():
        lacking = "url" if not where else "contact"
        raise console.CommandError(
            f"a paper says where it is checked and whom to call: give --{lacking}, or write "
            f'`{lacking} = "…"` into {data / CONFIG_FILE}'
        )
    vkey, root = console.verifier_key(str(data / VKEY_FILE)).text, ledger.root(size)
    return Anchor(vkey, size, root, checked_url(where), whom.strip(), member)


def _table(views: Views, found: PeriodNotice) -> Table | None:
    """Return the table of the period's seal or publication, None where it has neither."""
    try:
        size = size_of(found.period)
    except ConflictError:
        return None
    sealed = found.period.state == periods.SEALED
    state = periods.SEALED if sealed else periods.PUBLISHED
    return Table(state, size, views.state(found.period.id, size).ranking)
