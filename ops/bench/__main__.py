"""`python -m ops.bench`: what `make bench` runs. `--help` says how to ask for more."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from rich.console import Console

from ledger.errors import MingzhangError
from ledger.store.embedded import EmbeddedServer
from ledger.store.ledger import Ledger, initialise
from ledger.store.postgres import open_database
from ops.bench import appends, proofs, scoring, views, whole
from ops.bench.load import Load
from ops.bench.report import Row, head, show
from ops.demo.clock import SetClock
from ops.demo.sign import ORIGIN
from ops.sql_file import queries

FOLDER = Path("var/bench")
PARTS = ("appends", "whole", "scoring", "views", "proofs")
_LOGS = frozenset({"appends", "whole"})
"""The parts that record signed statements."""


def main() -> None:
    """Measure what is asked for and print it line by line."""
    options = _arguments()
    for name in [each for each in os.environ if each.startswith(("MINGZHANG_", "POSTGRES_"))]:
        del os.environ[name]
    console = Console(highlight=False)
    began_s = time.monotonic()
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    try:
        server = EmbeddedServer(FOLDER / "data" / "postgres")
        try:
            _say_where(console, server)
            head(console)
            for row in _rows(options, server):
                show(console, row)
        finally:
            server.close()
    except (MingzhangError, OSError) as error:
        sys.exit(f"bench: {error}")
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    console.print(f"took {time.monotonic() - began_s:.0f} s")


def _rows(options: argparse.Namespace, server: EmbeddedServer) -> Iterator[Row]:
    data = FOLDER / "data"
    initialise(data, ORIGIN)
    load = Load()
    if not _LOGS.isdisjoint(options.parts):
        with Ledger.open(data, clock=SetClock(load.founded)) as ledger:
            load.found(ledger)
    if "appends" in options.parts:
        conninfo = _create(server, "library")
        for take, signatures in (
            (load.take, "two signatures"),
            (load.take_moves, "one signature"),
        ):
            yield from appends.measure(data, conninfo, take, signatures, options.rounds)
    if "whole" in options.parts:
        yield from whole.measure(data, load, options.entries, options.rounds)
    if "scoring" in options.parts:
        yield scoring.measure()
    if "views" in options.parts:
        sizes = views.LIVE, views.LARGE._replace(members=options.members)
        yield from views.measure(FOLDER, _create(server, "views"), options.rounds, *sizes)
    if "proofs" in options.parts:
        owner = _create(server, "proofs")
        database = open_database(data, owner)
        yield from proofs.measure(database, owner, options.proof_size)


def _create(server: EmbeddedServer, name: str) -> str:
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(queries(Path(__file__).with_name("bench.sql"))[f"create_{name}"])
    return make_conninfo(server.conninfo, dbname=name)


def _say_where(console: Console, server: EmbeddedServer) -> None:
    with psycopg.connect(server.conninfo) as connection:
        version = connection.info.server_version // 10_000
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    console.print(
        f"{cores} cores, PostgreSQL {version} with fsync, Python {sys.version.split()[0]}; the "
        f"load before was {load:.1f}. Ratios are of one run on one server.",
        soft_wrap=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.bench", description=main.__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument("--entries", type=int, default=50_000, help="a log to verify, at least")
    parser.add_argument("--proof-size", type=int, default=1_000_000, help="the large log's size")
    parser.add_argument("--members", type=int, default=100_000, help="of the large rankings")
    found = parser.parse_args()
    unknown = set(found.parts) - set(PARTS)
    if unknown or found.rounds < 1 or found.proof_size <= proofs.SMALL:
        parser.error(f"parts are {', '.join(PARTS)}; rounds from 1, sizes over {proofs.SMALL}")
    found.parts = found.parts or list(PARTS)
    return found


if __name__ == "__main__":
    main()
