"""`mingzhang key`: private keys in files, which never leave the machine that they are made on.

A person's key must outlive the machine: it is made with a second holder, either an encrypted copy
in another place or a second person, the registrar who registers the next key if it is lost.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli import console
from ledger import keyfile, schema
from ledger.entry import format_instant, new_id, parse_envelope, statement_payload
from ledger.signing import (
    SUITE_ED25519,
    PrivateKey,
    StatementKey,
    encode_base64,
    sign_envelope,
)
from ledger.sm2 import NOT_CERTIFIED, SUITE_SM2, Sm2PrivateKey

REGISTERED_FILE, REVOKED_FILE = "1-key.registered.json", "2-key.revoked.json"
NoPassphrase = Annotated[
    bool, typer.Option("--no-passphrase", help="Leave the key unencrypted in its file.")
]

Copy = Annotated[
    Path | None,
    typer.Option("--copy", help="Keep an encrypted copy too: another folder, another medium."),
]
SecondHolder = Annotated[
    str | None,
    typer.Option(
        "--second-holder",
        metavar="ACTOR",
        help="The registrar who registers a new key if this one is lost.",
    ),
]
OutDir = Annotated[
    Path, typer.Option("--out-dir", help="Where the two signed statements are written.")
]

keys = typer.Typer(no_args_is_help=True, help="Make, show, rotate and replace private keys.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="key")


@keys.command()
def new(
    file: Annotated[Path, typer.Argument(help="The new file, which must not exist.")],
    no_passphrase: NoPassphrase = False,
    suite: Annotated[
        str,
        typer.Option("--suite", help="ed25519, or sm2: SM2 with SM3, not certified."),
    ] = SUITE_ED25519,
    copy: Copy = None,
    second_holder: SecondHolder = None,
) -> None:
    """Make a private key in a new file.

    The file has mode 0600; the public half is shown. The passphrase is asked for twice, or
    taken from MINGZHANG_PASSPHRASE. A second holder is needed, so that a machine that is lost
    takes nothing with it: --copy, or --second-holder (`mingzhang key replace`).
    """
    if suite not in (SUITE_ED25519, SUITE_SM2):
        raise console.CommandError(f"--suite is {SUITE_ED25519} or {SUITE_SM2}, not {suite!r}")
    key = Sm2PrivateKey.generate() if suite == SUITE_SM2 else PrivateKey.generate()
    _need_second_holder(file, key, copy, second_holder)
    _save(file, key, copy, no_passphrase=no_passphrase)
    _show(key)
    _show_second_holder(copy, second_holder)


@keys.command("show")
def show_key(file: Annotated[Path, typer.Argument(help="The key's file.")]) -> None:
    """Show the public half of a key."""
    _show(console.load_key(file))


@keys.command()
def rotate(
    old: Annotated[Path, typer.Argument(help="The file of the key in use.")],
    new: Annotated[Path, typer.Argument(help="The new key's file, which must not exist.")],
    log: console.Origin,
    actor: console.Actor,
    out_dir: OutDir = Path(),
    no_passphrase: NoPassphrase = False,
    copy: Copy = None,
    second_holder: SecondHolder = None,
) -> None:
    """Put a new key in the place of another.

    Makes the new key and two statements. Submit both, in the order of their names: the
    registration, signed by both keys, and the revocation of the old key, signed by the new one.
    """
    registered, revoked = out_dir / REGISTERED_FILE, out_dir / REVOKED_FILE
    for path in (registered, revoked):
        console.need_free(path)
    old_key, new_key = console.load_key(old), PrivateKey.generate()
    _need_second_holder(new, new_key, copy, second_holder)
    registration = _statement(
        "key.registered",
        {"suite": SUITE_ED25519, "public_key": encode_base64(new_key.public_key)},
        log,
        actor,
        [old_key, new_key],
    )
    revocation = _statement(
        "key.revoked", {"keyid": old_key.keyid, "cause": "rotated"}, log, actor, [new_key]
    )
    # The key first: a registration of a key that nobody has would be worth nothing.
    _save(new, new_key, copy, no_passphrase=no_passphrase)
    console.write_file(registered, registration)
    console.write_file(revoked, revocation)
    _show(new_key)
    _show_second_holder(copy, second_holder)
    typer.echo(f"wrote {registered}\nwrote {revoked}")


@keys.command()
def replace(
    lost: Annotated[str, typer.Argument(metavar="KEYID", help="The key id of the lost key.")],
    new: Annotated[Path, typer.Argument(help="The new key's file, which must not exist.")],
    log: console.Origin,
    actor: console.Actor,
    registrar: Annotated[
        str, typer.Option("--registrar", help="The second holder, who signs the registration too.")
    ],
    out_dir: OutDir = Path(),
    no_passphrase: NoPassphrase = False,
    copy: Copy = None,
    second_holder: SecondHolder = None,
) -> None:
    """Put a new key in the place of one that is lost.

    Makes the new key and two statements: its registration, which the registrar signs too
    (cosign), and the revocation of the lost key. Submit both, in the order of their names. What
    the lost key had signed and nobody has submitted yet is signed again with the new one:
    `mingzhang cosign FILE --key NEW --instead-of KEYID`.
    """
    registered, revoked = out_dir / REGISTERED_FILE, out_dir / REVOKED_FILE
    for path in (registered, revoked):
        console.need_free(path)
    key = PrivateKey.generate()
    _need_second_holder(new, key, copy, second_holder or registrar)
    body = {"suite": SUITE_ED25519, "public_key": encode_base64(key.public_key)}
    registration = _statement(
        "key.registered", body, log, registrar, [key], stream=f"actor/{actor}"
    )
    revocation = _statement("key.revoked", {"keyid": lost, "cause": "lost"}, log, actor, [key])
    _save(new, key, copy, no_passphrase=no_passphrase)
    console.write_file(registered, registration)
    console.write_file(revoked, revocation)
    _show(key)
    typer.echo(
        f"wrote {registered}\nwrote {revoked}\nnext, where the key of {registrar} is:\n"
        f"  mingzhang cosign {registered} --key KEY && mingzhang submit {registered} {revoked}"
    )


@keys.command()
def service(
    data: console.DataDir = console.DATA_DIR,
    registrar: Annotated[
        str | None,
        typer.Option("--registrar", help="Who registers it: prepare the statement for them."),
    ] = None,
    actor: Annotated[str, typer.Option("--actor", help="The id of the service actor.")] = "service",
    out: Annotated[
        Path, typer.Option("--out", help="Where the prepared statement is written.")
    ] = Path("service-key.json"),
) -> None:
    """Show the public half of the ledger's service key, or prepare its registration.

    A registrar over root signs the registration too (cosign) and grants the role `service`; from
    then on what lapses is recorded. A ledger that has no such key yet, made by an older version,
    gets one.
    """
    # The other commands of this file need nothing of a ledger, whose imports take long.
    from api.refusing import service_key_path  # noqa: PLC0415
    from ledger.store.ledger import read_origin  # noqa: PLC0415

    origin = read_origin(data)
    path = service_key_path(data)
    if not path.exists():
        keyfile.save(path, PrivateKey.generate(), None)
    key = keyfile.load(path)
    _show(key)
    if registrar is None:
        return
    console.need_free(out)
    body = {"suite": SUITE_ED25519, "public_key": encode_base64(key.public_key)}
    console.write_file(
        out, _statement("key.registered", body, origin, registrar, [key], stream=f"actor/{actor}")
    )
    typer.echo(
        f"wrote {out}; next, where the key of {registrar} is:\n"
        f"  mingzhang cosign {out} --key KEY && mingzhang submit {out}\n"
        f"  mingzhang sign role.granted actor/{actor} role=service unit=root --actor {registrar} "
        f"--log {origin} --key KEY --out role.json && mingzhang submit role.json"
    )


def _statement(
    kind: str,
    body: dict[str, str],
    log: str,
    actor: str,
    signers: list[StatementKey],
    *,
    stream: str | None = None,
) -> bytes:
    now = datetime.now(UTC)
    payload = statement_payload(
        type=kind,
        id=new_id(now, os.urandom(10)),
        log=log,
        stream=stream or f"actor/{actor}",
        actor=actor,
        signed_at=format_instant(now),
        body=body,
    )
    envelope = sign_envelope(payload, signers)
    schema.validate(kind, parse_envelope(envelope).body)
    return envelope


def _need_second_holder(
    file: Path, key: StatementKey, copy: Path | None, second_holder: str | None
) -> None:
    """Raise CommandError unless somebody or something goes on where `file` is lost."""
    console.need_free(file)
    if copy is None and second_holder is None:
        raise console.CommandError(
            "a key needs a second holder before it is used: --copy FILE keeps an encrypted copy in "
            "another place, --second-holder ACTOR names the registrar who registers a new one if "
            "it is lost"
        )
    if copy is None:
        return
    if isinstance(key, Sm2PrivateKey):
        raise console.CommandError(
            "the file of an SM2 key cannot be encrypted here: name a --second-holder, not a --copy"
        )
    console.need_free(copy)
    if copy.resolve().parent == file.resolve().parent:
        raise console.CommandError(
            f"{copy} lies in the folder of {file} and is lost with it: keep the copy elsewhere"
        )


def _save(file: Path, key: StatementKey, copy: Path | None, *, no_passphrase: bool) -> None:
    passphrase = None if no_passphrase and copy is None else console.new_passphrase(copy or file)
    if copy is not None:
        # First: a key without its copy would be one that nobody else holds.
        keyfile.save(copy, key, passphrase)
    keyfile.save(file, key, None if no_passphrase else passphrase)


def _show_second_holder(copy: Path | None, second_holder: str | None) -> None:
    if copy is not None:
        typer.echo(f"copy       {copy}, encrypted: put it where this machine is not")
    if second_holder is not None:
        typer.echo(
            f"if it is lost: `mingzhang key replace KEYID NEW --registrar {second_holder} …`"
        )


def _show(key: StatementKey) -> None:
    typer.echo(f"keyid      {key.keyid}")
    label = f" ({NOT_CERTIFIED})" if key.suite == SUITE_SM2 else ""
    typer.echo(f"suite      {key.suite}{label}")
    typer.echo(f"public_key {encode_base64(key.public_key)}")
