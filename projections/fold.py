"""What a read model is: a pure fold over recorded events into rows of its own tables.

The same fold runs in two places. The runner hands it the few rows that a batch touches and writes
the changed ones to the database; a replay hands it all rows, in memory. So a fold reads and writes
rows only through `Rows`, and nothing that it does may depend on where they live.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from ledger.domain.event import Event, Proposal
from ledger.errors import FormatError, MingzhangError

R = TypeVar("R", bound=tuple[Any, ...])

Key = Any
"""The value of a row's key column, or the tuple of them where there are several."""


class PoisonedEntryError(MingzhangError):
    """A recorded entry that a read model cannot fold: an entry or the fold is wrong."""

    code = "poisoned-entry"


class AsOf(NamedTuple):
    """The log prefix that an answer holds for: its size, and when its last entry was recorded."""

    size: int
    recorded_at: str


@dataclass(frozen=True)
class Table(Generic[R]):
    """A table whose rows are NamedTuples `row`; their first `key_size` columns are the key.

    Values are str, int, bool or None. In the database the columns have the same names and the
    types that the read model's `create` statements in its `.sql` file say.
    """

    name: str
    row: type[R]
    key_size: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, in the order of the row."""
        fields: tuple[str, ...] = self.row._fields  # type: ignore[attr-defined]
        return fields

    def key(self, row: R) -> Key:
        """Return the key of a row."""
        return row[0] if self.key_size == 1 else tuple(row[: self.key_size])


class Rows:
    """A read model's rows by table and key, all of them in memory."""

    def __init__(self, tables: Iterable[Table[Any]]) -> None:
        self._rows: dict[str, dict[Key, Any]] = {each.name: {} for each in tables}

    def get(self, table: Table[R], key: Key) -> R | None:
        """Return the row of `key`, None where there is none."""
        row: R | None = self._rows[table.name].get(key)
        return row

    def put(self, table: Table[R], row: R) -> None:
        """Insert a row, or replace the one with its key."""
        self._rows[table.name][row[0] if table.key_size == 1 else table.key(row)] = row

    def all(self, table: Table[R]) -> Collection[R]:
        """Return every row of a table, in the order in which their keys first came."""
        return self._rows[table.name].values()


Need = tuple[Table[Any], Key]


@dataclass(frozen=True)
class ReadModel:
    """A fold with its tables; another `version` is rebuilt from the log's first entry.

    `kinds` are the kinds of streams that it folds. `needs` names every row, apart from those that
    it has put itself, that `fold` may get for an event. The file `sql/<name>.sql` has its tables
    (the query `create`) and its questions, with `{v}` for the version.
    """

    name: str
    version: int
    tables: tuple[Table[Any], ...]
    kinds: frozenset[str]
    needs: Callable[[Event], Iterable[Need]]
    fold: Callable[[Event, Rows], None]

    def table_name(self, table: Table[Any]) -> str:
        """Return a table's name in the database, which carries the version."""
        return f"{self.name}_{self.version}_{table.name}"

    def fold_all(self, events: Iterable[Event], rows: Rows) -> None:
        """Fold events, in the log's order, into `rows`. Raises PoisonedEntryError."""
        kinds, fold = self.kinds, self.fold
        for event in events:
            if event.proposal.stream.partition("/")[0] not in kinds:
                continue
            try:
                fold(event, rows)
            except Exception as error:
                raise PoisonedEntryError(
                    f"entry {event.index} ({event.proposal.type} on {event.proposal.stream}) "
                    f"cannot be folded into {self.name}: {error!r}. Run `mingzhang verify log` to "
                    "see whether the entry is at fault; until it or the fold is mended, this read "
                    "model stays where it is"
                ) from error


def read_events(entries: Iterable[tuple[int, bytes]], kinds: Collection[str]) -> Iterator[Event]:
    """Yield the events of entries, given by index, that are on streams of `kinds`.

    For entries that were admitted strictly, or whose log `mingzhang verify log` checks: it takes
    the parts without testing that the bytes are canonical, at a third of the time of
    `parse_entry`. Raises FormatError where a part is not there.
    """
    loads = orjson.loads
    for index, data in entries:
        try:
            entry = loads(data)
            stream: str = entry["stream"]
            if stream.partition("/")[0] not in kinds:
                continue
            envelope = entry["envelope"]
            value = loads(b64decode(envelope["payload"]))
            proposal = Proposal(
                value["type"],
                value["id"],
                value["log"],
                stream,
                value["actor"],
                value["body"],
                tuple([each["keyid"] for each in envelope["signatures"]]),
            )
            event = Event(proposal, entry["seq"], index, entry["recorded_at"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"entry {index} is no entry of a log: {error!r}") from None
        yield event


def recorded_at(index: int, data: bytes) -> str:
    """Return when an entry was recorded. Raises FormatError."""
    try:
        entry: Mapping[str, Any] = orjson.loads(data)
        return str(entry["recorded_at"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"entry {index} is no entry of a log: {error!r}") from None
