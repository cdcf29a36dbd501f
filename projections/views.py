"""Questions to the read models in the database, each answered from one position of the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from psycopg_pool import ConnectionPool

from projections import (
    activity,
    commitments,
    disputes,
    finding,
    funds,
    notices,
    rankings,
    reconciliation,
    redactions,
    snapshot,
    statements,
    usage,
)
from projections import scope as scopes
from projections.activity import Activity
from projections.asof import Wanted
from projections.commitments import State
from projections.disputes import DISPUTES, CaseFile, Cases
from projections.dossier import STATEMENTS
from projections.entries import ENTRIES
from projections.finding import Page
from projections.fold import AsOf, ReadModel
from projections.frame import Frame
from projections.funds import FUNDS, Funds, FundSheet
from projections.loading import frame_head, read_frame
from projections.notices import Board, PeriodNotice
from projections.period import parse_period
from projections.rankings import Ranking, Standing
from projections.reconciliation import Reconciliation
from projections.redactions import REDACTIONS, Redactions
from projections.scope import Asked
from projections.scores import RANKINGS
from projections.snapshot import Snapshot
from projections.sql import query
from projections.statements import PAGE_ENTRIES, MemberStatement
from projections.usage import Usage

PAGE_MAX = 1_000
FRAMES_MAX = 4
STATES_MAX = 2

A = TypeVar("A")


class Views:
    """Answers from `pool`, whose connections have the service's role.

    Every question takes `as_of`, a prefix of the log, and without it is answered for all that is
    folded. Every one raises BusyError while the database does not answer, the read model is being
    built or has not folded that much yet; NotFoundError where the log is not that long.
    """

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool
        self._frames: dict[tuple[str, int, int], Frame] = {}
        self._states: dict[tuple[str, int], State] = {}

    def close(self) -> None:
        """Close the pool, of whoever hands it over for good."""
        self._pool.close()

    def ranking(
        self, unit: str, period: str, as_of: Wanted | None = None, **only: str | None
    ) -> Ranking:
        """Return the ranking of a unit and its sub-units for `2025`, `2025-Q1` or `2025-03`.

        `only` are `rulebook`, `member_type` and `category`. Raises NotFoundError for an unknown
        unit or rulebook, FormatError for another period, or where the unit has several rulebooks
        and none is named.
        """
        asked = Asked(unit, parse_period(period), **only)
        return self.read(
            RANKINGS,
            lambda at: rankings.from_database(
                at.connection,
                at.build,
                at.as_of,
                self._frame(RANKINGS, at),
                asked,
                newest=at.newest,
            ),
            as_of,
        )

    def rulebooks(self, unit: str, period: str, as_of: Wanted | None = None) -> list[str]:
        """Return the rulebooks that a unit has a table for. Raises NotFoundError."""
        days = parse_period(period)
        return self.read(
            RANKINGS, lambda at: scopes.rulebooks(self._frame(RANKINGS, at), unit, days), as_of
        )

    def ranking_page(
        self,
        unit: str,
        period: str,
        limit: int,
        after: Standing | None = None,
        as_of: Wanted | None = None,
        **only: str | None,
    ) -> Ranking:
        """Return the next `limit` places (PAGE_MAX at most) of a ranking behind `after`.

        Raises what `ranking` raises.
        """
        limit = max(1, min(limit, PAGE_MAX))
        asked = Asked(unit, parse_period(period), **only)

        def answer(at: Snapshot) -> Ranking:
            place = (at.connection, at.build, at.as_of, self._frame(RANKINGS, at), asked)
            if at.newest:
                return rankings.page_from_database(*place, limit, after)
            return rankings.behind(rankings.from_database(*place, newest=False), limit, after)

        return self.read(RANKINGS, answer, as_of)

    def state_size(self, period: str, state: str | None = None) -> int:
        """Return the log size of a period's seal (`sealed`) or published table (`published`).

        That of the later one unless named. Raises NotFoundError for a period that is not opened,
        ConflictError where it is neither published nor sealed.
        """
        return self.read(
            RANKINGS,
            lambda at: commitments.size_of(
                commitments.opened_of(self._frame(RANKINGS, at), period), state
            ),
        )

    def state(self, period: str, size: int) -> State:
        """Return what a period's state trees hold as of a size. Raises NotFoundError.

        The last ones are kept: many members ask for a proof of one seal, and a prefix stays.
        """
        found = self._states.pop((period, size), None)
        if found is None or found.as_of.parked:
            found = self._read_state(period, size)
        self._states[period, size] = found
        while len(self._states) > STATES_MAX:
            self._states.pop(next(iter(self._states)), None)
        return found

    def _read_state(self, period: str, size: int) -> State:
        return self.read(
            RANKINGS,
            lambda at: commitments.from_database(
                at.connection, at.build, at.as_of, self._frame(RANKINGS, at), period
            ),
            Wanted(size=size),
        )

    def statement(
        self,
        member: str,
        as_of: Wanted | None = None,
        *,
        after: int = 0,
        limit: int = PAGE_ENTRIES,
    ) -> MemberStatement:
        """Return a member's statement: entries behind `after` (a seq), `limit` at most.

        Raises NotFoundError for an unknown member.
        """
        limit = max(1, min(limit, PAGE_ENTRIES))
        return self.read(
            STATEMENTS,
            lambda at: statements.from_database(
                at.connection, at.build, at.as_of, self._frame(STATEMENTS, at), member, after, limit
            ),
            as_of,
        )

    def _frame(self, model: ReadModel, at: Snapshot) -> Frame:
        """Return the frame of a snapshot; the last ones are kept, since they seldom change."""
        head = frame_head(at.connection, model.name, at.build, at.as_of.size)
        name = (model.name, at.build, head)
        found = self._frames.pop(name, None)
        if found is None:
            found = read_frame(at.connection, model.name, at.build, at.as_of.size)
        self._frames[name] = found
        while len(self._frames) > FRAMES_MAX:
            self._frames.pop(next(iter(self._frames)), None)
        return found

    def entries(
        self,
        wanted: finding.Wanted,
        limit: int,
        after: int | None = None,
        as_of: Wanted | None = None,
        *,
        patient: bool = False,
    ) -> Page:
        """Return the next `limit` entries (PAGE_MAX at most) that meet conditions, newest first.

        There may be fewer, and more behind them, unless it is `patient` (`finding`).
        Raises NotFoundError for an unknown unit.
        """
        return self.read(
            ENTRIES,
            lambda at: finding.page_from_database(
                at.connection,
                at.build,
                at.as_of,
                wanted,
                limit,
                after,
                newest=at.newest,
                patient=patient,
            ),
            as_of,
        )

    def all_entries(self, wanted: finding.Wanted, as_of: Wanted | None = None) -> Page:
        """Return every entry that meets conditions. Raises what `entries` does, and FormatError."""
        return self.read(
            ENTRIES,
            lambda at: finding.all_from_database(
                at.connection, at.build, at.as_of, wanted, newest=at.newest
            ),
            as_of,
        )

    def disputes(
        self, when: str | None = None, as_of: Wanted | None = None, *, every: bool = False
    ) -> Cases:
        """Return the open disputes, or all, by what is due first, on a day or at an instant.

        Without `when` they are looked at when the last entry of the position was recorded.
        """
        return self.read(
            DISPUTES,
            lambda at: disputes.from_database(
                at.connection, at.build, at.as_of, when or at.as_of.recorded_at, every=every
            ),
            as_of,
        )

    def dispute(self, ident: str, when: str | None = None, as_of: Wanted | None = None) -> CaseFile:
        """Return a dispute with its steps, looked at as `disputes` are.

        Raises NotFoundError for an unknown one.
        """
        return self.read(
            DISPUTES,
            lambda at: disputes.file_from_database(
                at.connection, at.build, at.as_of, ident, when or at.as_of.recorded_at
            ),
            as_of,
        )

    def board(self, unit: str, as_of: Wanted | None = None) -> Board:
        """Return what is in publicity in a unit and those below it. Raises NotFoundError."""
        return self.read(
            STATEMENTS,
            lambda at: notices.from_database(
                at.connection, at.build, at.as_of, self._frame(STATEMENTS, at), unit
            ),
            as_of,
        )

    def usage(
        self, unit: str, period: str, as_of: Wanted | None = None, rulebook: str | None = None
    ) -> Usage:
        """Return how a rulebook's items were used in a unit and those below it, in a period.

        Raises what `ranking` raises.
        """
        asked = Asked(unit, parse_period(period), rulebook)
        return self.read(
            RANKINGS,
            lambda at: usage.from_database(
                at.connection, at.build, at.as_of, self._frame(RANKINGS, at), asked
            ),
            as_of,
        )

    def reconciliation(
        self, unit: str, period: str, as_of: Wanted | None = None, rulebook: str | None = None
    ) -> Reconciliation:
        """Return how the roster of a unit's table comes out, unit by unit. Raises as `ranking`."""
        asked = Asked(unit, parse_period(period), rulebook)
        return self.read(
            RANKINGS,
            lambda at: reconciliation.from_database(
                at.connection,
                at.build,
                at.as_of,
                self._frame(RANKINGS, at),
                asked,
                newest=at.newest,
            ),
            as_of,
        )

    def activity(self, unit: str, month: str, as_of: Wanted | None = None) -> Activity:
        """Return who took which steps in a unit and those below it in a month, such as `2025-03`.

        Raises FormatError for what is no month, NotFoundError for an unknown unit.
        """
        return self.read(
            ENTRIES,
            lambda at: activity.from_database(at.connection, at.build, at.as_of, unit, month),
            as_of,
        )

    def funds(self, as_of: Wanted | None = None) -> Funds:
        """Return every reward fund."""
        return self.read(
            FUNDS, lambda at: funds.from_database(at.connection, at.build, at.as_of), as_of
        )

    def fund(self, ident: str, as_of: Wanted | None = None) -> FundSheet:
        """Return a reward fund with its moves. Raises NotFoundError for an unknown one."""
        return self.read(
            FUNDS,
            lambda at: funds.sheet_from_database(at.connection, at.build, at.as_of, ident),
            as_of,
        )

    def redactions(self, as_of: Wanted | None = None) -> Redactions:
        """Return every erasure, newest first."""
        return self.read(
            REDACTIONS,
            lambda at: redactions.from_database(at.connection, at.build, at.as_of),
            as_of,
        )

    def of_rankings(self, answer: Callable[[Snapshot, Frame], A], as_of: Wanted | None = None) -> A:
        """Return what `answer` reckons from the acts and members of the rankings' tables."""
        return self.read(RANKINGS, lambda at: answer(at, self._frame(RANKINGS, at)), as_of)

    def signed_by(
        self, keyids: Sequence[str], as_of: Wanted | None = None
    ) -> dict[str, list[tuple[str, int, str]]]:
        """Return the steps of entries that keys signed: statement, log index and instant."""
        found: dict[str, list[tuple[str, int, str]]] = {each: [] for each in keyids}

        def answer(at: Snapshot) -> None:
            asked = {"keyids": list(keyids), "size": at.as_of.size}
            text = query("statements", "signed_by", at.build)
            for keyid, *use in at.connection.execute(text.encode(), asked):
                found[keyid].append((use[0], use[1], use[2]))

        self.read(STATEMENTS, answer, as_of)
        return found

    def position(self, as_of: Wanted | None = None) -> AsOf:
        """Return a position that every read model holds; without `as_of` the newest one.

        What any of them could not fold is in `parked`.
        """
        models = (ENTRIES, STATEMENTS, RANKINGS, DISPUTES)
        found = [self.read(model, lambda at: at.as_of, as_of) for model in models]
        parked = sorted({stream for each in found for stream in each.parked})
        return min(found, key=lambda each: each.size)._replace(parked=tuple(parked))

    def period_notice(self, period: str, as_of: Wanted | None = None) -> PeriodNotice:
        """Return an opened period, by its id, for its notice. Raises NotFoundError."""
        return self.read(
            STATEMENTS,
            lambda at: notices.of_period(self._frame(STATEMENTS, at), at.as_of, period),
            as_of,
        )

    def read(
        self, model: ReadModel, answer: Callable[[Snapshot], A], as_of: Wanted | None = None
    ) -> A:
        """Return what `answer` reads from one snapshot of a model's tables."""
        return snapshot.read(self._pool, model, answer, as_of)
