from __future__ import annotations

import pickle
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ledger.errors import FormatError, NotFoundError
from ledger.log.tiles import encode_entries
from ledger.verify.source import FolderSource, SourceError, UrlSource, open_source
from ledger.verify.whole import verify_log
from tests.support.organisation import Organisation
from tests.support.static_log import LOG_SIGNER, small_log, write_log


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    return small_log(Organisation(), 300).entries


@pytest.fixture
def folder(entries: list[bytes], tmp_path: Path) -> Path:
    write_log(tmp_path / "log", entries)
    return tmp_path / "log"


Serve = Callable[[Callable[..., BaseHTTPRequestHandler]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def start(handler: Callable[..., BaseHTTPRequestHandler]) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def serve_folder(serve: Serve, folder: Path) -> str:
    return serve(partial(Quiet, directory=str(folder)))


@pytest.fixture(params=["folder", "url"])
def where(request: pytest.FixtureRequest, folder: Path, serve: Serve) -> str:
    return str(folder) if request.param == "folder" else serve_folder(serve, folder)


def test_a_folder_or_a_url_is_opened() -> None:
    assert isinstance(open_source("https://log.example/points"), UrlSource)
    assert isinstance(open_source("var/export"), FolderSource)


def test_it_reads_checkpoint_tiles_and_entries(
    where: str, folder: Path, entries: list[bytes]
) -> None:
    source = open_source(where)
    assert source.checkpoint() == (folder / "checkpoint").read_bytes()
    assert source.entries(0) == entries[:256]
    assert source.entries(1, len(entries) - 256) == entries[256:]
    assert len(source.tile(0, 0)) == 256 * 32
    assert len(source.tile(1, 0, 1)) == 32


def test_it_is_opened_again_in_another_process(where: str, entries: list[bytes]) -> None:
    source = open_source(where)
    source.checkpoint()
    again = pickle.loads(pickle.dumps(source))  # noqa: S301
    assert again.entries(0) == entries[:256]


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one(
    where: str, entries: list[bytes]
) -> None:
    source = open_source(where)
    assert source.tile(0, 0, 5) == source.tile(0, 0)[: 5 * 32]
    assert source.entries(0, 7) == entries[:7]


def test_a_tile_that_is_not_there_is_named_with_both_its_names(where: str) -> None:
    source = open_source(where)
    with pytest.raises(NotFoundError, match=r"tile/0/009\.p/5"):
        source.tile(0, 9, 5)
    with pytest.raises(NotFoundError, match="tile/entries/009"):
        source.entries(9)


def test_the_address_of_a_server_says_where_its_log_is(serve: Serve, folder: Path) -> None:
    where = serve_folder(serve, folder / "tile")
    with pytest.raises(NotFoundError, match=f"{where}/checkpoint is not there .* at {where}/log"):
        open_source(where).checkpoint()


def test_a_tile_of_another_length_is_malformed(where: str, folder: Path) -> None:
    source = open_source(where)
    for data in (b"", bytes(33), bytes(255 * 32), bytes(257 * 32)):
        (folder / "tile/0/000").write_bytes(data)
        with pytest.raises(FormatError, match=r"tile/0/000"):
            source.tile(0, 0)


def test_a_bundle_of_another_length_is_malformed(
    where: str, folder: Path, entries: list[bytes]
) -> None:
    source = open_source(where)
    whole = encode_entries(entries[:256])
    for data in (b"", whole[:-1], encode_entries(entries[:255]), encode_entries(entries[:257])):
        (folder / "tile/entries/000").write_bytes(data)
        with pytest.raises(FormatError, match=r"tile/entries/000"):
            source.entries(0)


def test_a_file_that_is_too_large_is_not_read_whole(where: str, folder: Path) -> None:
    (folder / "checkpoint").write_bytes(b"x" * 70_000)
    with pytest.raises(FormatError, match="larger than"):
        open_source(where).checkpoint()


def test_a_log_below_a_url_is_verified_with_worker_processes(serve: Serve, folder: Path) -> None:
    where = serve_folder(serve, folder)
    for workers in (0, 2):
        assert verify_log(where + "/", LOG_SIGNER.vkey, workers=workers).ok
    (folder / "tile/entries/000").unlink()
    report = verify_log(where, LOG_SIGNER.vkey, workers=2)
    assert report.failure is not None
    assert (report.failure.kind, report.failure.index) == ("file-missing", 0)


def test_a_folder_that_is_none_is_no_verdict_on_a_log(tmp_path: Path) -> None:
    for where in (tmp_path / "nothing", Path(__file__)):
        with pytest.raises(SourceError):
            verify_log(str(where), LOG_SIGNER.vkey)


def test_a_server_that_nobody_runs_is_no_verdict_on_a_log() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(SourceError, match="cannot read http"):
            verify_log(f"http://127.0.0.1:{unused.getsockname()[1]}", LOG_SIGNER.vkey)


@pytest.mark.parametrize("where", ["http://", "http://[::1", "https://a b/"])
def test_a_url_that_is_none_is_an_error_with_a_reason(where: str) -> None:
    with pytest.raises(SourceError):
        open_source(where).checkpoint()


class Broken(Quiet):
    """Answers for the log's files, but fails on its entries."""

    def do_GET(self) -> None:
        if "entries" in self.path:
            self.send_error(500)
        else:
            super().do_GET()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_server_that_fails_is_no_verdict_on_a_log(
    serve: Serve, folder: Path, workers: int
) -> None:
    where = serve(partial(Broken, directory=str(folder)))
    with pytest.raises(SourceError, match="status 500"):
        verify_log(where, LOG_SIGNER.vkey, workers=workers)


def test_a_folder_that_vanishes_meanwhile_is_no_verdict(folder: Path) -> None:
    def vanish(done: int, size: int) -> None:
        if 0 < done < size:
            shutil.rmtree(folder)

    with pytest.raises(SourceError):
        verify_log(str(folder), LOG_SIGNER.vkey, workers=0, progress=vanish)
