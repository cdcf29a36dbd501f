"""The demo's dispute, heard by the discipline committee: a member's on a deduction of theirs.

Who filed it and about which entry stands in intake's register, and only as salted commitments in
the log (B9). All of it is said on the year's last day, since the demo's time ends there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from ledger.signing import PrivateKey
from ledger.store.ledger import Ledger
from ledger.store.queue import raised
from ledger.store.register import Register
from ops.demo import cast, school
from ops.demo.clock import SetClock
from ops.demo.record import Recorded
from ops.demo.sign import Pen, Planned

CASE = "school-1"
_STREAM = f"dispute/{CASE}"
_PACE = timedelta(minutes=2)


def hear(
    ledger: Ledger,
    clock: SetClock,
    people: Mapping[str, PrivateKey],
    about: tuple[str, str],
    recorded: Recorded,
) -> None:
    """Have a case filed, received, heard and decided; `about` is a member and their entry.

    Raises what the ledger refuses a step with.
    """
    pen = Pen(people, Random(CASE))

    def signed(kind: str, body: dict[str, Any], *signers: str) -> Planned:
        clock.move_to(clock.now() + _PACE)
        when = clock.now().replace(microsecond=0)
        return pen.signed(when, f"dispute.{kind}", _STREAM, body, *signers)

    member, entry = about
    why = {"reason": pen.commitment("as written in the case's file")}
    target = {"stream": f"member/{member}", "entry": entry}
    filed = signed("filed", {"target": target, "evidence": [], **why}, f"a-{member}")
    with ledger.database.pool(1, 1) as pool:
        filer, kept = Register(pool).file(CASE, filed.envelope, member)
    both = cast.DISCIPLINE
    held_on = clock.now().astimezone(cast.ZONE).date().isoformat()
    received = {"unit": school.UNIT, "kind": "entry", "filer": filer, "target": kept}
    for kind, body, signers in (
        ("received", received, (school.INTAKE,)),
        ("acknowledged", {}, (school.INTAKE,)),
        ("accepted", {}, both[:1]),
        ("checked", {"step": "preliminary", **why}, both[:1]),
        ("heard", {"held_on": held_on, "bundle": pen.commitment("the hearing's papers")}, both),
        ("decided", {"outcome": "dismissed", **why}, both),
        ("notified", {}, (school.INTAKE,)),
    ):
        made = signed(kind, body, *signers)
        (outcome,) = ledger.append_batch([made.envelope])
        recorded.receipts[made.id] = raised(outcome)
        recorded.types[made.type] += 1
