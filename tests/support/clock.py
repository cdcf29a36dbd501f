"""Clocks that tests set."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from tests.support.organisation import START

DAY_S = 86_400


class SteadyClock:
    """Starts at an instant and runs as fast as the real time does, but where days are let pass."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed_s = 0.0
        self._monotonic_s = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic_s() - self._monotonic_s)

    def monotonic_s(self) -> float:
        return time.monotonic() + self._passed_s

    def pass_days(self, days: int = 1) -> None:
        """Let days pass at once, as they do for a process that was suspended."""
        self._passed_s += days * DAY_S
