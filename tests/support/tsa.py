"""A time-stamping authority on this machine, made with openssl: a root, a TSA, and its server.

The server answers RFC 3161 queries over HTTP by `openssl ts -reply`, or wrongly, as a test says.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[stamping]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
Answer = Callable[[bytes], bytes]


class Tsa:
    """Keys, certificates and replies of one authority, in the folder `folder`."""

    def __init__(self, folder: Path, name: str = "test TSA") -> None:
        self.folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True)
        (folder / "ts.cnf").write_text(_CONFIG.format(name=name, folder=folder))
        (folder / "serial").write_text("01\n")
        self._new_key("root")
        self._openssl(
            *("req", "-x509", "-key", "root.key", "-subj", f"/CN={name} root", "-days", "3650"),
            *("-config", "ts.cnf", "-extensions", "root", "-out", "root.pem"),
        )
        self._new_key("tsa")
        self._openssl("req", "-new", "-key", "tsa.key", "-config", "ts.cnf", "-out", "tsa.csr")
        self._openssl(
            *("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key"),
            *("-CAcreateserial", "-days", "3650", "-extfile", "ts.cnf"),
            *("-extensions", "stamping", "-out", "tsa.pem"),
        )

    @property
    def roots(self) -> Path:
        """The file of the root certificate."""
        return self.folder / "root.pem"

    @property
    def certificate(self) -> Path:
        """The file of the TSA's own certificate."""
        return self.folder / "tsa.pem"

    def reply(self, query: bytes) -> bytes:
        """Return the response to a query, as the TSA gives it."""
        with self._lock:
            (self.folder / "query.tsq").write_bytes(query)
            self._openssl(
                *("ts", "-reply", "-queryfile", "query.tsq", "-config", "ts.cnf"),
                *("-signer", "tsa.pem", "-inkey", "tsa.key"),
                *("-out", "reply.tsr"),
            )
            return (self.folder / "reply.tsr").read_bytes()

    def query(self, data: bytes) -> bytes:
        """Return a query of openssl's own for `data`."""
        (self.folder / "data").write_bytes(data)
        self._openssl("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "own.tsq")
        return (self.folder / "own.tsq").read_bytes()

    def _new_key(self, name: str) -> None:
        self._openssl(
            *("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-out", f"{name}.key"),
        )

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


class TsaServer:
    """Serves `answer` over HTTP; a context manager."""

    def __init__(self, answer: Answer, status: int = 200) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                data = answer(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> TsaServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
