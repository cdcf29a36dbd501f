"""`mingzhang witness`: watch over other people's logs, and cosign what only grows."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import structlog
import typer

from api.cli import console
from ledger import keyfile
from ledger.errors import FormatError
from ledger.log.cosignature import Cosigner, CosignerKey
from ledger.signing import PrivateKey

PORT = 7380
_logger = structlog.stdlib.get_logger("mingzhang.witness")

witness = typer.Typer(no_args_is_help=True, help="Be a witness of logs (C2SP tlog-witness).")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(witness, name="witness")


@witness.command()
def key(
    file: Annotated[Path, typer.Argument(help="The new key's file, which must not exist.")],
    name: Annotated[
        str, typer.Option("--name", help="The witness's name for ever, such as example.org/w1.")
    ],
) -> None:
    """Make a witness's key.

    The verifier key, which policies name it by, is shown and written beside it (FILE.vkey).
    """
    beside = _vkey_file(file)
    for each in (file, beside):
        console.need_free(each)
    made = PrivateKey.generate()
    text = Cosigner(name, made).vkey.text
    _parsed(text, "--name")
    # It serves unattended, as the log's key does: the file's mode protects it.
    keyfile.save(file, made, None)
    console.write_file(beside, f"{text}\n".encode())
    typer.echo(text)


@witness.command()
def serve(
    key_file: Annotated[Path, typer.Option("--key", help="Its key; FILE.vkey is beside it.")],
    logs: Annotated[
        Path,
        typer.Option(
            "--logs",
            "--policy",
            help="The logs to watch: `log <vkey>` lines of a C2SP policy file.",
        ),
    ],
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder that heads are kept in.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option("--database", help="The PostgreSQL URI that heads are kept in instead."),
    ] = None,
    bind: Annotated[
        str, typer.Option("--bind", help="The address to listen on; port 0 takes a free one.")
    ] = f"127.0.0.1:{PORT}",
) -> None:
    """Serve a witness over HTTP.

    Keep its heads for as long as its key: a witness that forgets may cosign a fork. Logs are JSON
    on standard error.
    """
    # Making a key needs no web server.
    from api import logging, serving  # noqa: PLC0415
    from api.cli.operate import end_on_signals, listen  # noqa: PLC0415
    from api.witness.app import create_witness_app  # noqa: PLC0415
    from api.witness.database import DatabaseHeads  # noqa: PLC0415
    from api.witness.heads import FolderHeads  # noqa: PLC0415
    from api.witness.service import Witness, logs_of  # noqa: PLC0415

    if (data is None) == (database is None):
        raise console.CommandError("give --data or --database, one of the two")
    cosigner = _cosigner(key_file)
    known = logs_of(console.read_policy(logs))
    if not known:
        raise console.CommandError(f"{logs} names no log: a line is `log <vkey>`")
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit():
        raise console.CommandError(f"--bind {bind} is not written HOST:PORT")
    end_on_signals()
    logging.configure()
    with listen(host.strip("[]"), int(port)) as listener:
        heads = (
            FolderHeads(data, cosigner.vkey.text)
            if data is not None
            else DatabaseHeads(database or "", cosigner.vkey.text)
        )
        with closing(heads):
            _logger.info("serving", url=serving.url_of(listener), vkey=cosigner.vkey.text)
            serving.run(create_witness_app(Witness(cosigner, known, heads)), listener)
    _logger.info("stopped")


def _cosigner(path: Path) -> Cosigner:
    beside = _vkey_file(path)
    named = _parsed(console.read_file(beside).decode("utf-8", "replace").strip(), str(beside))
    cosigner = Cosigner(named.name, console.load_key(path))
    if cosigner.vkey != named:
        raise console.CommandError(f"{beside} is not the verifier key of {path}")
    return cosigner


def _parsed(text: str, what: str) -> CosignerKey:
    try:
        return CosignerKey.parse(text)
    except FormatError as error:
        raise console.CommandError(f"{what}: {error.message}") from None


def _vkey_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.vkey")
