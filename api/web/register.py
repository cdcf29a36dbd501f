"""Entries that the pages need whole: whose each key is, and what each rulebook says.

Both are read from the log itself, once, and then only what was added.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

from ledger.domain.decide import FOUNDED
from ledger.domain.organisation import ADOPTED, RECOVERED, Recovery, recovery_of
from ledger.entry import Entry, parse_entry
from ledger.signing import decode_base64, encode_base64, keyid
from ledger.store.reader import Reader

_KEY, _RULEBOOK, _PART = "key.registered", "rulebook.published", "rulebook.part"
_TYPES = (FOUNDED, ADOPTED, RECOVERED, _KEY, _RULEBOOK, _PART)
UTC = "UTC"


class KeyEntry(NamedTuple):
    """Whose a key is, and the entry that registers it."""

    actor: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    data: bytes


class Published(NamedTuple):
    """A published version of a rulebook: its stream's id, the entry's index, and the document.

    The document has its parts' items too.
    """

    ident: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    body: dict[str, Any]


class Register:
    """The keys and rulebooks of a log, by key id and by (id, version); safe to share by threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._next = 0
        self._keys: dict[str, KeyEntry] = {}
        self._rulebooks: dict[tuple[str, str], Published] = {}
        self._parts: dict[str, list[dict[str, Any]]] = {}
        self._zone = UTC
        self._adopted: tuple[int, Entry] | None = None
        self._recoveries: list[Recovery] = []

    def read(self) -> Known:
        """Return what is registered up to the newest signed checkpoint. Raises BusyError."""
        with self._lock:
            for index, data in self._reader.typed(_TYPES, self._next):
                self._take(index, bytes(data), parse_entry(bytes(data)))
                self._next = index + 1
            return Known(
                dict(self._keys),
                dict(self._rulebooks),
                self._zone,
                self._adopted,
                tuple(self._recoveries),
            )

    def _take(self, index: int, data: bytes, entry: Entry) -> None:
        statement = entry.statement
        body = statement.body
        ident = entry.stream.partition("/")[2]
        if statement.type == _PART:
            self._parts[statement.id] = body["items"]
            return
        if statement.type == _RULEBOOK:
            more = [item for part in body.get("parts", ()) for item in self._parts.get(part, ())]
            whole = body | {"items": [*body["items"], *more]}
            self._rulebooks[ident, body["version"]] = Published(ident, index, whole)
            return
        if statement.type == ADOPTED:
            self._adopted = index, entry
            return
        if statement.type == RECOVERED:
            self._recoveries.append(recovery_of(index, body))
            return
        if statement.type == FOUNDED:
            self._zone = body["time_zone"]
        listed = body["keys"] if statement.type == FOUNDED else [{**body, "actor": ident}]
        for each in listed:
            key = keyid(decode_base64(each["public_key"]))
            self._keys[key] = KeyEntry(each["actor"], index, data)


class Known(NamedTuple):
    """Keys by key id, rulebooks by id and version, and the organisation's time zone.

    `adopted` is the newest entry by which a policy of witnesses was adopted, with its index;
    `recoveries` are histories that were given up.
    """

    keys: dict[str, KeyEntry]
    rulebooks: dict[tuple[str, str], Published]
    zone: str
    adopted: tuple[int, Entry] | None = None
    recoveries: tuple[Recovery, ...] = ()

    def proofs(self, page: Iterable[tuple[int, Entry]]) -> dict[str, Any]:
        """Return what a browser is given beside the entries of a page, to check them itself.

        `keys` are the entries that register the keys which signed, once each, by index; `policy` is
        `adopted`.
        """
        adopted = [self.adopted] if self.adopted is not None else []
        keyids = {
            each.keyid for _, entry in [*page, *adopted] for each in entry.statement.signatures
        }
        found = {self.keys[each].index: self.keys[each].data for each in keyids & self.keys.keys()}
        return {
            "keys": [[index, encode_base64(data)] for index, data in sorted(found.items())],
            "policy": [[index, encode_base64(entry.data)] for index, entry in adopted],
        }
