"""`mingzhang verify`: what an outsider runs, with nothing but the log's verifier key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import typer.core

from api.cli import console, progress
from ledger.errors import FormatError, ProofError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy
from ledger.log.timestamp import Trust, stamped_note
from ledger.refusal import refused_statement, verify_refusal
from ledger.signing import decode_base64
from ledger.verify.bundle import BUNDLE_BYTES_MAX, verify_bundle
from ledger.verify.cases import check_disclosed
from ledger.verify.evidence import verify_evidence
from ledger.verify.page_evidence import is_page_evidence, verify_page_evidence
from ledger.verify.receipt import verify_receipt_file
from ledger.verify.source import open_source
from ledger.verify.state import verify_state_file
from ledger.verify.timestamps import verify_timestamps, verify_token
from ledger.verify.whole import verify_log


class _ByFile(typer.core.TyperGroup):
    """Takes a file in the place of a command: what it is says which command is meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that `args` begin with, or that their first file stands for."""
        if args and args[0] not in self.commands and Path(args[0]).is_file():
            args = [_kind(console.read_file(Path(args[0]))), *args]
        return super().resolve_command(ctx, args)


def _kind(data: bytes) -> str:
    """Return the command that a file is for; what is no JSON object can only be a receipt."""
    if data.startswith(b"PK\x03\x04"):
        return "bundle"
    if not data.startswith(b"{"):
        return "receipt"
    if is_page_evidence(data):
        return "evidence"
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return "receipt"
    if "receipt" in found:
        return "state"
    return "evidence" if "shown" in found else "receipt"


verify = typer.Typer(
    cls=_ByFile,
    no_args_is_help=True,
    help="Check a receipt, a state proof, a bundle, a refusal, a timestamp, a case, evidence or a "
    "whole log; `verify FILE` sees which of receipt, state proof, bundle and evidence FILE is.",
)

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", help="A C2SP policy file: without its witnesses' quorum nothing is OK."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(verify, name="verify")


@verify.command("receipt")
def receipt(
    file: Annotated[Path, typer.Argument(help="A .tlog-proof file.")],
    vkey: console.Vkey,
    policy: PolicyFile = None,
) -> None:
    """Check a receipt and show its entry.

    Exit status 0 only if it holds, 1 if it does not, 2 if it could not be tried, 3 if it holds and
    waits for the policy's witnesses.
    """
    key = console.verifier_key(vkey)
    data = console.read_file(file)
    report = verify_receipt_file(data, key, _policy(policy))
    for line in report.lines():
        typer.echo(line)
    if not report.ok:
        # What does not hold was raised: the quorum alone can be missing.
        raise typer.Exit(console.WAITING)


@verify.command("state")
def state(
    file: Annotated[Path, typer.Argument(help="A state proof, of a balance or a rank.")],
    vkey: console.Vkey,
) -> None:
    """Check a proof of a sealed balance or rank.

    Exit status 0 only if it holds, 1 if it does not, 2 if it could not be tried.
    """
    key = console.verifier_key(vkey)
    for line in verify_state_file(console.read_file(file), key).lines():
        typer.echo(line)


@verify.command("bundle")
def bundle(
    file: Annotated[Path, typer.Argument(help="A bundle, as `mingzhang bundle` writes it.")],
    vkey: Annotated[
        str | None,
        typer.Option("--vkey", help="The log's verifier key; the bundle's own if not given."),
    ] = None,
    policy: PolicyFile = None,
    tsa_roots: console.TsaRoots | None = None,
) -> None:
    """Check a bundle, with neither database nor server.

    Manifest, receipts, signatures, chains, texts and sealed states; every fault is named. Exit
    status 0 only if all holds, 1 if it does not, 2 if it could not be tried, 3 if it holds and
    waits for the policy's witnesses.
    """
    key = console.verifier_key(vkey) if vkey is not None else None
    trust = _trust(tsa_roots) if tsa_roots is not None else None
    report = verify_bundle(console.read_file(file, BUNDLE_BYTES_MAX), key, _policy(policy), trust)
    for line in report.lines():
        typer.echo(line)
    if not report.ok:
        raise typer.Exit(console.FAILED if report.faults else console.WAITING)


@verify.command("refusal")
def refusal(
    file: Annotated[Path, typer.Argument(help="A refusal that the service signed.")],
    key: Annotated[
        str,
        typer.Option(
            "--key",
            help="The service's public key in base64, or a file with it: `mingzhang key service`.",
        ),
    ],
    statement: Annotated[
        Path | None,
        typer.Option("--statement", help="The envelope that must be the refused one."),
    ] = None,
) -> None:
    """Check a signed refusal.

    It shows that the statement was handed in, when, and which rule it was refused by. Whether the
    key is the service actor's stands in the log: its `key.registered` and its role `service`.
    """
    found = verify_refusal(console.read_file(file).removesuffix(b"\n"), _public_key(key))
    if statement is not None:
        handed_in = console.read_file(statement).removesuffix(b"\n")
        if refused_statement(handed_in) != found.statement:
            raise ProofError(f"the refusal is of another statement than {statement}")
    for name in ("log", "statement", "rule", "refused_at", "size", "keyid"):
        typer.echo(f"{name:<11} {getattr(found, name)}")
    typer.echo("OK          the refusal is signed by this key")


def _policy(path: Path | None) -> Policy | None:
    return console.read_policy(path) if path is not None else None


def _public_key(given: str) -> bytes:
    try:
        if len(given) < 256 and Path(given).is_file():
            lines = Path(given).read_text().splitlines()
            marked = [line.split()[1] for line in lines if line.startswith("public_key ")]
            given = (marked or lines or [""])[0].strip()
        return decode_base64(given, 32)
    except (FormatError, OSError, UnicodeDecodeError, IndexError):
        raise console.CommandError("--key is no base64 of a 32-byte public key") from None


@verify.command("log")
def log(
    where: Annotated[str, typer.Argument(help="An exported log's folder, or a log's URL.")],
    vkey: console.Vkey,
    older: Annotated[
        Path | None,
        typer.Option("--from", help="An older checkpoint's file, which the log must continue."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=0, help="Helping processes; one a core if not given."),
    ] = None,
    policy: PolicyFile = None,
    tsa_roots: console.TsaRoots | None = None,
) -> None:
    """Check a whole log.

    Tree, chains, signatures, keys and rights are computed again. Exit status 0 only if all holds,
    1 if it does not (the first bad entry is named), 2 if the log could not be read, 3 if it holds
    and waits for the policy's witnesses. With --tsa-roots, the timestamps beside the log are
    checked too.
    """
    trust = _trust(tsa_roots) if tsa_roots is not None else None
    key = console.verifier_key(vkey)
    from_checkpoint = console.read_file(older) if older is not None else None
    with progress.bar("verifying entries") as told:
        report = verify_log(
            where,
            key,
            from_checkpoint=from_checkpoint,
            workers=workers,
            progress=told,
            policy=_policy(policy),
        )
    for line in report.lines():
        typer.echo(line)
    if report.failure is not None:
        raise typer.Exit(console.FAILED)
    if trust is not None:
        _show_timestamps(where, key, trust, report.size)
    if not report.ok:
        raise typer.Exit(console.WAITING)


@verify.command("case")
def case(
    file: Annotated[Path, typer.Argument(help="What `mingzhang dispute open` printed.")],
    where: Annotated[str, typer.Argument(help="An exported log's folder, or a log's URL.")],
    vkey: console.Vkey,
) -> None:
    """Check a dispute on what its parties disclose, against the log.

    The log has commitments only: with the openings it shows whether the filer handled the own case,
    or a decider had part in the entry. Exit status 0 only if nothing is wrong, 1 if something is,
    2 if it could not be tried.
    """
    key, data = console.verifier_key(vkey), console.read_file(file)
    with progress.bar("folding entries") as told:
        ident, found = check_disclosed(data, where, key, told)
    for each in found:
        typer.echo(f"WRONG       {each.rule}: {each.reason}")
    if found:
        raise typer.Exit(console.FAILED)
    typer.echo(f"OK          dispute {ident}: envelope and target are those of the log")
    typer.echo("OK          no filer handled the own case, and nobody decided who had part in it")


@verify.command("timestamp")
def timestamp(
    token: Annotated[Path, typer.Argument(help="A TSA's response, ending .tsr.")],
    checkpoint: Annotated[Path, typer.Argument(help="The checkpoint that it stamps.")],
    vkey: console.Vkey,
    tsa_roots: console.TsaRoots,
) -> None:
    """Check a timestamp on a checkpoint.

    Exit status 0 only if it holds, 1 if it does not, 2 if it could not be tried.
    """
    key, trust = console.verifier_key(vkey), _trust(tsa_roots)
    stamped = stamped_note(console.read_file(checkpoint), key)
    size = open_checkpoint(stamped, key).size
    found = verify_token(console.read_file(token), stamped, size, token.stem, trust)
    typer.echo(str(found))
    if found.stamp is None:
        raise typer.Exit(console.FAILED)


@verify.command("evidence")
def evidence(
    file: Annotated[
        Path, typer.Argument(help="What a page saved (对不上, mismatch), or a monitor's finding.")
    ],
    vkey: console.Vkey,
) -> None:
    """Check evidence against a log.

    Exit status 0 only if it proves by itself that the log's key signed two histories, 1 if it does
    not, 2 if it could not be tried.
    """
    key, data = console.verifier_key(vkey), console.read_file(file)
    if not is_page_evidence(data):
        typer.echo(f"PROVED {verify_evidence(data, key)}")
        return
    report = verify_page_evidence(data, key)
    for line in report.lines():
        typer.echo(line)
    if not report.fork:
        raise typer.Exit(console.FAILED)


def _trust(path: Path) -> Trust:
    try:
        return Trust.load(path)
    except FormatError as error:
        raise console.CommandError(f"--tsa-roots: {error.message}") from None


def _show_timestamps(where: str, key: VerifierKey, trust: Trust, size: int) -> None:
    found = list(verify_timestamps(open_source(where), key, trust, size))
    for each in found:
        typer.echo(str(each))
    if not found:
        typer.echo("timestamp   none: no TSA says when any of this existed")
    if any(each.stamp is None for each in found):
        raise typer.Exit(console.FAILED)
