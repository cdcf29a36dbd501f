"""Whether whoever carries a committee token holds an office in the log that goes with it."""

from __future__ import annotations

from api.access import ClosedError
from api.service import Service

OFFICES = ("discipline", "intake")


def need_office(service: Service, actor: str) -> None:
    """Raise ClosedError unless an actor is of the discipline committee or of intake, today.

    The configuration says whose token it is; the log alone says who may use one.
    """
    assert service.desk is not None  # noqa: S101 - open_service always makes one
    with service.desk.today() as (world, today):
        known = world.actors.get(actor)
        held = known.roles if known is not None else ()
        if not any(
            each.role in OFFICES and (each.until is None or today <= each.until) for each in held
        ):
            raise ClosedError(
                f"{actor} is neither of discipline nor of intake in this log as of size "
                f"{world.size}: a registrar grants the role, or the token is taken out of the "
                "configuration"
            )
