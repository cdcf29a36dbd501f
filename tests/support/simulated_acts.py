"""Acts of a year as they come in where nobody is favoured, from a seed; a test bends them."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from ledger.domain.account import CREDIT
from projections.fairness.acts import APPROVED, REFUSED, Act

BRANCHES = ("east", "west")
SCORERS = {branch: tuple(f"{branch}-{n}" for n in range(3)) for branch in BRANCHES}
FIRST = date(2026, 1, 1)


def fair_year(seed: int, count: int = 600, members: int = 30) -> list[Act]:
    """Return acts of two branches of two groups each, with two of three scorers an act."""
    draw = Random(seed)
    acts = []
    for index in range(count):
        number = draw.randrange(members)
        branch = BRANCHES[number % 2]
        day = FIRST + timedelta(days=draw.randrange(365))
        is_late = draw.random() < 0.1
        claimed = day + timedelta(days=draw.randrange(31, 60) if is_late else draw.randrange(20))
        place = draw.randrange(11) / 10
        passes = draw.random() < 0.8
        price = 50 + round(200 * place)
        acts.append(
            Act(
                index=index,
                member=f"m-{number}",
                actor=f"{branch}-{number // 2}" if number // 2 < 3 else None,
                group=f"{branch}-g{number // 2 % 2}",
                branch=branch,
                act_type=draw.choice(("study", "service", "meeting")),
                category=draw.choice(("A", "B", "C")),
                kind=CREDIT,
                act_date=day.isoformat(),
                claimed_on=claimed.isoformat(),
                late=is_late,
                outcome=APPROVED if passes else REFUSED,
                price=price,
                worth=price if passes else 0,
                place=place,
                scorers=tuple(
                    name
                    for name in draw.sample(SCORERS[branch], 2)
                    if name != (f"{branch}-{number // 2}" if number // 2 < 3 else None)
                ),
                evidence=(f"{index:064x}",),
            )
        )
    return acts
