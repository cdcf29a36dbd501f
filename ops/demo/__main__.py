"""`python -m ops.demo`, in the checkout's folder: what `make demo` runs.

It makes `var/demo` anew each time. With SERVE=0 in the environment it ends before serving.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ledger.errors import MingzhangError
from ledger.store.embedded import EmbeddedServer
from ops.demo.folders import Folders
from ops.demo.screen import PROGRAM
from ops.demo.story import DemoError, Story
from ops.demo.year import last_complete_year

FOLDER = Path("var/demo")
PORTS = range(8080, 8100)
WIDTH_MAX = 110


def main() -> None:
    """Tell the story, then serve. Exit status 1 with one line where something is wrong."""
    # A demo works on its own database and key, whatever else this shell is set up for.
    for name in [each for each in os.environ if each.startswith("MINGZHANG_")]:
        del os.environ[name]
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH_MAX)
    folders = Folders(FOLDER)
    try:
        _lock(FOLDER.with_name("demo.lock"))
        _clear(folders)
        Story(console, folders, last_complete_year(datetime.now(UTC))).tell()
    except (MingzhangError, DemoError, OSError) as error:
        sys.exit(f"demo: {error}")
    if os.environ.get("SERVE", "1") != "0":
        _serve(console, folders)


def _lock(path: Path) -> None:
    """Hold the demo's folder until this process ends, also while it serves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(handle, True)
    if not _free(handle):
        raise DemoError(f"another demo runs on {FOLDER}: stop it first (Ctrl-C where it serves)")


def _clear(folders: Folders) -> None:
    """Remove what an earlier demo left, if nothing uses it."""
    users = folders.data / "postgres.users"
    if users.exists():
        handle = os.open(users, os.O_RDWR)
        if not _free(handle):
            raise DemoError(f"{folders.data} is open in another process: stop it first")
        os.close(handle)
    if (folders.data / "postgres" / "postmaster.pid").exists():
        # The server of a demo that was killed: adopted and stopped.
        EmbeddedServer(folders.data / "postgres").close()
    if folders.root.exists():
        shutil.rmtree(folders.root)


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _serve(console: Console, folders: Folders) -> None:
    """Become `mingzhang serve`."""
    port = _free_port()
    console.print(f"  Serving on http://127.0.0.1:{port} until Ctrl-C. In another terminal:\n")
    base, older = f"http://127.0.0.1:{port}", folders.exported / "checkpoint"
    for command in (
        f"curl {base}/log/checkpoint",
        f"curl {base}/v1/entries/0",
        f"{PROGRAM} verify log {base}/log --vkey {folders.vkey} --from {older}",
    ):
        console.print(f"  {command}", soft_wrap=True, markup=False)
    console.print()
    sys.stdout.flush()
    program = str(Path(sys.executable).with_name("mingzhang"))
    os.execv(program, [program, "serve", "--data", str(folders.data), "--port", str(port)])  # noqa: S606


def _free_port() -> int:
    """Return the first port of PORTS that is free, 0 (the system chooses) if none is."""
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return 0


if __name__ == "__main__":
    main()
