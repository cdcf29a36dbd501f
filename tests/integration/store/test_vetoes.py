"""A veto through a real ledger: a process that has just started still knows it (A35)."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.errors import Refused
from tests.support.chronicle import PAIR, START_DAY, Chronicle
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger
from tests.support.organisation import COMMITMENT
from tests.unit.ledger.domain.test_vetoes import DAY, STREAM, UPPER, VETOES, body


class Kept(Chronicle):
    """A chronicle that keeps what was said, and on which day."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []
        super().__init__()

    def envelope(self, envelope: bytes, day: str = START_DAY, *, judged: bool = True) -> str:
        ident = super().envelope(envelope, day, judged=judged)
        self.said.append((day, envelope))
        return ident


def test_a35_a_veto_is_known_to_a_process_that_has_just_started(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    log = Kept()
    log.give("up-2", "upper", "root")
    log.publish(vetoes=VETOES)
    ident = log.say("veto.confirmed", STREAM, body(), PAIR, DAY)
    ledger, today = open_ledger(), date.fromisoformat(START_DAY)
    for day, envelope in log.said:
        wanted = date.fromisoformat(day)
        if wanted > today:
            clock.pass_days((wanted - today).days)
            today = wanted
        ledger.append(envelope)
    ledger = open_ledger()
    made = log.organisation
    with pytest.raises(Refused) as caught:
        ledger.append(made.statement("veto.confirmed", STREAM, PAIR[0], body(), also=PAIR[1:]))
    assert caught.value.rule == "veto-once"
    lift = {"veto": ident, "reason": COMMITMENT}
    ledger.append(made.statement("veto.lifted", STREAM, UPPER[0], lift, also=UPPER[1:]))
    again = made.statement("veto.confirmed", STREAM, PAIR[0], body(), also=PAIR[1:])
    assert open_ledger().append(again) is not None
