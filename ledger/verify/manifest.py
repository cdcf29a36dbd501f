"""`manifest.json` of a bundle (formats, section 8): what it is of, and the SHA-256 of each file.

The manifest finds what was damaged or changed by mistake. Whoever changes a file on purpose can
write it again: what proves anything are the receipts, states and openings themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger import canonical
from ledger.errors import FormatError

FORMAT = "mingzhang.bundle.v1"
NAME = "manifest.json"
MEMBER, HEARING, PAPER = "member", "hearing", "paper"
KINDS = (MEMBER, HEARING, PAPER)

CHECKPOINT, VKEY, POLICY = "checkpoint", "log.vkey", "witness.policy"
RECEIPTS, STATES, STAMPS, DISCLOSED = "receipts/", "states/", "timestamps/", "disclosed/"
OPENINGS, PAPER_FILE = "disclosed.json", "paper.json"

MANIFEST_BYTES_MAX = 8 * 1024 * 1024
_MEMBERS = ("about", "files", "format", "kind", "log", "root", "size", "streams")
_FILE = ("bytes", "name", "sha256")
_HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*").fullmatch
_STREAM = re.compile(r"[a-z]{1,16}/[a-z0-9-]{1,64}").fullmatch


class Listed(NamedTuple):
    """A file as the manifest has it."""

    name: str
    bytes: int
    sha256: str


class Fault(NamedTuple):
    """What does not hold, and of which file."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says that it is: `about` is a member, a dispute, an entry or a paper's number.

    `log`, `size` and `root` (hex) are those of its one checkpoint; `streams` are those whose
    entries up to that size are all in it.
    """

    kind: str
    about: str
    log: str
    size: int
    root: str
    streams: tuple[str, ...]
    files: tuple[Listed, ...]

    @classmethod
    def of(
        cls,
        kind: str,
        about: str,
        log: str,
        size: int,
        root: str,
        streams: tuple[str, ...],
        files: Mapping[str, bytes],
    ) -> Manifest:
        """List files, the manifest itself apart."""
        listed = tuple(
            Listed(name, len(files[name]), hashlib.sha256(files[name]).hexdigest())
            for name in sorted(files)
        )
        return cls(kind, about, log, size, root, tuple(sorted(streams)), listed)

    def data(self) -> bytes:
        """Return the manifest's bytes (RFC 8785)."""
        return canonical.dumps(
            {
                "format": FORMAT,
                "kind": self.kind,
                "about": self.about,
                "log": self.log,
                "size": self.size,
                "root": self.root,
                "streams": list(self.streams),
                "files": [each._asdict() for each in self.files],
            }
        )

    def compare(self, files: Mapping[str, bytes]) -> Iterator[Fault]:
        """Say which of a bundle's files are missing, altered, or not listed."""
        for each in self.files:
            found = files.get(each.name)
            if found is None:
                yield Fault(each.name, "the manifest lists it and it is missing")
            elif hashlib.sha256(found).hexdigest() != each.sha256 or len(found) != each.bytes:
                yield Fault(each.name, "it was altered: its SHA-256 is not the manifest's")
        known = {each.name for each in self.files} | {NAME}
        for name in sorted(files.keys() - known):
            yield Fault(name[:80], "the manifest does not list it: it was added later")


def parse(data: bytes) -> Manifest:
    """Read a manifest, exactly as `data` writes it. Raises FormatError."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise FormatError(f"a manifest of {len(data)} bytes; at most {MANIFEST_BYTES_MAX} are read")
    value = canonical.loads(data)
    if type(value) is not dict or tuple(value) != _MEMBERS or value["format"] != FORMAT:
        raise FormatError(
            f"a manifest has exactly the members {', '.join(_MEMBERS)}, and its format is {FORMAT}"
        )
    texts = (value["kind"], value["about"], value["log"], value["root"])
    if any(type(each) is not str for each in texts) or value["kind"] not in KINDS:
        raise FormatError(f"kind is one of {', '.join(KINDS)}; about, log and root are text")
    if type(value["size"]) is not int or value["size"] < 1 or not _HEX64(value["root"]):
        raise FormatError("size is a log size from 1, and root is 64 lower-case hex digits")
    streams, listed = value["streams"], value["files"]
    if type(streams) is not list or type(listed) is not list:
        raise FormatError("streams and files are lists")
    if any(type(each) is not str or _STREAM(each) is None for each in streams):
        raise FormatError("a stream is a kind, / and an id")
    files = tuple(_listed(each) for each in listed)
    names = [each.name for each in files]
    if names != sorted(set(names)) or streams != sorted(set(streams)) or NAME in names:
        raise FormatError("files and streams are listed once each, in order, the manifest apart")
    kind, about, log, root = texts
    return Manifest(kind, about, log, value["size"], root, tuple(streams), files)


def _listed(value: Any) -> Listed:
    if type(value) is not dict or tuple(value) != _FILE:
        raise FormatError(f"a listed file has exactly the members {', '.join(_FILE)}")
    name, size, digest = value["name"], value["bytes"], value["sha256"]
    if type(name) is not str or _NAME(name) is None:
        raise FormatError("a file's name is of a-z, 0-9, . _ - and / only")
    if type(size) is not int or size < 0 or type(digest) is not str or not _HEX64(digest):
        raise FormatError(f"{name[:60]}: bytes count from 0, sha256 is 64 lower-case hex digits")
    return Listed(name, size, digest)
