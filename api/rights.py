"""Whether whoever carries a committee token holds an office in the log that goes with it."""

from __future__ import annotations

from api.access import ClosedError
from api.service import Service
from ledger.domain.rights import covers

OFFICES = ("discipline", "intake")


def need_office(
    service: Service, actor: str, *, case: str | None = None, member: str | None = None
) -> None:
    """Raise ClosedError unless an actor is of the discipline committee or of intake, today.

    With `case`, a dispute's id, the office must be over the unit that handles it, with `member`
    over the member's: what is confidential is another unit's no more than anybody's. The
    configuration says whose token it is; the log alone says who may use one.
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
        if case is not None and dispute is None and all(each.role != "intake" for each in offices):
            raise ClosedError(f"dispute {case} is not in the log yet: till then intake opens it")
        enrolled = world.members.get(member) if member is not None else None
        for over, what in ((dispute, "handles the case"), (enrolled, "is the member's")):
            if over is None or any(covers(world, each.unit, over.unit) for each in offices):
                continue
            raise ClosedError(
                f"{actor} is of discipline or intake elsewhere: unit {over.unit} {what}, and its "
                "people or those of a unit above open it"
            )
