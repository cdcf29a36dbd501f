"""`mingzhang status` and `mingzhang doctor`: how a ledger stands, what is wrong, what to do."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import typer

from api.cli import console
from api.refusing import service_key_path
from api.witnesses import status as witness_status
from ledger import keyfile
from ledger.domain.organisation import RECOVERED, recovery_of
from ledger.entry import format_instant, parse_entry
from ledger.errors import MingzhangError, StartRefusedError
from ledger.log.submission import Answer
from ledger.store.ledger import (
    ANCHOR_FILE,
    KEY_FILE,
    POLICY_FILE,
    VKEY_FILE,
    Ledger,
    Options,
    read_origin,
    read_policy,
)
from ledger.store.port import SystemClock
from ledger.store.postgres import Database, open_database
from ledger.store.recovery import Seen, contradictions, newest_anchored
from ledger.store.start import CLOCK_OFFSET_MAX_S, ask_witnesses, clock_offsets, start_tip
from ledger.store.table import EntryTable
from ledger.store.witnesses import Witnesses
from ledger.verify.keys import load_vkey

FREE_WARN, FREE_BAD = 0.20, 0.05
NO_ROOT = "0" * 64


class Finding(NamedTuple):
    """One thing that was looked at: `level` is ok, warning or wrong; `advice` is what to do."""

    level: str
    what: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(doctor)


def status(data: console.DataDir = console.DATA_DIR) -> None:
    """Show the newest checkpoint, which witnesses cosigned it, and whether their quorum is met."""
    with Ledger.open(data, options=Options(append=False)) as ledger:
        found = witness_status(ledger, {})
        recoveries = [
            recovery_of(index, parse_entry(bytes(data)).statement.body)
            for index, data in ledger.typed((RECOVERED,))
        ]
    typer.echo(f"log         {found['origin']}")
    typer.echo(f"checkpoint  size {found['size']}, root {found['root']}")
    for each in recoveries:
        typer.echo(f"given up    entry {each.index}: {each}")
    for each in found["witnesses"]:
        last = (
            f", last size {each['cosigned_size']} at {_instant(each['cosigned_at'])}"
            if "cosigned_size" in each
            else ", never"
        )
        typer.echo(f"witness     {each['name']}: {each['state']}{last}")
    said = {"pending": "pending: waiting for witnesses", "none": "none is asked for"}
    typer.echo(f"quorum      {said.get(found['quorum'], 'met')}")
    if "witnessed" in found:
        seen = found["witnessed"]
        typer.echo(f"witnessed   size {seen['size']} since {_instant(seen['completed_at'])}")


def doctor(data: console.DataDir = console.DATA_DIR) -> None:
    """Look for what would keep the ledger from starting or recording, and say what to do.

    Nothing is changed or signed. Exit status 1 if anything is wrong.
    """
    wrong = False
    for level, what, advice in look(data):
        typer.echo(f"{level:<8}{what}")
        if advice:
            typer.echo(f"        → {advice}")
        wrong = wrong or level == "wrong"
    if wrong:
        raise typer.Exit(console.FAILED)


def look(data: Path) -> Iterator[Finding]:
    """Yield what is found, in the order in which it should be put right."""
    try:
        origin = read_origin(data)
    except StartRefusedError as error:
        yield Finding("wrong", error.message)
        return
    yield Finding("ok", f"{data} holds the ledger {origin}")
    yield _disk(data)
    yield from _keys(data)
    with ExitStack() as opened:
        try:
            database = open_database(data, os.environ.get("MINGZHANG_DATABASE_URL"))
            opened.callback(database.close)
            policy = read_policy(data)
        except MingzhangError as error:
            yield Finding("wrong", error.message)
            return
        yield Finding("ok", "the database answers, with safe settings and the rights it needs")
        witnesses = Witnesses.of(policy)
        if witnesses is not None:
            opened.callback(witnesses.close)
        yield from _history(data, database, witnesses)


def _disk(data: Path) -> Finding:
    usage = shutil.disk_usage(data)
    inodes = os.statvfs(data)
    free = min(usage.free / usage.total, inodes.f_favail / inodes.f_files if inodes.f_files else 1)
    what = f"{free:.0%} of the disk of {data} (bytes or inodes) is free"
    if free < FREE_BAD:
        return Finding("wrong", what, "make room now: nothing can be recorded on a full disk")
    if free < FREE_WARN:
        return Finding("warning", what, "make room soon")
    return Finding("ok", what)


def _keys(data: Path) -> Iterator[Finding]:
    named = (
        ("log key", Path(os.environ.get("MINGZHANG_LOG_KEY", data / KEY_FILE))),
        ("service key", service_key_path(data)),
    )
    for name, path in named:
        try:
            keyfile.load(path)
        except MingzhangError as error:
            yield Finding("wrong", f"the {name}: {error.message}")
        else:
            yield Finding("ok", f"the {name} {path} can be read, by its owner only")


def _history(data: Path, database: Database, witnesses: Witnesses | None) -> Iterator[Finding]:
    """Compare database, anchor and witnesses as a start does."""
    vkey = load_vkey(str(data / VKEY_FILE))
    with closing(EntryTable(database.connect)) as table:
        try:
            tip, _ = start_tip(table, None, vkey)
            anchored = newest_anchored(data / ANCHOR_FILE, vkey)
        except MingzhangError as error:
            yield Finding("wrong", error.message)
            return
        organisation = tip.world.organisation
        given_up = organisation.given_up if organisation is not None else 0
        size, _ = table.head()
        yield Finding("ok", f"the {size} entries have the root of the newest recorded checkpoint")
        if organisation is not None and organisation.policy:
            yield _policy(data, organisation.policy)
        seen = contradictions(table, anchored, None, vkey, given_up)
        if not seen:
            yield Finding("ok", "the anchor lies on the same history")
        answers: list[Answer] = []
        if witnesses is None:
            yield Finding(
                "warning",
                "no witness is configured",
                "a machine that is rolled back with its anchor goes unnoticed: name witnesses in a "
                "policy file (`mingzhang serve --policy FILE`)",
            )
        else:
            answers = list(ask_witnesses(table, witnesses, vkey)[1])
        for each in answers:
            yield _witness(each, given_up)
            if each.contradicts and (each.known or 0) > given_up:
                seen.append(Seen(f"witness {each.witness}", each.known or 0, None))
        yield from _hearing(answers)
    for one in seen:
        yield Finding(
            "wrong",
            f"{one.where} has seen size {one.size}, which is not a part of this ledger's history",
        )
    if seen:
        yield Finding("wrong", "nothing may be signed here", _recovery(data, vkey.name, seen, size))


def _policy(data: Path, adopted: str) -> Finding:
    """Compare the policy file with the digest that the log adopted last."""
    path = data / POLICY_FILE
    served = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
    if served == adopted:
        return Finding("ok", f"{path} is the policy that the log adopted")
    found = f"{path} is another one ({served})" if served is not None else f"there is no {path}"
    adopt = (
        "let two registrars sign that this one is adopted (`mingzhang sign witnesses.adopted "
        f"ledger/root policy={served} …`), or "
        if served is not None
        else ""
    )
    return Finding(
        "warning",
        f"the log adopted the policy {adopted}, {found}: a member's browser goes on with the "
        "witnesses that it knows, and says so",
        f"{adopt}serve the adopted file (`mingzhang serve --data {data} --policy FILE`; "
        "`sha256sum FILE` shows which one it is)",
    )


def _witness(answer: Answer, given_up: int) -> Finding:
    name = f"witness {answer.witness}"
    if answer.contradicts:
        if (answer.known or 0) <= given_up:
            return Finding(
                "warning",
                f"{name} keeps to the history that a recovery gave up",
                "it will not cosign again: agree with its operator on a new key or a new witness",
            )
        return Finding("wrong", f"{name}: {answer.reason}")
    if answer.cosignature is None:
        return Finding(
            "warning", f"{name}: {answer.reason}", "look at its URL in the policy, or ask it"
        )
    (offset_s,) = clock_offsets([answer], SystemClock())
    if abs(offset_s) > CLOCK_OFFSET_MAX_S:
        return Finding(
            "wrong",
            f"{name} has a clock {offset_s:.0f} s ahead of this machine's",
            "compare both with a third one, and set the wrong one right",
        )
    return Finding("ok", f"{name} cosigned size {answer.size}")


def _hearing(answers: list[Answer]) -> Iterator[Finding]:
    heard = any(each.contradicts or each.cosignature is not None for each in answers)
    if answers and not heard:
        yield Finding(
            "wrong",
            "no witness answered",
            "a start needs one of them; until then nobody can tell whether this machine was rolled "
            "back",
        )


def _recovery(data: Path, origin: str, seen: list[Seen], size: int) -> str:
    newest = max(seen, key=lambda each: (each.size, each.root is not None))
    root = newest.root.hex() if newest.root is not None else NO_ROOT
    body = f'{{"from_size":{newest.size},"from_root":"{root}","to_size":{size},"cause":"backup"}}'
    return (
        "if this is a copy, stop it for good and use the other one. Else restore a newer backup. "
        "Only where there is none: two registrars sign that the newer history is given up, which "
        f"everyone will see: `mingzhang sign ledger.recovered ledger/root --log {origin} --actor "
        f"ID --key FILE --key FILE --body '{body}' --out recovery.json` and start with "
        f"`mingzhang serve --data {data} --recovery recovery.json`"
    )


def _instant(posix_s: int) -> str:
    return format_instant(datetime.fromtimestamp(posix_s, UTC))
