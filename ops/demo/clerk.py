"""What lapses with time, as the service actor records it: the demo's stand-in for the served clerk.

The ledger that `serve` opens does this by itself (B21). The demo's clock jumps, so it asks the same
pure function once a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.domain.account import Account
from ledger.domain.lapses import due_terms
from ledger.domain.world import World

LAPSED = "points.lapsed"


def lapses(world: World, today: str, members: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield stream and body of every `points.lapsed` that is due for these members `today`."""
    for member in members:
        stream = f"member/{member}"
        account = world.accounts.get(stream) or Account()
        for due in due_terms(world, member, account, today):
            yield stream, {"entry": due.entry, "term": due.term, "due": due.due}
