"""The demo's clock, set by hand. Only the demo and the tests hand a ledger any but its own."""

from __future__ import annotations

from datetime import datetime


class SetClock:
    """Stands still until `move_to`; its monotonic seconds move by as much as its wall clock."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._now = start

    def move_to(self, instant: datetime) -> None:
        """Set the clock forward to an aware instant. Raises ValueError if it is behind."""
        if instant < self._now:
            raise ValueError(f"{instant} is before {self._now}: a clock does not go back")
        self._now = instant

    def now(self) -> datetime:
        """See `ledger.store.port.Clock`."""
        return self._now

    def monotonic_s(self) -> float:
        """See `ledger.store.port.Clock`."""
        return (self._now - self._start).total_seconds()
