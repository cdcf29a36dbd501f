"""The rows that a batch of entries may touch in a build, and what of them must be written.

Every row of a table with a past carries the log sizes that it holds for: from `since` on, and
below `until`. The newest version of a row has UNTIL_NOW there. A fold knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import psycopg

from ledger.errors import ConflictError
from projections.fold import Group, Key, Need, R, ReadModel, Rows, Table

UNTIL_NOW = 2**63 - 1

Connection = psycopg.Connection[Any]


class Build(NamedTuple):
    """Tables of a read model: their number, and how much of the log they hold."""

    model: ReadModel
    number: int
    size: int
    served: bool


class UnsaveableError(Exception):
    """The database does not take a row that a read model made of these entries."""

    def __init__(self, model: str, reason: Exception) -> None:
        super().__init__(str(reason))
        self.model = model
        self.reason = reason


class OvertakenError(ConflictError):
    """A parked entry cannot be folded late: what it touches has changed since."""

    def __init__(self, index: int, model: str) -> None:
        super().__init__(
            "overtaken",
            f"entry {index} touches rows that later entries have changed, so it can no longer be "
            f"folded in its place: run `mingzhang rebuild {model}`",
        )


class BatchRows(Rows):
    """The rows that a batch may touch: those that were loaded, and those put since.

    They may be handed to the next batch, as long as nobody else has changed the build: what was
    loaded once is known then.

    With `late` the entries are older than the build's position: a row that has changed since one
    of them may be neither read nor put for it.
    """

    def __init__(self, model: ReadModel, *, late: bool = False) -> None:
        super().__init__(model.tables)
        self.late = late
        self._model = model.name
        self._index = 0
        self._since: dict[str, dict[Key, int]] = {name: {} for name in self._rows}
        self._versions: dict[str, dict[Key, list[tuple[int, Any]]]] = {
            name: {} for name in self._rows
        }
        self._wholes: set[str] = set()
        self.streams: set[str] = set()
        """Those whose `stream_needs` are loaded."""
        self._known_groups: dict[str, set[Any]] = {name: set() for name in self._groups}

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def get(self, table: Table[R], key: Key) -> R | None:
        """Return the row of `key`. Raises LookupError if the model's `needs` did not name it."""
        known = self._rows[table.name]
        if key not in known:
            if table.name in self._wholes:
                return None
            raise LookupError(f"row {key!r} of {table.name} is read but was not named as needed")
        if self.late:
            self._check(table, key)
        row: R | None = known[key]
        return row

    def some(self, table: Table[R], value: Any) -> list[R]:
        """Return a group's rows. Raises LookupError if the model's `needs` did not name it."""
        if value not in self._known_groups[table.name] and table.name not in self._wholes:
            raise LookupError(f"group {value!r} of {table.name} is read but was not named")
        return super().some(table, value)

    def _forget(self, table: Table[Any], key: Key) -> None:
        self._rows[table.name][key] = None

    def begin(self, index: int) -> None:
        """Begin with the entry `index`."""
        self._index = index

    def keep(self) -> None:
        """Keep what was put for the entry in hand: it holds from the size just after it."""
        since = self._index + 1
        undo = self._undo
        if len(undo) > 1:
            firsts = {(table.name, key): (table, key, before) for table, key, before in undo[::-1]}
            undo = list(firsts.values())
        for table, key, before in undo:
            row = self._rows[table.name][key]
            if self.late:
                self._check(table, key)
            if row == before:
                continue
            changed = self._versions[table.name]
            versions = changed.get(key)
            if versions is None:
                changed[key] = [(since, row)]
            elif versions[-1][0] == since or not table.past:
                versions[-1] = since, row
            else:
                versions.append((since, row))
        self._undo.clear()

    def park(self, stream: str, index: int, error: Exception | None) -> None:
        """Take back what was put for the entry in hand, and park it."""
        if isinstance(error, OvertakenError):
            raise error
        super().park(stream, index, error)

    def wanted_groups(self, needs: Iterable[Need]) -> dict[str, dict[Any, None]]:
        """Return the groups that are needed and not known yet, by table."""
        wanted: dict[str, dict[Any, None]] = {}
        for each in needs:
            if isinstance(each, Group) and each.value not in self._known_groups[each.table.name]:
                wanted.setdefault(each.table.name, {})[each.value] = None
        return wanted

    def wanted(self, needs: Iterable[Need]) -> dict[str, dict[Key, None]]:
        """Return the keys that are needed and not known yet, by table."""
        wanted: dict[str, dict[Key, None]] = {}
        for each in needs:
            if isinstance(each, Group):
                continue
            table, key = each
            if key not in self._rows[table.name] and table.name not in self._wholes:
                wanted.setdefault(table.name, {})[key] = None
        return wanted

    def load_groups(
        self, table: Table[Any], values: Iterable[Any], found: Iterable[Sequence[Any]]
    ) -> None:
        """Take over all that the database holds of groups; rows known already are the newer."""
        known = self._rows[table.name]
        self._take(table, (row for row in found if table.key(row[:-1]) not in known))
        self._known_groups[table.name].update(values)

    def load_whole(self, table: Table[Any], found: Iterable[Sequence[Any]]) -> None:
        """Take over all that the database holds of a table."""
        self._take(table, found)
        self._wholes.add(table.name)

    def lacks(self, table: Table[Any]) -> bool:
        """Tell whether a table was not loaded wholly."""
        return table.name not in self._wholes

    def load(self, table: Table[Any], keys: Iterable[Key], found: Iterable[Sequence[Any]]) -> None:
        """Take over what the database holds for `keys`: rows, each with its `since` at the end.

        What is not found is absent there.
        """
        self._rows[table.name].update(dict.fromkeys(keys))
        self._take(table, found)

    def _take(self, table: Table[Any], found: Iterable[Sequence[Any]]) -> None:
        known, since = self._rows[table.name], self._since[table.name]
        make, group = table.row._make, table.group
        for *values, begun in found:
            row = make(values)
            key = table.key(row)
            if group is not None:
                self._regroup(table, key, known.get(key), row)
            known[key] = row
            since[key] = begun

    def changes(self, table: Table[Any]) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
        """Return what must be written of a table, and take it as written.

        First what ends: keys of stored rows, each with the size `until`. Then what begins: the
        columns of rows, with `since`, and `until` in a table with a past.
        """
        ended: list[dict[str, Any]] = []
        begun: list[tuple[Any, ...]] = []
        stored, changed = self._since[table.name], self._versions[table.name]
        for key, versions in changed.items():
            if key in stored:
                ended.append(table.named(key) | {"until": versions[0][0]})
            since, row = versions[-1]
            if row is None:
                stored.pop(key, None)
            else:
                stored[key] = since
                begun.append((*row, since, UNTIL_NOW) if table.past else (*row, since))
            for (since, row), (until, _) in pairwise(versions):
                begun.append((*row, since, until))
        changed.clear()
        return ended, begun

    def _check(self, table: Table[Any], key: Key) -> None:
        if self._since[table.name].get(key, 0) > self._index + 1:
            raise OvertakenError(self._index, self._model)
