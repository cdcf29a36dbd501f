"""Whether whoever carries a committee token holds an office in the log that goes with it."""

from __future__ import annotations

from api.access import ClosedError
from api.service import Service
from ledger.domain.rights import covers

OFFICES = ("discipline", "intake")


def need_office(service: Service, actor: str, case: str | None = None) -> None:
    """Raise ClosedError unless an actor is of the discipline committee or of intake, today.

    With `case`, a dispute's id, the office must be over the unit that handles it: what is
    confidential is another unit's no more than anybody's. The configuration says whose token it
    is; the log alone says who may use one.
    """
    assert service.desk is not None  # noqa: S101 - open_service always makes one
    with service.desk.today() as (world, today):
        known = world.actors.get(actor)
        offices = [
            each
            for each in (known.roles if known is not None else ())
            if each.role in OFFICES and (each.until is None or today <= each.until)
        ]
        if not offices:
            raise ClosedError(
                f"{actor} is neither of discipline nor of intake in this log as of size "
                f"{world.size}: a registrar grants the role, or the token is taken out of the "
                "configuration"
            )
        dispute = world.disputes.get(case) if case is not None else None
        if dispute is not None and not any(
            covers(world, each.unit, dispute.unit) for each in offices
        ):
            raise ClosedError(
                f"{actor} is of discipline or intake elsewhere: unit {dispute.unit} handles the "
                "case, and its people or those of a unit above open it"
            )
