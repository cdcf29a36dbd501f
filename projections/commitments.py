"""State commitments: the leaves of the two trees that a `state.sealed` names (formats, section 7).

Of the `members` tree the leaves are all members whose unit is the period's or below as of the size,
whether they take part or not, each with the last entry of the stream. Units are counted as they
stand on the day of the size's last entry, figures as in the period's table: `merit` is what A21
ranks by. Of the `ranking` tree they are the table's places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from ledger import canonical
from ledger.domain import period as periods
from ledger.domain.period import Period as Opened
from ledger.entry import parse_entry
from ledger.errors import ConflictError, FormatError, NotFoundError, ProofError
from ledger.rules.book import Book
from ledger.state import (
    MEMBERS,
    RANKING,
    SEALED,
    Absence,
    Leaf,
    MemberLeaf,
    RankingLeaf,
    StateProof,
    absence,
    parse_leaf,
    prove,
    root,
)
from ledger.store.reader import Reader
from projections import rankings
from projections import scope as scopes
from projections.acts import ACT, ActRow
from projections.fold import AsOf, Rows
from projections.frame import Frame, frame_of
from projections.loading import members_with_acts
from projections.period import Period, parse_period
from projections.rankings import Ranking
from projections.reckoning import ScoreRow
from projections.roster import MEMBER, MemberRow
from projections.scope import Asked, Scope
from projections.sql import query

STREAM_PAGE = 500
_DOCUMENT = ("as_of", "leaves", "period", "rulebook", "tree", "unit")


class Head(NamedTuple):
    """The last entry of a stream: its place in it, from 1, and its leaf hash in hex."""

    seq: int
    leaf: str


Heads = Mapping[str, Head]
"""The heads of members' streams, by member id."""


@dataclass(frozen=True, slots=True)
class State:
    """What a period's two trees hold as of a size, in the order of their leaves."""

    period: str
    unit: str
    rulebook: str
    as_of: AsOf
    members: tuple[MemberLeaf, ...]
    ranking: tuple[RankingLeaf, ...]

    def leaves(self, tree: str) -> tuple[Leaf, ...]:
        """Return a tree's leaves."""
        return self.ranking if tree == RANKING else self.members

    def body(self, tree: str) -> dict[str, Any]:
        """Return the body of the `state.sealed` that commits to a tree."""
        leaves = self.leaves(tree)
        about = self._about(tree)
        return {**about, "count": len(leaves), "root": root(leaves).hex()}

    def document(self, tree: str) -> bytes:
        """Return a tree's leaves as one file, for whoever publishes them (RFC 8785)."""
        leaves = [canonical.loads(each.data()) for each in self.leaves(tree)]
        return canonical.dumps({**self._about(tree), "leaves": leaves})

    def _about(self, tree: str) -> dict[str, Any]:
        return {
            "as_of": self.as_of.size,
            "tree": tree,
            "period": self.period,
            "unit": self.unit,
            "rulebook": self.rulebook,
        }


class Document(NamedTuple):
    """A published file of a tree's leaves: what it says that it is of, and the leaves."""

    as_of: int
    tree: str
    period: str
    unit: str
    rulebook: str
    leaves: tuple[Leaf, ...]

    @property
    def root(self) -> str:
        """The root of the leaves in hex. Raises FormatError where they are out of order."""
        try:
            return root(self.leaves).hex()
        except ValueError as error:
            raise FormatError(f"the file is no tree: {error}") from None


def parse_document(value: Any) -> Document:
    """Read what `State.document` wrote. Raises FormatError."""
    if type(value) is not dict or tuple(sorted(value)) != _DOCUMENT:
        raise FormatError(f"a file of leaves has exactly the members {', '.join(_DOCUMENT)}")
    named = (value["tree"], value["period"], value["unit"], value["rulebook"])
    if type(value["as_of"]) is not int or any(type(each) is not str for each in named):
        raise FormatError("as_of is a log size; tree, period, unit and rulebook are text")
    if type(value["leaves"]) is not list:
        raise FormatError("leaves are a list")
    leaves = tuple(parse_leaf(canonical.dumps(each), value["tree"]) for each in value["leaves"])
    return Document(value["as_of"], *named, leaves)


def opened_of(frame: Frame, ident: str) -> Opened:
    """Return an opened period by its id. Raises NotFoundError."""
    opened = frame.world.periods.get(ident)
    if opened is None:
        raise NotFoundError(f"no period {ident!r} is opened: name one by its id")
    return opened


def size_of(opened: Opened, state: str | None = None) -> int:
    """Return the size of a period's seal or published table, of the later one unless named.

    Raises ConflictError where it has none yet.
    """
    for each in (periods.SEALED, periods.PUBLISHED):
        step = opened.steps.get(each)
        if step is not None and step.as_of is not None and state in (None, each):
            return step.as_of
    raise ConflictError(
        "state-as-of",
        f"period {opened.id} is {opened.state}: a state is of the size of its published table or "
        "of its seal",
    )


def period_of(opened: Opened, book: Book) -> Period:
    """Return the days of an opened period as tables are asked for."""
    place = book.periods.place(opened.end)
    year = place.period.first[:4]
    if opened.kind == periods.YEAR:
        return parse_period(year)
    month = f"Q{place.month // 3}" if opened.kind == periods.QUARTER else f"{place.month:02d}"
    return parse_period(f"{year}-{month}")


def scope_of(frame: Frame, opened: Opened) -> Scope:
    """Return what the table of an opened period is of. Raises NotFoundError."""
    book = frame.book(opened.rulebook)
    if book is None:
        raise NotFoundError(f"no rulebook {opened.rulebook!r} is published in this log")
    return scopes.scope_of(frame, Asked(opened.unit, period_of(opened, book), opened.rulebook))


def covered(frame: Frame, opened: Opened, as_of: AsOf) -> frozenset[str]:
    """Return the units whose members a period's `members` tree holds."""
    return frozenset(frame.covered(opened.unit, frame.today(as_of.recorded_at)))


def state(
    table: Ranking,
    opened: Opened,
    figures: Iterable[ScoreRow],
    members: Iterable[MemberRow],
    heads: Heads,
) -> State:
    """Put a state together from its table, the figures of all members, and their heads."""
    by_member = {each.member: each for each in figures}
    leaves = []
    for row in sorted(members, key=lambda each: each.id.encode()):
        head, figure = heads[row.id], by_member.get(row.id)
        merit = service = None
        if figure is not None:
            merit = figure.daily if table.provisional else figure.annual
            service = figure.service
        leaves.append(MemberLeaf(row.id, head.seq, head.leaf, row.unit, opened.id, merit, service))
    places = tuple(
        RankingLeaf(each.position - 1, each.rank, each.member, each.unit, opened.id, each.score)
        for each in table.standings
    )
    return State(opened.id, opened.unit, opened.rulebook, table.as_of, tuple(leaves), places)


def from_rows(rows: Rows, as_of: AsOf, ident: str, heads: Heads) -> State:
    """Return the state of a period from all rows in memory. Raises NotFoundError."""
    frame = frame_of(rows)
    opened = opened_of(frame, ident)
    scope, units = scope_of(frame, opened), covered(frame, opened, as_of)
    known = [
        each
        for each in rows.all(MEMBER)
        if each.unit in units or each.unit in scope.units or each.moves
    ]
    acts = {each.id: rows.some(ACT, each.id) for each in known}
    return _state(frame, opened, scope, as_of, known, acts, heads)


def from_database(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, frame: Frame, ident: str
) -> State:
    """Return the state of a period from a build's tables and the log. Raises NotFoundError."""
    opened = opened_of(frame, ident)
    scope, units = scope_of(frame, opened), covered(frame, opened, as_of)
    known, acts = members_with_acts(connection, build, as_of.size, units | scope.units.keys())
    asked = {"members": [each.id for each in known], "size": as_of.size}
    found = connection.execute(query("rankings", "heads", build).encode(), asked)
    heads = {member: Head(seq, leaf) for member, seq, leaf in found}
    return _state(frame, opened, scope, as_of, known, acts, heads)


def _state(
    frame: Frame,
    opened: Opened,
    scope: Scope,
    as_of: AsOf,
    known: Sequence[MemberRow],
    acts: dict[str, list[ActRow]],
    heads: Heads,
) -> State:
    figures = list(rankings.reckoned_rows(frame, scope, known, acts))
    units = covered(frame, opened, as_of)
    members = [each for each in known if each.unit in units]
    return state(rankings.table(frame, scope, as_of, figures), opened, figures, members, heads)


# -- proofs ----------------------------------------------------------------------------------------


def sealed_entry(reader: Reader, period: str, tree: str, as_of: int) -> tuple[dict[str, Any], str]:
    """Return the body and the id of the `state.sealed` of a tree. Raises NotFoundError."""
    after = 0
    while found := reader.stream(f"period/{period}", after, STREAM_PAGE):
        for _, data in found:
            entry = parse_entry(data)
            said = entry.statement
            if said.type == SEALED and (said.body["tree"], said.body["as_of"]) == (tree, as_of):
                return said.body, said.id
            after = entry.seq
    raise NotFoundError(
        f"the {tree} tree of period {period} as of log size {as_of} was not sealed: "
        "`mingzhang seal` prepares that"
    )


def proof(
    found: State, tree: str, member: str, body: dict[str, Any], receipt: bytes
) -> StateProof | Absence:
    """Return the proof of a member's leaf, or that the `members` tree has none.

    `body` is that of the `state.sealed` in `receipt`. Raises NotFoundError for a member without a
    place in the ranking; ProofError where what was sealed is not what the log gives.
    """
    if found.body(tree) != body:
        raise ProofError(
            f"what was sealed as the {tree} tree of {found.period} as of log size "
            f"{found.as_of.size} is not what the log gives: nothing can be proved under it, and "
            "`mingzhang audit compare` says what differs"
        )
    leaves = found.leaves(tree)
    for index, leaf in enumerate(leaves):
        if leaf.member == member:
            return prove(leaves, index, receipt)
    if tree != MEMBERS:
        raise NotFoundError(
            f"{member} has no place in the ranking of {found.period}: the members tree says "
            "whether the member is in the unit at all"
        )
    return absence(found.members, member, receipt)


def prove_sealed(
    reader: Reader,
    state_of: Callable[[str, int], State],
    period: str,
    tree: str,
    as_of: int,
    member: str,
) -> StateProof | Absence:
    """Return the proof of a member under the root that the log seals; `state_of` computes it.

    Raises what `sealed_entry` and `proof` raise.
    """
    body, ident = sealed_entry(reader, period, tree, as_of)
    receipt = reader.receipt(ident)
    return proof(state_of(period, as_of), tree, member, body, receipt)
