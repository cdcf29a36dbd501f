"""Throw-away PostgreSQL servers, which tests may weaken, damage and kill."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from ledger.store import embedded
from tests.support.processes import await_that

WHEEL = embedded._programs().parents[1]


@contextmanager
def scratch_folder(name: str = "mingzhang") -> Iterator[Path]:
    """Make a folder that no other test run closes to the server's user, as pytest does with its."""
    base = Path(tempfile.mkdtemp(prefix="mingzhang-test-"))
    # So that the user whom a server runs as can reach it.
    base.chmod(0o755)
    try:
        yield base / name
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def older_server() -> Iterator[str]:
    """Run the wheel's PostgreSQL 16 and yield how to reach it."""
    programs = WHEEL / "pginstall" / "bin"
    with scratch_folder() as folder:
        folder.mkdir()
        user = embedded._server_user()
        if user is not None:
            embedded._make_readable(programs.parent)
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "postgres"

        def run(program: str, *args: str) -> None:
            subprocess.run(
                [str(programs / program), "-D", str(data), *args],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )

        run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
        options = f"-c listen_addresses='' -k {folder}"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


def base_backup(data: Path, to: Path) -> None:
    """Copy a ledger's folder with its own running server, while others may write: a base backup.

    The copy is no older than the moment of the call, and no newer than the return.
    """
    shutil.copytree(data, to, ignore=shutil.ignore_patterns("postgres", "postgres.*"))
    cluster, user = to / "postgres", embedded._server_user()
    cluster.mkdir(mode=0o700)
    if user is not None:
        os.chown(cluster, user.pw_uid, user.pw_gid)
    server = embedded.EmbeddedServer(data / "postgres")
    try:
        subprocess.run(
            [
                *(str(embedded._programs() / "pg_basebackup"), "-D", str(cluster)),
                *("-c", "fast", "-d", server.conninfo),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    finally:
        server.close()


def postmaster_pid(folder: Path) -> int:
    """Return the process id of the server in a cluster's folder."""
    return int((folder / "postmaster.pid").read_text().split("\n", 1)[0])


def kill_server(folder: Path) -> None:
    """Kill a server with everything that belongs to it, and wait until all of it is gone."""
    postmaster = psutil.Process(postmaster_pid(folder))
    family = [postmaster, *postmaster.children()]
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    await_that(lambda: not any(lives(each) for each in family))


def lives(process: psutil.Process) -> bool:
    """Tell whether a process runs; who is dead and not yet buried does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
