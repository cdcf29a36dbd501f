"""What the commands share: options, passphrases, files, and how an error is shown."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from ledger import keyfile
from ledger.errors import FormatError, KeyFileError, MingzhangError
from ledger.log import policy
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy
from ledger.signing import StatementKey
from ledger.verify.keys import load_vkey

PASSPHRASE_VARIABLE = "MINGZHANG_PASSPHRASE"  # noqa: S105 - the variable's name, no passphrase
DATA_VARIABLE = "MINGZHANG_DATA"
FAILED, WRONG_USE, WAITING = 1, 2, 3
INTERRUPTED = 128 + signal.SIGINT

DataDir = Annotated[
    Path,
    typer.Option("--data", envvar=DATA_VARIABLE, help="The ledger's data folder."),
]
DATA_DIR = Path("var/data")
MaybeData = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The data folder, on the ledger's own machine: no server. Without --url, "
        "MINGZHANG_DATA names it too.",
    ),
]
Url = Annotated[str | None, typer.Option("--url", help="The serving process.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="Answer for the past: a log size, a day (2025-03-01), or a checkpoint file."
    ),
]
RulebookOnly = Annotated[
    str | None, typer.Option("--rulebook", help="Only the table under this rulebook.")
]
TypeOnly = Annotated[
    str | None, typer.Option("--type", help="Only members of this type, ranked among themselves.")
]
CategoryOnly = Annotated[
    str | None, typer.Option("--category", help="Only what the items of this module counted.")
]
After = Annotated[
    int, typer.Option("--after", min=0, help="Entries behind this place in the member's stream.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="So many entries at most.")]
Vkey = Annotated[
    str, typer.Option("--vkey", help="The log's verifier key, or a file that holds it.")
]
MaybeVkey = Annotated[
    str | None, typer.Option("--vkey", help="The log's verifier key, or a file that holds it.")
]
KeyFiles = Annotated[
    list[Path], typer.Option("--key", help="A private key's file; give it once for each signer.")
]
Origin = Annotated[str, typer.Option("--log", help="The log's origin, such as example.org/points.")]
TsaRoots = Annotated[
    Path,
    typer.Option(
        "--tsa-roots",
        help="Certificates in PEM: roots, those between, and TSAs, if only some are believed.",
    ),
]
Actor = Annotated[str, typer.Option("--actor", help="The id of the actor who signs.")]


class CommandError(MingzhangError):
    """A command was used wrongly, or a file cannot be read or written: exit status 2."""

    code: ClassVar[str] = "command"


def ledger_at(data: Path | None, url: str | None) -> Path | None:
    """Return the folder of the ledger that a command is for, None where it is that at `url`.

    Without either it is the folder that MINGZHANG_DATA names. Raises CommandError.
    """
    if data is not None and url is not None:
        raise CommandError("give --data or --url, not both")
    if data is None and url is None:
        named = os.environ.get(DATA_VARIABLE)
        if not named:
            raise CommandError(
                "say which ledger: --data FOLDER on its own machine, --url URL where it is served"
            )
        return Path(named)
    return data


def load_key(path: Path) -> StatementKey:
    """Read a private key, with its passphrase from the environment or the terminal.

    Raises KeyFileError.
    """
    passphrase = _passphrase(path) if keyfile.is_encrypted(path) else None
    return keyfile.load_any(path, passphrase)


def new_passphrase(path: Path) -> bytes:
    """Return the passphrase for a new key file, asked for twice. Raises KeyFileError."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is None:
        _need_terminal(path)
        given = getpass.getpass(f"New passphrase for {path}: ")
        if getpass.getpass("The same again: ") != given:
            raise KeyFileError("the two passphrases differ: nothing was written")
    if not given:
        raise KeyFileError("the passphrase is empty: --no-passphrase leaves the key unencrypted")
    return given.encode()


def _passphrase(path: Path) -> bytes:
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is None:
        _need_terminal(path)
        given = getpass.getpass(f"Passphrase for {path}: ")
    return given.encode()


def _need_terminal(path: Path) -> None:
    if not sys.stdin.isatty():
        raise KeyFileError(
            f"{path} needs a passphrase and there is no terminal to ask at: set "
            f"{PASSPHRASE_VARIABLE}"
        )


def verifier_key(given: str) -> VerifierKey:
    """Return the key that --vkey gives. Raises CommandError: it is no fault of the log."""
    try:
        return load_vkey(given)
    except FormatError as error:
        raise CommandError(f"--vkey: {error.message}") from None


def read_file(path: Path, size_max: int | None = None) -> bytes:
    """Return a file's bytes, of at most `size_max` if given. Raises CommandError."""
    try:
        if size_max is not None and path.stat().st_size > size_max:
            raise CommandError(f"{path} has more than {size_max:,} bytes: it is not read")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from None


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises CommandError."""
    try:
        return policy.parse(read_file(path))
    except FormatError as error:
        raise CommandError(f"{path}: {error.message}") from None


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in the place of an older one. Raises CommandError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None


def need_free(path: Path) -> None:
    """Raise CommandError if `path` is taken: what was signed is not written over."""
    if path.exists():
        raise CommandError(f"{path} exists and is not written over: name another file")


def show(error: MingzhangError) -> int:
    """Show an error in one line on standard error; return the exit status that it stands for.

    1: something was checked or asked for and does not hold. 2: it could not be tried.
    """
    message = " ".join(error.message.split())
    rule = getattr(error, "rule", None)
    print(f"mingzhang: {message}{f' [{rule}]' if rule else ''}", file=sys.stderr)
    return FAILED if error.status < 500 else WRONG_USE


def show_interrupted() -> int:
    """Say on standard error that the command was ended by Ctrl-C; return the exit status."""
    print(
        "mingzhang: interrupted: nothing is half done, what was recorded before stays; the same "
        "command can be run again",
        file=sys.stderr,
    )
    return INTERRUPTED
