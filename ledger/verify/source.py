"""Where a log is read from: a folder or an http(s) URL, in the layout of C2SP tlog-tiles.

Three things can be wrong and are told apart: SourceError where nothing could be learned (network,
rights), NotFoundError where a file is not there, FormatError where a file is not what its name
says. Every read has a size limit, whatever the server sends.

A partial tile may be gone once its tile is full, so a reader who finds none takes the front of the
full one instead, as tlog-tiles says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ledger.entry import ENTRY_SIZE_MAX
from ledger.errors import FormatError, MingzhangError, NotFoundError
from ledger.log.merkle import Edge, peak_nodes
from ledger.log.note import NOTE_SIZE_MAX
from ledger.log.tiles import (
    HASH_SIZE,
    TILE_WIDTH,
    Level,
    decode_entries,
    node_from_tiles,
    tile_path,
)

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10.0
CONNECT_RETRIES = 2
_BUNDLE_SIZE_MAX = TILE_WIDTH * (2 + ENTRY_SIZE_MAX)
_NOT_THERE = (404, 410)


class SourceError(MingzhangError):
    """The log could not be read, so nothing is known about it: try again, or look at the way."""

    code = "source-unreachable"
    status = 502


class Source(Protocol):
    """A readable log. Opened again from `where`, in another process too."""

    @property
    def where(self) -> str:
        """The folder or URL."""

    def checkpoint(self) -> bytes:
        """Return the signed note of the newest checkpoint."""

    def tile(self, level: int, n: int, width: int = TILE_WIDTH) -> bytes:
        """Return the first `width` hashes of 32 bytes of a tile."""

    def entries(self, n: int, width: int = TILE_WIDTH) -> list[bytes]:
        """Return the first `width` entries of bundle `n`."""

    def bundle(self, n: int, width: int = TILE_WIDTH) -> tuple[bytes, int]:
        """Return the bytes of bundle `n` as they stand, and the width they were asked under."""

    def read(self, path: str, size_max: int) -> bytes:
        """Return the file `path` of the log, of `size_max` bytes at most."""

    def close(self) -> None:
        """Give back what is held open; it is opened again when it is read."""


def root_at(tile: Callable[[int, int, int], bytes], size: int, signed_size: int) -> bytes:
    """Return the root over the first `size` entries by the tiles of a log of `signed_size`.

    `tile` gives the bytes of one by level, index and width. They are taken as they stand: whoever
    needs the root proved compares with what is signed.
    """
    peaks = [node_from_tiles(node, signed_size, tile) for node in peak_nodes(size)]
    return Edge(size, tuple(peaks)).root()


def open_source(where: str) -> Source:
    """Return the log at `where`, an http(s) URL or a folder. Nothing is read yet."""
    if where.startswith(("http://", "https://")):
        return UrlSource(where)
    return FolderSource(where)


class _Tiled(ABC):
    """What both kinds of sources share: names, fallbacks and lengths."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __reduce__(self) -> tuple[Any, ...]:
        return open_source, (self.where,)

    def close(self) -> None:
        """Give back what is held open; it is opened again when it is read."""
        return

    @abstractmethod
    def read(self, path: str, size_max: int) -> bytes:
        """Return the file `path` of the log, of `size_max` bytes at most."""

    def checkpoint(self) -> bytes:
        """Return the signed note of the newest checkpoint."""
        return self.read("checkpoint", NOTE_SIZE_MAX)

    def tile(self, level: int, n: int, width: int = TILE_WIDTH) -> bytes:
        """Return the first `width` hashes of 32 bytes of a tile."""
        data, got = self._read_tile(level, n, width, TILE_WIDTH * HASH_SIZE)
        if len(data) != got * HASH_SIZE:
            path = tile_path(level, n, got)
            raise FormatError(f"{path} has {len(data)} bytes where {got} hashes of 32 bytes belong")
        return data[: width * HASH_SIZE]

    def entries(self, n: int, width: int = TILE_WIDTH) -> list[bytes]:
        """Return the first `width` entries of bundle `n`."""
        data, got = self.bundle(n, width)
        try:
            entries = decode_entries(data)
        except FormatError as error:
            raise FormatError(f"{tile_path('entries', n, got)}: {error.message}") from None
        if len(entries) != got:
            path = tile_path("entries", n, got)
            raise FormatError(f"{path} holds {len(entries)} entries where {got} belong")
        return entries[:width]

    def bundle(self, n: int, width: int = TILE_WIDTH) -> tuple[bytes, int]:
        """Return the bytes of bundle `n` as they stand, and the width they were asked under."""
        return self._read_tile("entries", n, width, _BUNDLE_SIZE_MAX)

    def _read_tile(self, level: Level, n: int, width: int, size_max: int) -> tuple[bytes, int]:
        partial = tile_path(level, n, width)
        try:
            return self.read(partial, size_max), width
        except NotFoundError:
            if width == TILE_WIDTH:
                raise
        try:
            return self.read(tile_path(level, n), size_max), TILE_WIDTH
        except NotFoundError:
            raise NotFoundError(f"{self.where} has neither {partial} nor the full tile") from None


class FolderSource(_Tiled):
    """A log in a folder, as `mingzhang export` writes it."""

    def read(self, path: str, size_max: int) -> bytes:
        """Return the file `path` of the log, of `size_max` bytes at most."""
        folder = Path(self.where)
        try:
            with (folder / path).open("rb") as file:
                data = file.read(size_max + 1)
        except FileNotFoundError:
            if not folder.is_dir():
                raise SourceError(
                    f"{self.where} is no folder: name a log's folder or URL"
                ) from None
            raise NotFoundError(f"{self.where} has no {path}") from None
        except (OSError, ValueError) as error:
            raise SourceError(f"cannot read {path} in {self.where}: {error}") from None
        return _within(data, path, size_max)


class UrlSource(_Tiled):
    """A log below an http(s) URL; one connection is kept open."""

    def __init__(self, where: str) -> None:
        super().__init__(where.rstrip("/"))
        self._client: httpx.Client | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def checkpoint(self) -> bytes:
        """Return the signed note of the newest checkpoint."""
        try:
            return super().checkpoint()
        except NotFoundError as error:
            raise NotFoundError(
                f"{error.message}; where `mingzhang serve` answers, the log is at {self.where}/log"
            ) from None

    def read(self, path: str, size_max: int) -> bytes:
        """Return the file `path` of the log, of `size_max` bytes at most."""
        # Most logs are checked in a folder; its worker processes need not carry a web client.
        import httpx  # noqa: PLC0415

        url = f"{self.where}/{path}"
        try:
            if self._client is None:
                self._client = httpx.Client(
                    timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                    transport=httpx.HTTPTransport(retries=CONNECT_RETRIES),
                    follow_redirects=True,
                )
            with self._client.stream("GET", url) as response:
                if response.status_code in _NOT_THERE:
                    raise NotFoundError(f"{url} is not there (status {response.status_code})")
                if response.status_code != httpx.codes.OK:
                    raise SourceError(f"{url} answered with status {response.status_code}")
                data = bytearray()
                # What is read is counted after decompression, so a small bomb stays small.
                for part in response.iter_bytes(64 * 1024):
                    data += part
                    if len(data) > size_max:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"cannot read {url}: {str(error) or type(error).__name__}") from None
        return _within(bytes(data), path, size_max)


def _within(data: bytes, path: str, size_max: int) -> bytes:
    if len(data) > size_max:
        raise FormatError(f"{path} is larger than {size_max} bytes, which none of its kind can be")
    return data
