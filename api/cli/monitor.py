"""`mingzhang monitor`: follows somebody's log and reports what does not hold."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import orjson
import structlog
import typer

from api import logging
from api.cli import console
from ledger.verify import webhook
from ledger.verify.monitor import Monitor, Outcome
from ledger.verify.place import Place
from ledger.verify.source import open_source

INTERVAL_S = 300.0
_logger = structlog.stdlib.get_logger("mingzhang.monitor")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(monitor)


def monitor(
    where: Annotated[str, typer.Argument(help="A log's URL, or an exported log's folder.")],
    vkey: console.Vkey,
    state: Annotated[Path, typer.Option("--state", help="The folder that keeps its place.")],
    once: Annotated[bool, typer.Option("--once", help="Look once and stop.")] = False,
    interval_s: Annotated[
        float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")
    ] = INTERVAL_S,
    hook: Annotated[
        str | None, typer.Option("--webhook", help="A URL that findings are posted to as JSON.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", help="A C2SP policy file: its witnesses are heard, their quorum is needed."
        ),
    ] = None,
    acknowledge: Annotated[
        bool,
        typer.Option(
            "--acknowledge", help="Say that the findings kept so far were looked at, and go on."
        ),
    ] = False,
) -> None:
    """Follow a log and check all that is new in it.

    Each look proves that the log continues every checkpoint seen before, and checks the new
    entries, their signatures and rights. Exit status 0: all holds. 1: something was found, now or
    earlier, and nobody has acknowledged it. 2: the last look could not check. 3: all holds, but no
    quorum of the policy's witnesses has signed within 7 days. Without --once it goes on until
    SIGTERM or SIGINT. A finding's file in the state folder holds both signed checkpoints, for
    others to check: `mingzhang verify evidence`.
    """
    key = console.verifier_key(vkey)
    trusted = console.read_policy(policy) if policy is not None else None
    if hook is not None:
        webhook.check_url(hook)
    logging.configure()
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    with Place(state, key) as place:
        if acknowledge:
            typer.echo(f"{place.acknowledge(_now())} findings acknowledged")
        source = open_source(where)
        watch = Monitor(
            source,
            key,
            place,
            _now,
            reports=hook is not None,
            ended=ended.is_set,
            policy=trusted,
        )
        while True:
            outcome = watch.look()
            _tell(outcome)
            open_findings = place.findings()
            for number, found in open_findings:
                _write(state / f"finding-{number}.json", found)
            undelivered = webhook.deliver(place, hook) if hook is not None else None
            if undelivered is not None:
                _logger.warning("webhook unreachable, reports are kept", reason=undelivered)
            if once or ended.wait(interval_s):
                break
    for line in outcome.witnessed.lines() if outcome.witnessed is not None else ():
        typer.echo(line)
    for number, found in open_findings:
        at = f" entry {found['index']}" if "index" in found else ""
        typer.echo(
            f"finding {number} of {found['found_at']}:{at} {found['reason']} [{found['kind']}]"
        )
    if open_findings:
        raise typer.Exit(console.FAILED)
    if outcome.trouble is not None:
        typer.echo(f"could not check: {outcome.trouble}")
        raise typer.Exit(console.WRONG_USE)
    if outcome.witnessed is not None and outcome.witnessed.waiting is not None:
        typer.echo(f"WAITING size {outcome.size}: all holds, but {outcome.witnessed.waiting}")
        raise typer.Exit(console.WAITING)
    typer.echo(f"OK size {outcome.size} ({outcome.checked} entries new)")


def _write(path: Path, found: dict[str, Any]) -> None:
    if not path.exists():
        console.write_file(path, orjson.dumps(found, option=orjson.OPT_INDENT_2))


def _tell(outcome: Outcome) -> None:
    for each in outcome.findings:
        words = {name: each[name] for name in ("kind", "reason", "index", "stream") if name in each}
        _logger.error("finding", **words)
    for name, reason in outcome.unheard:
        _logger.warning("witness asked in vain", witness=name, reason=reason)
    if outcome.witnessed is not None:
        if outcome.witnessed.silent:
            _logger.warning("witnesses do not sign", witnesses=outcome.witnessed.silent)
        if outcome.witnessed.waiting is not None:
            _logger.warning("waiting for witnesses", reason=outcome.witnessed.waiting)
    if outcome.trouble is not None:
        _logger.warning("could not check", reason=outcome.trouble, size=outcome.size)
    elif not outcome.findings:
        _logger.info("checked", size=outcome.size, new=outcome.checked)


def _now() -> datetime:
    return datetime.now(UTC)
