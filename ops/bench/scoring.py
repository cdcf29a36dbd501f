"""Speed of a branch replay: entries scored a second on one core."""

from __future__ import annotations

import random
import time
from datetime import date, timedelta
from pathlib import Path

from api.authoring.reader import load
from ledger.rules.book import Book
from ledger.rules.member import Member, Spell
from ledger.rules.period import Period
from ledger.rules.rulebook import Version, of_body
from ledger.rules.scoring import Reading, score
from ledger.rules.stages import Entry
from ops.bench.report import Row

RULEBOOKS = Path(__file__).parents[1] / "demo" / "rulebooks"
MEMBERS, ENTRIES_EACH = 50, 72
TARGET = 200_000.0
PERIOD = Period("2026-01-01", "2026-12-31")


def branch(version: Version, seed: int = 1) -> dict[Member, list[Entry]]:
    """Return a branch's year: 50 members with 72 entries each, 300 a month, drawn by the seed."""
    draw = random.Random(seed)
    items = [i for i in version.items.values() if not i.applies_to or "ordinary" in i.applies_to]
    first = date.fromisoformat(PERIOD.first)
    found = {}
    for number in range(MEMBERS):
        entries = []
        for each in range(ENTRIES_EACH):
            item = draw.choice(items)
            entries.append(
                Entry(
                    (first + timedelta(days=draw.randrange(365))).isoformat(),
                    f"{number:04d}-{each:04d}",
                    item.code,
                    100 * draw.randint(1, 3) if item.unit in {"hour", "household"} else 100,
                    item.min if item.points is None else None,
                    f"a{draw.randrange(200)}" if item.cap and item.cap.per == "activity" else None,
                    f"d{each}" if item.exclusive_group else None,
                )
            )
        draw.shuffle(entries)
        found[Member(f"m-{number}", (Spell(PERIOD.first, "ordinary"),))] = entries
    return found


def entries_per_second(seconds: float = 2.0) -> float:
    """Replay a branch's year under two versions of the rural rulebook; return entries a second."""
    dated = [
        load(RULEBOOKS / name).publishable("root", day)
        for name, day in (("rural.yaml", "2026-01-01"), ("rural-1.1.yaml", "2026-07-01"))
    ]
    book = Book("rural", [of_body(each) for each in dated])
    members = branch(book.published[0])
    reading = Reading(PERIOD)
    # Processor time: what one core does, however busy the machine is.
    done, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for member, entries in members.items():
            score(book, member, entries, reading)
            done += len(entries)
    return done / (time.process_time() - start)


def measure() -> Row:
    """Return how fast the engine replays a branch."""
    rate = entries_per_second()
    name = "a branch's year scored, of one core's time"
    return Row(name, "", f"{rate:,.0f} entries/s", TARGET, rate)
