"""What questions load from a build's tables as of a size: the frame, members, and their acts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from projections.acts import ActRow
from projections.frame import Frame, FrameRow
from projections.roster import MemberRow
from projections.sql import query

Connection = psycopg.Connection[Any]


def read_frame(connection: Connection, model: str, build: int, size: int) -> Frame:
    """Return the frame that a build holds as of a size."""
    found = connection.execute(query(model, "frame", build).encode(), {"size": size})
    return Frame(FrameRow(*each) for each in found)


def frame_head(connection: Connection, model: str, build: int, size: int) -> int:
    """Return the size from which a build's frame stands as of a size: it names the frame."""
    found = connection.execute(query(model, "frame_head", build).encode(), {"size": size})
    (head,) = found.fetchone() or (0,)
    return int(head)


def members_of(
    connection: Connection, build: int, size: int, units: Iterable[str]
) -> list[MemberRow]:
    """Return who is in units as of a size, and whoever has ever moved."""
    asked = {"units": list(units), "size": size}
    return [MemberRow(*each) for each in execute(connection, "members", build, asked)]


def members_with_acts(
    connection: Connection, build: int, size: int, units: Iterable[str]
) -> tuple[list[MemberRow], dict[str, list[ActRow]]]:
    """Return who is in units as of a size, whoever has ever moved, and the acts of all of them."""
    members = members_of(connection, build, size, units)
    return members, acts_of(connection, build, size, members)


def acts_of(
    connection: Connection, build: int, size: int, members: Sequence[MemberRow]
) -> dict[str, list[ActRow]]:
    """Return the acts of members as of a size, by member."""
    found: dict[str, list[ActRow]] = {}
    asked = {"members": [each.id for each in members], "size": size}
    for row in execute(connection, "acts", build, asked):
        act = ActRow(*row)
        found.setdefault(act.member, []).append(act)
    return found


def execute(connection: Connection, name: str, build: int, values: dict[str, Any]) -> list[Any]:
    """Return the rows of a query of `rankings.sql` over a build's tables."""
    # A prepared plan would go through the list of units for every row; a new one hashes it.
    statement = query("rankings", name, build).encode()
    return connection.execute(statement, values, prepare=False).fetchall()
