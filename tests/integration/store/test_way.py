"""The way of entries through a real ledger, whose process knows accounts only as it needs them."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.errors import Refused
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger
from tests.support.organisation import COMMITMENT
from tests.support.walk import MEMBERS, Walk


@pytest.mark.timeout(300)
def test_what_the_rules_allow_is_recorded_also_by_a_process_that_has_just_started(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    walk = Walk(7).walk(120)
    ledger, today = open_ledger(), date(2026, 1, 5)
    for number, (day, envelope) in enumerate(walk.said):
        wanted = date.fromisoformat(day)
        if wanted > today:
            clock.pass_days((wanted - today).days)
            today = wanted
        if number % 40 == 39:
            ledger = open_ledger()
        ledger.append(envelope)
    reversed_one = next(
        (member, each.id)
        for member in MEMBERS
        for each in walk.account(member).entries.values()
        if each.state == "reversed"
    )
    body = {"reverses": reversed_one[1], "reason": COMMITMENT, "path": "full"}
    again = walk.organisation.statement(
        "points.corrected", f"member/{reversed_one[0]}", "rec-1", body
    )
    with pytest.raises(Refused) as caught:
        ledger.append(again)
    assert caught.value.rule == "reverses-last"
