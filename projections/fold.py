"""What a read model is: a pure fold over recorded events into rows of its own tables.

The same fold runs in two places. The runner hands it the few rows that a batch touches and writes
the changed ones to the database; a replay hands it all rows, in memory. So a fold reads and writes
rows only through `Rows`, and nothing that it does may depend on where they live.

A fold that does not find what it needs raises. What it put for that entry is taken back, the entry
is parked, and with it every later entry of its stream, so that none is folded on a wrong ground;
all other streams go on. A replay parks the same entries as the runner.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from ledger.domain.event import Event, Proposal
from ledger.errors import FormatError
from projections.columns import Column, columns_of

R = TypeVar("R", bound=tuple[Any, ...])

Key = Any
"""The value of a row's key column, or the tuple of them where there are several."""

_ABSENT = object()
BEHIND = "behind"
"""What stands in an error's place for an entry that only follows a poisoned one."""


class AsOf(NamedTuple):
    """The log prefix that an answer holds for: its size, and when its last entry was recorded.

    `parked` are streams with entries in it that could not be folded: what they say is missing.
    """

    size: int
    recorded_at: str
    parked: tuple[str, ...] = ()


class Parked(NamedTuple):
    """An entry that is not folded; `error` is an error's class, or BEHIND."""

    stream: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    error: str
    message: str


@dataclass(frozen=True)
class Table(Generic[R]):
    """A table whose rows are NamedTuples `row`; their first `key_size` columns are the key.

    Values are str, int, bool or None, and `projections.columns.Note` says what they are. In the
    database a row that is put over is kept, with the log sizes that it held for, so that every
    answer can be given as of any size. With `past` off only the newest rows are kept: for what is
    derived from other tables, to be quick for the present; a replay does without them. `group` is
    a column by whose value rows can be asked for together.
    """

    name: str
    row: type[R]
    key_size: int = 1
    past: bool = True
    group: str | None = None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, in the order of the row."""
        fields: tuple[str, ...] = self.row._fields  # type: ignore[attr-defined]
        return fields

    @cached_property
    def described(self) -> tuple[Column, ...]:
        """The columns with their types, notes and units."""
        return columns_of(self.row)

    @cached_property
    def group_at(self) -> int:
        """The place of the group's column in the row."""
        return self.columns.index(self.group or "")

    def key(self, row: R) -> Key:
        """Return the key of a row."""
        return row[0] if self.key_size == 1 else tuple(row[: self.key_size])

    def named(self, key: Key) -> dict[str, Any]:
        """Return a key by its columns' names."""
        return dict(zip(self.columns, key if self.key_size > 1 else (key,), strict=False))


class Rows:
    """A read model's rows by table and key, all of them in memory, and what is parked.

    `memo` keeps what a fold derives from rows, to spare its making; nothing may depend on it.
    `touched` is what a fold leaves for the model's `finish`, which empties it.
    """

    def __init__(self, tables: Iterable[Table[Any]]) -> None:
        listed = tuple(tables)
        self._rows: dict[str, dict[Key, Any]] = {each.name: {} for each in listed}
        self._groups: dict[str, dict[Any, dict[Key, None]]] = {
            each.name: {} for each in listed if each.group is not None
        }
        self.memo: dict[str, Any] = {}
        self.touched: dict[Any, Any] = {}
        self._undo: list[tuple[Table[Any], Key, Any]] = []
        self.parked: dict[str, list[Parked]] = {}

    def get(self, table: Table[R], key: Key) -> R | None:
        """Return the row of `key`, None where there is none."""
        row: R | None = self._rows[table.name].get(key)
        return row

    def has(self, table: Table[Any]) -> bool:
        """Tell whether rows of a table are kept here: those without a past, only in a database."""
        return table.name in self._rows

    def put(self, table: Table[R], row: R) -> None:
        """Insert a row, or replace the one with its key."""
        rows = self._rows[table.name]
        key = row[0] if table.key_size == 1 else tuple(row[: table.key_size])
        before = rows.get(key, _ABSENT)
        self._undo.append((table, key, before))
        rows[key] = row
        if table.group is not None:
            self._regroup(table, key, before, row)

    def drop(self, table: Table[Any], key: Key) -> None:
        """Let a row of a table without a past be no more."""
        before = self._rows[table.name].get(key)
        if before is not None:
            self._undo.append((table, key, before))
            if table.group is not None:
                self._regroup(table, key, before, None)
            self._forget(table, key)

    def _forget(self, table: Table[Any], key: Key) -> None:
        del self._rows[table.name][key]

    def some(self, table: Table[R], value: Any) -> list[R]:
        """Return the rows of a group, in the order in which their keys first came to it."""
        rows = self._rows[table.name]
        return [rows[key] for key in self._groups[table.name].get(value, ())]

    def _regroup(self, table: Table[Any], key: Key, before: Any, row: Any) -> None:
        at, groups = table.group_at, self._groups[table.name]
        if before is not _ABSENT and before is not None:
            if row is not None and before[at] == row[at]:
                return
            groups[before[at]].pop(key, None)
        if row is not None:
            groups.setdefault(row[at], {})[key] = None

    def all(self, table: Table[R]) -> Collection[R]:
        """Return every row of a table, in the order in which their keys first came."""
        return self._rows[table.name].values()

    def begin(self, index: int) -> None:
        """Begin with the entry `index`: what is put from here on is kept or taken back as one."""

    def keep(self) -> None:
        """Keep what was put for the entry in hand."""
        self._undo.clear()

    def park(self, stream: str, index: int, error: Exception | None) -> None:
        """Take back what was put for the entry in hand, and park it; without `error`, as BEHIND."""
        for table, key, before in reversed(self._undo):
            if table.group is not None:
                row = None if before is _ABSENT else before
                self._regroup(table, key, self._rows[table.name].get(key), row)
            if before is _ABSENT:
                del self._rows[table.name][key]
            else:
                self._rows[table.name][key] = before
        self._undo.clear()
        self.memo.clear()
        said = (BEHIND, "") if error is None else (type(error).__name__, str(error))
        self.parked.setdefault(stream, []).append(Parked(stream, index, *said))

    def as_of(self, size: int, recorded_at: str) -> AsOf:
        """Return the position of an answer from these rows."""
        return AsOf(size, recorded_at, tuple(sorted(self.parked)))


class Group(NamedTuple):
    """All rows of a table whose group column holds `value`."""

    table: Table[Any]
    value: Any


Need = tuple[Table[Any], Key] | Group


def _none_by_stream(_stream: str) -> Iterable[Need]:
    return ()


def _no_more(_event: Event, _rows: Rows) -> Iterable[Need]:
    return ()


@dataclass(frozen=True)
class ReadModel:
    """A fold with its tables; another `version` is rebuilt from the log's first entry.

    `kinds` are the kinds of streams that it folds. `needs` names every row, apart from those that
    it has put itself, that `fold` may get for an event, or put over in a table without a past;
    `stream_needs`, asked once for many events, those that they have in common by their stream;
    `needs_more` those that depend on rows that were named, as far as the database holds them, and
    is asked until it names no more.
    Tables in `whole` are few rows, and are there without being named. `finish` comes after the
    entries of a batch, only in a database: it brings tables without a past in line. The file
    `sql/<name>.sql` has the indexes of its tables (the query `indexes`, which may be empty) and its
    questions, with `{b}` for the number of the build.
    """

    name: str
    version: int
    tables: tuple[Table[Any], ...]
    kinds: frozenset[str]
    needs: Callable[[Event], Iterable[Need]]
    fold: Callable[[Event, Rows], None]
    needs_more: Callable[[Event, Rows], Iterable[Need]] = field(default=_no_more)
    stream_needs: Callable[[str], Iterable[Need]] = field(default=_none_by_stream)
    whole: tuple[Table[Any], ...] = ()
    finish: Callable[[Rows], None] | None = None

    def rows(self) -> Rows:
        """Return empty rows, as a replay needs them: without the tables that `finish` derives."""
        return Rows(each for each in self.tables if each.past or self.finish is None)

    def table_name(self, table: Table[Any], build: int) -> str:
        """Return a table's name in the database, which carries the number of the build."""
        return f"{self.name}_{build}_{table.name}"

    def fold_all(self, events: Iterable[Event], rows: Rows) -> None:
        """Fold events, in the log's order, into `rows`; what cannot be folded is parked there."""
        kinds, fold, parked = self.kinds, self.fold, rows.parked
        for event in events:
            stream = event.proposal.stream
            if stream.partition("/")[0] not in kinds:
                continue
            if stream in parked:
                rows.park(stream, event.index, None)
                continue
            rows.begin(event.index)
            try:
                fold(event, rows)
            except Exception as error:  # noqa: BLE001 - kept with the entry, and told
                rows.park(stream, event.index, error)
            else:
                rows.keep()


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
            value = loads(a2b_base64(envelope["payload"], strict_mode=True))
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
