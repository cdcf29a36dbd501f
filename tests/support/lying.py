"""A proxy in front of a real server that has its checkpoints witnessed, and lies as a test says."""

from __future__ import annotations

import hashlib
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import httpx

from ledger.log import note
from ledger.signing import PrivateKey, encode_base64
from tests.support.organisation import key_of

_COSIGNATURE = 0x04
_PASSED_ON = ("content-type", "cache-control", "content-security-policy", "referrer-policy")
CONTACT = "0571-0000 0000"


class Answer(NamedTuple):
    """What goes back to a browser."""

    status: int
    headers: dict[str, str]
    body: bytes


Lie = Callable[[str, Answer], Answer | None]
"""Changes the answer to a path; None cuts the connection without one."""


@dataclass(frozen=True)
class Witness:
    """A witness (C2SP tlog-cosignature) with a key of its own."""

    name: str

    @property
    def key(self) -> PrivateKey:
        return key_of(self.name)

    @property
    def _typed(self) -> bytes:
        return bytes([_COSIGNATURE]) + self.key.public_key

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self._typed)}"

    def cosign(self, checkpoint: bytes, at_s: int) -> bytes:
        """Return the checkpoint with this witness's line for the time `at_s`."""
        message = f"cosignature/v1\ntime {at_s}\n{note.parse(checkpoint).text}"
        signature = struct.pack("!Q", at_s) + self.key.sign(message.encode())
        return checkpoint + f"— {self.name} {encode_base64(self.key_id + signature)}\n".encode()


WITNESSES = tuple(Witness(f"w{n}.example/witness") for n in (1, 2, 3))


def policy_text(vkey: str, url: str = "") -> str:
    """Return a policy of three witnesses, of which two are enough; `url` is the last one's."""
    lines = [f"# contact: {CONTACT}", f"log {vkey}"]
    lines += [f"witness w{n} {each.vkey}" for n, each in enumerate(WITNESSES, start=1)]
    lines[-1] = f"{lines[-1]} {url}".rstrip()
    return "\n".join([*lines, "group all-of-them 2 w1 w2 w3", "quorum all-of-them", ""])


def agreeing(_: str, request: bytes) -> tuple[int, str, bytes]:
    """Answer `add-checkpoint` as the last witness, which cosigns whatever comes."""
    checkpoint = request.partition(b"\n\n")[2]
    line = WITNESSES[-1].cosign(checkpoint, int(time.time())).removeprefix(checkpoint)
    return 200, "text/plain", line


class LyingProxy:
    """Passes requests on to `target`; `lie` changes answers, `requests` are the paths asked for.

    Checkpoints are cosigned by the first `cosigners` witnesses alone, `age_s` seconds ago.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.lie: Lie | None = None
        self.cosigners = 2
        self.age_s = 180
        self.requests: list[str] = []
        self.referers: list[str] = []
        self._client = httpx.Client(timeout=30)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, path: str, headers: dict[str, str]) -> Answer | None:
        """Return what a request is answered with."""
        self.requests.append(path)
        self.referers += [value for name, value in headers.items() if name.lower() == "referer"]
        kept = {k: v for k, v in headers.items() if k.lower() in ("accept-language", "cookie")}
        found = self._client.get(self.target + path, headers=kept | {"Accept-Encoding": "identity"})
        passed = {k: v for k, v in found.headers.items() if k in _PASSED_ON}
        if "set-cookie" in found.headers:
            passed["set-cookie"] = found.headers["set-cookie"]
        answer = Answer(found.status_code, passed, found.content)
        if path == "/log/checkpoint" and answer.status == httpx.codes.OK:
            answer = answer._replace(body=self.witnessed(answer.body))
        return self.lie(path, answer) if self.lie else answer

    def witnessed(self, checkpoint: bytes) -> bytes:
        """Return a checkpoint with the cosignatures that there are."""
        text, _, lines = checkpoint.decode().partition("\n\n")
        names = tuple(f"— {each.name} " for each in WITNESSES)
        kept = [each for each in lines.splitlines() if not each.startswith(names)]
        checkpoint = "\n".join([text, "", *kept, ""]).encode()
        for each in WITNESSES[: self.cosigners]:
            checkpoint = each.cosign(checkpoint, int(time.time()) - self.age_s)
        return checkpoint

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()


@contextmanager
def lying_proxy(target: str) -> Iterator[LyingProxy]:
    """Run a proxy in front of `target`."""
    proxy = LyingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()


def _handler(proxy: LyingProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = proxy.answer(self.path, dict(self.headers))
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            # A browser that goes away is no fault of a test.
            try:
                super().handle()
            except (ConnectionError, BrokenPipeError):
                self.close_connection = True

    return Handler
