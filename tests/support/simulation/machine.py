"""What a process has on its machine: clocks, the anchor file, and the key that it signs with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from ledger.log.note import Signer
from ledger.signing import PrivateKey
from tests.support.organisation import ORIGIN, START, key_of

LOG_KEY = key_of("the log")
SIGNER = Signer(ORIGIN, LOG_KEY)
VKEY = SIGNER.vkey

sign_once = lru_cache(maxsize=100_000)(PrivateKey.sign)
"""Ed25519 gives the same bytes again: thousands of runs sign the same trees."""


@dataclass
class Time:
    """The true time of a run, in seconds since the set-up's day began; a run is of the next day."""

    seconds: float = 90_000.0

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class SimulatedClock:
    """A machine's clock, which may be wrong by `skew_s`; monotonic time is always right."""

    time: Time
    skew_s: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time.seconds + self.skew_s)

    def monotonic_s(self) -> float:
        return self.time.seconds


class SimulatedAnchor:
    """An anchor file that all processes of the machine share; a power cut makes it a bit older."""

    def __init__(self) -> None:
        self._kept: tuple[int, bytes] | None = None
        self._synced: tuple[int, bytes] | None = None
        self.broken = False

    def newest(self) -> tuple[int, bytes] | None:
        return self._kept

    def advance(self, size: int, note: bytes) -> None:
        if self.broken:
            raise OSError(5, "Input/output error")
        if self._kept is None or self._kept[0] < size:
            self._kept = (size, note)

    def sync(self) -> None:
        if self.broken:
            raise OSError(5, "Input/output error")
        self._synced = self._kept

    def cut_power(self) -> None:
        self._kept = self._synced


class WatchedKey:
    """The log's key, which tells `watch` of each text before it signs it."""

    def __init__(self, watch: Callable[[bytes], None]) -> None:
        self._watch = watch

    @property
    def public_key(self) -> bytes:
        return LOG_KEY.public_key

    def sign(self, message: bytes) -> bytes:
        self._watch(message)
        return sign_once(LOG_KEY, message)
