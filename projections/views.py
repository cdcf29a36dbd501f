"""Questions to the read models in the database, each answered from one position of the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from ledger.errors import BusyError, NotFoundError
from projections import rankings, statements
from projections.fold import AsOf, ReadModel
from projections.period import parse_period
from projections.rankings import RANKINGS, Ranking
from projections.sql import query
from projections.statements import STATEMENTS, MemberStatement


class Views:
    """Answers from `pool`, whose connections have the service's role."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def ranking(self, unit: str, period: str) -> Ranking:
        """Return the ranking of a unit and its sub-units for `2025`, `2025-Q1` or `2025-03`.

        Raises FormatError for anything else, NotFoundError for an unknown unit, BusyError.
        """
        days = parse_period(period)
        with self._snapshot(RANKINGS) as (connection, as_of):
            return rankings.from_database(connection, as_of, unit, days)

    def statement(self, member: str) -> MemberStatement:
        """Return a member's statement. Raises NotFoundError for an unknown member, BusyError."""
        with self._snapshot(STATEMENTS) as (connection, as_of):
            return statements.from_database(connection, as_of, member)

    @contextmanager
    def _snapshot(self, model: ReadModel) -> Iterator[tuple[psycopg.Connection[Any], AsOf]]:
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute(query("runner", "snapshot").encode())
                found = connection.execute(
                    query("runner", "get_progress").encode(), (model.name, model.version)
                ).fetchone()
                if found is None:
                    raise psycopg.errors.UndefinedTable
                yield connection, AsOf(*found)
        except psycopg.errors.UndefinedTable:
            raise NotFoundError(
                f"the read model {model.name} was never built here: start the service, which "
                "keeps it up to date"
            ) from None
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
