"""Compares what was published with what the log gives: sealed roots, tables, leaves, statements.

A root says only whether it is right. What differs is told from the published files of the leaves,
the table or a member's statement: member by member, and entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from ledger import canonical
from ledger.errors import FormatError, NotFoundError
from ledger.log.note import VerifierKey
from ledger.state import Leaf, RankingLeaf
from projections import commitments, rankings
from projections.acts import ACT
from projections.commitments import Document, Heads, State
from projections.explain import Change, Explained, Figure, Side, explain, sides_of
from projections.fold import AsOf, Rows
from projections.frame import frame_of
from projections.period import parse_period
from projections.rankings import Ranking
from projections.replay import Progress, Replayed
from projections.roster import MEMBER, history_of
from projections.scope import Asked, Scope, scope_of
from projections.sealed import Look, Seal, states

LEAVES, RANKING, STATEMENT = "leaves", "ranking", "statement"
_PLACE = ("position", "rank", "unit", "score")


class PublishedError(FormatError):
    """A file that was handed in is not one that can be compared."""


class Difference(NamedTuple):
    """A member whose published values are not the log's; None where a side has none.

    `why` explains the figure `explained`, with the entries that alone would give the published one.
    """

    member: str
    log: Mapping[str, Any] | None
    published: Mapping[str, Any] | None
    explained: str = ""
    why: Explained | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A published file against the log: what it is of, and what differs."""

    name: str
    kind: str
    of: str
    size: int
    wrong: str
    differences: tuple[Difference, ...]
    entries: tuple[Change, ...]

    @property
    def ok(self) -> bool:
        """Whether it is what the log gives."""
        return not (self.wrong or self.differences or self.entries)


@dataclass(frozen=True, slots=True)
class Checked:
    """A seal with what the log gives in its place: a body, or the reason why there is none."""

    seal: Seal
    log: Mapping[str, Any] | None
    wrong: str
    parked: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether it is what the log gives."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every seal of a log, and every file that was handed in."""

    log: Replayed
    seals: tuple[Checked, ...]
    files: tuple[Compared, ...]

    @property
    def ok(self) -> bool:
        """Whether all that was published is what the log gives."""
        return all(each.ok for each in self.seals) and all(each.ok for each in self.files)


class _Table(NamedTuple):
    size: int
    unit: str
    rulebook: str
    period: str
    only: dict[str, str | None]
    whole: bool
    places: dict[str, dict[str, Any]]


class _Statement(NamedTuple):
    size: int
    member: str
    whole: bool
    entries: dict[str, Side | None]


Published = Document | _Table | _Statement


def compare(
    where: str,
    vkey: VerifierKey | None,
    published: Sequence[tuple[str, bytes]] = (),
    progress: Progress = lambda done, total: None,
    *,
    workers: int | None = None,
) -> Comparison:
    """Compare the seals of the log at `where`, and files by name, with what its entries give.

    A file is what `mingzhang seal` wrote of leaves, or the JSON of a ranking or of a statement,
    from its beginning on.
    Raises PublishedError for a file that is none of them, and what `replay` raises.
    """
    files = [(name, _parse(name, data)) for name, data in published]
    done: dict[int, Compared] = {}

    def look_at(at: int, name: str, file: Published) -> Look:
        def look(as_of: AsOf, rows: Rows, heads: Heads) -> None:
            try:
                done[at] = _compared(name, file, as_of, rows, heads)
            except NotFoundError as error:
                done[at] = Compared(name, *_about(file), error.message, (), ())

        return look

    looks = [(_size(file), look_at(at, name, file)) for at, (name, file) in enumerate(files)]
    found = states(where, vkey, progress, looks=looks, workers=workers)
    return Comparison(
        found.log,
        tuple(
            _checked(each, found.found.get(each.wish), found.missing.get(each.wish))
            for each in found.seals
        ),
        tuple(done[at] for at in range(len(files))),
    )


def _checked(seal: Seal, state: State | None, missing: str | None) -> Checked:
    if state is None:
        return Checked(seal, None, missing or "", ())
    given = state.body(seal.body["tree"])
    differ = [name for name in given if given[name] != seal.body.get(name)]
    wrong = f"{', '.join(differ)} not as the log gives" if differ else ""
    return Checked(seal, given, wrong, state.as_of.parked)


# -- published files -------------------------------------------------------------------------------


def _parse(name: str, data: bytes) -> Published:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise PublishedError(f"{name} is no JSON: {error}") from None
    try:
        if isinstance(value, dict) and "leaves" in value:
            return commitments.parse_document(value)
        if isinstance(value, dict) and "standings" in value:
            return _table(value)
        if isinstance(value, dict) and "entries" in value:
            return _statement(value)
    except FormatError as error:
        raise PublishedError(f"{name}: {error.message}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PublishedError(f"{name} is not as it was written: {error!r}") from None
    raise PublishedError(
        f"{name} is none of the files that are compared: a tree's leaves (`mingzhang seal`), a "
        "ranking (`mingzhang ranking --json`) or a statement (`mingzhang statement --json`)"
    )


def _table(value: dict[str, Any]) -> _Table:
    places = {each["member"]: {n: each[n] for n in _PLACE} for each in value["standings"]}
    only = {name: value.get(name) for name in ("member_type", "category")}
    return _Table(
        _integer(value["as_of"]["size"]),
        value["unit"],
        value["rulebook"],
        parse_period(value["period"]).text,
        only,
        value["next"] is None,
        places,
    )


def _statement(value: dict[str, Any]) -> _Statement:
    entries: dict[str, Side | None] = {}
    for each in value["entries"]:
        side = None
        if each["counted"] is not None:
            clipped = tuple((one["stage"], one["by"]) for one in each["clipped"])
            side = Side(each["worth"], each["counted"], clipped)
        entries[each["id"]] = side
    return _Statement(
        _integer(value["as_of"]["size"]), value["member"], value["next"] is None, entries
    )


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise FormatError(f"as_of is of a log size, not of {value!r}")
    return value


def _size(file: Published) -> int:
    return file.as_of if isinstance(file, Document) else file.size


def _about(file: Published) -> tuple[str, str, int]:
    """Return a file's kind, what it is of, and its size."""
    if isinstance(file, Document):
        return LEAVES, f"{file.tree} tree of period {file.period}", file.as_of
    if isinstance(file, _Table):
        return RANKING, f"{file.period} of unit {file.unit}, rules {file.rulebook}", file.size
    return STATEMENT, f"member {file.member}", file.size


def _compared(name: str, file: Published, as_of: AsOf, rows: Rows, heads: Heads) -> Compared:
    about = _about(file)
    if isinstance(file, Document):
        found, wrong = _of_leaves(file, as_of, rows, heads)
        return Compared(name, *about, wrong, tuple(found), ())
    if isinstance(file, _Table):
        return Compared(name, *about, "", tuple(_of_table(file, as_of, rows)), ())
    return Compared(name, *about, "", (), tuple(_of_statement(file, rows)))


def _of_leaves(
    file: Document, as_of: AsOf, rows: Rows, heads: Heads
) -> tuple[list[Difference], str]:
    state = commitments.from_rows(rows, as_of, file.period, heads)
    frame = frame_of(rows)
    scope = commitments.scope_of(frame, commitments.opened_of(frame, file.period))
    wrong = ""
    if (file.unit, file.rulebook) != (state.unit, state.rulebook):
        wrong = f"period {file.period} is of {state.unit} under {state.rulebook}"
    final = not rankings.from_rows(
        rows, as_of, state.unit, scope.asked.period, rulebook=state.rulebook
    ).provisional
    log = {each.member: _values(each) for each in state.leaves(file.tree)}
    published = {each.member: _values(each) for each in file.leaves}
    return list(_differences(rows, scope, log, published, final=final)), wrong


def _values(leaf: Leaf) -> dict[str, Any]:
    """Return a leaf's members; of a ranking they are named and counted as in a table."""
    found: dict[str, Any] = canonical.loads(leaf.data())
    del found["member"]
    if isinstance(leaf, RankingLeaf):
        found["position"] += 1
    return found


def _of_table(file: _Table, as_of: AsOf, rows: Rows) -> Iterator[Difference]:
    frame, period = frame_of(rows), parse_period(file.period)
    asked = Asked(file.unit, period, file.rulebook, **file.only)
    scope = scope_of(frame, asked)
    ranking = rankings.from_rows(
        rows, as_of, file.unit, period, rulebook=file.rulebook, **file.only
    )
    log = _places(ranking, file)
    yield from _differences(rows, scope, log, file.places, final=not ranking.provisional)


def _places(ranking: Ranking, file: _Table) -> dict[str, dict[str, Any]]:
    """Return the places that a table, or its first page, should have, by member."""
    listed = ranking.standings
    if not file.whole:
        listed = listed[: len(file.places)]
    return {each.member: {name: getattr(each, name) for name in _PLACE} for each in listed}


def _differences(
    rows: Rows,
    scope: Scope,
    log: Mapping[str, dict[str, Any]],
    published: Mapping[str, dict[str, Any]],
    *,
    final: bool,
) -> Iterator[Difference]:
    """Yield the members who are not the same, with what explains their figures."""
    frame = frame_of(rows)
    figures: dict[str, Figure] = {
        "merit": lambda row: row.annual if final else row.daily,
        "service": lambda row: row.service,
    }
    figures["score"] = figures["merit"]
    for member in sorted({*log, *published}):
        mine, theirs = log.get(member), published.get(member)
        if mine == theirs:
            continue
        named, why = "", None
        row = rows.get(MEMBER, member)
        if row is not None and theirs is not None and scope.asked.category is None:
            for name, figure in figures.items():
                if name in theirs and theirs[name] != (mine or {}).get(name):
                    acts = rows.some(ACT, member)
                    named, why = name, explain(frame, scope, row, acts, figure, theirs[name])
                    break
        yield Difference(member, mine, theirs, named, why)


def _of_statement(file: _Statement, rows: Rows) -> Iterator[Change]:
    row = rows.get(MEMBER, file.member)
    if row is None:
        raise NotFoundError(f"no member {file.member!r} is recorded as of that size")
    frame, acts = frame_of(rows), rows.some(ACT, file.member)
    log = sides_of(frame, frame.member(row.id, history_of(row)), acts)
    listed = {*file.entries, *log} if file.whole else set(file.entries)
    for ident in sorted(listed):
        mine, theirs = log.get(ident), file.entries.get(ident)
        if mine != theirs:
            yield Change(ident, mine, theirs)
