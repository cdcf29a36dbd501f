"""Serving processes and single commands of `mingzhang`, as an operator starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import orjson

START_WAIT_S = 60.0
_COMMAND = [sys.executable, "-c", "from api.cli.main import main; main()"]


def command() -> list[str]:
    """Return the words that start the command line, without an installed script."""
    return list(_COMMAND)


def environment(database_url: str | None = None, **more: str) -> dict[str, str]:
    """Return this process's environment without settings of ours, and with those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MINGZHANG_")}
    if database_url is not None:
        kept["MINGZHANG_DATABASE_URL"] = database_url
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2])} | more


def mingzhang(
    *words: str | Path,
    env: dict[str, str] | None = None,
    stdin: str = "",
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*_COMMAND, *map(str, words)],
        env=environment() if env is None else env,
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


class Server:
    """`mingzhang serve` on a free port of 127.0.0.1; a context manager that waits until ready."""

    def __init__(self, data: Path, env: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [*_COMMAND, "serve", "--data", str(data), "--port", "0"], env=env, stderr=errors
            )
        self.url = ""

    def __enter__(self) -> Server:
        try:
            self._await_ready()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, unless it has ended; return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def log_text(self) -> str:
        """Return all that it logged so far."""
        return self._log.read_text()

    def log_lines(self) -> list[dict[str, Any]]:
        """Return each line of its log; every one must be JSON."""
        return [orjson.loads(line) for line in self.log_text().splitlines()]

    def get(self, path: str, **given: Any) -> httpx.Response:
        """Ask it."""
        return httpx.get(self.url + path, **given)

    def post(self, body: bytes, kind: str = "application/json", **headers: str) -> httpx.Response:
        """Hand a statement or a batch in."""
        return httpx.post(
            f"{self.url}/v1/statements",
            content=body,
            headers={"Content-Type": kind} | headers,
            timeout=60,
        )

    def _await_ready(self) -> None:
        deadline_s = time.monotonic() + START_WAIT_S
        while time.monotonic() < deadline_s:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log_text()}")
            if not self.url:
                # The last line may be half written.
                whole = self.log_text().rpartition("\n")[0].splitlines()
                urls = [orjson.loads(line).get("url") for line in whole if line.startswith("{")]
                self.url = next((url for url in urls if url), "")
            elif self._ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"the server is not ready: {self.log_text()}")

    def _ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
