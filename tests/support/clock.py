"""Clocks that tests set."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from tests.support.organisation import START


class SteadyClock:
    """Starts at an instant and runs as fast as the real time does."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._monotonic_s = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic_s() - self._monotonic_s)

    def monotonic_s(self) -> float:
        return time.monotonic()
