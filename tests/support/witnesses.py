"""Witnesses for tests: trees to be witnessed, real serving processes, and scripted bad ones."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import orjson

from api.witness.heads import FolderHeads
from api.witness.service import Witness
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.merkle import Edge, Node, consistency_proof
from ledger.log.note import Signer, VerifierKey
from ledger.log.witness import Rejected, Request, encode_request
from tests.support.organisation import key_of
from tests.support.server import START_WAIT_S, command, environment
from tests.support.waiting import wait_until

LOG = Signer("log.example/one", key_of("a watched log"))
COSIGNER = Cosigner("witness.example/w1", key_of("witness 1"))


def cosigner(number: int) -> Cosigner:
    """Return the key of the witness of that number."""
    return Cosigner(f"witness.example/w{number}", key_of(f"witness {number}"))


class Tree:
    """A log's tree of made-up leaves; another `seed` gives another history."""

    def __init__(self, seed: str = "", signer: Signer = LOG) -> None:
        self._seed = seed
        self._signer = signer

    def leaves(self, size: int) -> list[bytes]:
        return [hashlib.sha256(f"{self._seed}{n}".encode()).digest() for n in range(size)]

    def checkpoint(self, size: int) -> Checkpoint:
        edge = Edge.empty().extend(self.leaves(size))
        return Checkpoint(self._signer.name, size, edge.root())

    def note(self, size: int) -> bytes:
        return checkpoint.sign(self.checkpoint(size), self._signer)

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        nodes: dict[Node, bytes] = {}
        Edge.empty().extend(self.leaves(new), nodes)
        return tuple(consistency_proof(old, new, nodes.__getitem__)) if old else ()

    def request(self, old: int, new: int) -> bytes:
        return encode_request(Request(old, self.proof(old, new), self.note(new)))


class WitnessServer:
    """`mingzhang witness serve` on a free port; a context manager that waits until it serves."""

    def __init__(
        self,
        key: Path,
        logs: Path,
        log: Path,
        *where: str | Path,
        program: Sequence[str] | None = None,
    ) -> None:
        self._log = log
        words = ["witness", "serve", "--key", str(key), "--logs", str(logs)]
        words += [*map(str, where)]
        words += [] if "--bind" in where else ["--bind", "127.0.0.1:0"]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [*(program or command()), *words], env=environment(), stderr=errors
            )
        self.url = ""

    def __enter__(self) -> WitnessServer:
        wait_until(self._listens, START_WAIT_S)
        return self

    def _listens(self) -> bool:
        """Whether its log says where it is served; a process that ended never will."""
        assert self.process.poll() is None, self._log.read_text()
        whole = self._log.read_text().rpartition("\n")[0].splitlines()
        urls = [orjson.loads(line).get("url") for line in whole if line.startswith("{")]
        self.url = next((url for url in urls if url), "")
        return bool(self.url)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, unless it has ended; return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def log_text(self) -> str:
        return self._log.read_text()

    def add(self, body: bytes) -> httpx.Response:
        return httpx.post(f"{self.url}/add-checkpoint", content=body, timeout=30)


Answer = tuple[int, str, bytes]
"""Status, content type and body."""


@contextmanager
def scripted(answer: Callable[[str, bytes], Answer]) -> Iterator[str]:
    """Serve as a witness that answers (path, body) as a test says; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            self._answer(self.rfile.read(length))

        def do_GET(self) -> None:
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            status, kind, data = answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            with suppress(OSError):  # a client that had a time limit
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(
    number: int, vkey: VerifierKey, folder: Path, clock: Callable[[], float] = time.time
) -> Iterator[str]:
    """Run the product's witness of that number for one log, over HTTP in this process."""
    key = cosigner(number)
    heads = FolderHeads(folder / f"witness-{number}", key.vkey.text)
    witness = Witness(key, {vkey.name: [vkey]}, heads, clock)

    def answer(path: str, body: bytes) -> Answer:
        if path != "/add-checkpoint":
            return 404, "text/plain", b""
        found = witness.add(body)
        if isinstance(found, Rejected):
            return found.status, found.media_type, found.body
        return 200, "text/plain", found

    with scripted(answer) as url:
        yield url


def policy_of(urls: dict[int, str], quorum: int) -> bytes:
    """Return a policy of witnesses by number, of whom `quorum` must cosign."""
    lines = [f"witness w{n} {cosigner(n).vkey.text} {url}" for n, url in sorted(urls.items())]
    names = " ".join(f"w{n}" for n in sorted(urls))
    return "\n".join([*lines, f"group all-of-us {quorum} {names}", "quorum all-of-us", ""]).encode()
