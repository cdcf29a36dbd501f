"""How fast statements are recorded: one caller, 64 callers, and batches of 1,000.

Each round measures the library and the ledger one after the other, and its ratio is of that
round; what is reported is the median over the rounds.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from ledger.store.ledger import Ledger, Options
from ledger.store.queue import raised
from ops.bench.library import Plain
from ops.bench.load import record_all
from ops.bench.report import Row

CALLERS = 64
BATCH = 1_000
LIBRARY_BATCHES = (100, 200, 300)
SINGLE = 300
MANY = 3_200
_WARM_UP = 200

Take = Callable[[int], list[bytes]]
"""Gives so many new envelopes."""

Rate = Callable[[Ledger, list[bytes]], float]
"""Records envelopes and returns how many a second."""


@dataclass(slots=True)
class _Series:
    """The rounds of one measurement: rates, and ratios to the baseline of the same round."""

    rates: list[float]
    ratios: list[float]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    def add(self, rate: float, baseline: float) -> None:
        self.rates.append(rate)
        self.ratios.append(rate / baseline)

    def row(self, name: str, target: float | None) -> Row:
        rate = f"{median(self.rates):,.0f}/s"
        return Row(name, f"{self.ratio:.2f} ×", rate, target, self.ratio)


def measure(data: Path, conninfo: str, take: Take, signatures: str, rounds: int) -> Iterator[Row]:
    """Yield the results as they come, for statements with that many `signatures`.

    `conninfo` is the library's database, on the same server.
    """
    entry_bytes = _entry_bytes(data, take)
    yield Row(f"— {signatures} a statement, {entry_bytes:,} bytes an entry or event —", "", "")
    with Plain(conninfo, entry_bytes) as plain:
        yield from _one_caller(data, plain, take, rounds)
        best: _Series | None = None
        for helpers in (0, 1):
            named = "" if not helpers else ", admission in a helper process"
            with Ledger.open(data, options=Options(admission_workers=helpers)) as ledger:
                record_all(ledger, take(_WARM_UP))
                for name, rate in (("threads", _threads), ("coroutines", _coroutines)):
                    series = _against_single(ledger, plain, take, rounds, rate)
                    yield series.row(f"{CALLERS} callers, {name}{named}", None)
                    if best is None or series.ratio > best.ratio:
                        best = series
                series = _against_batch(ledger, plain, take, rounds)
                yield series.row(f"batches of {BATCH:,}{named}", 0.8 if helpers else 0.6)
        assert best is not None  # noqa: S101 - there were four
        yield best.row(f"{CALLERS} callers, the best of these", 7.0)


def _entry_bytes(data: Path, take: Take) -> int:
    """Return the mean size of an entry."""
    with Ledger.open(data) as ledger:
        start = ledger.size()
        record_all(ledger, take(_WARM_UP))
        found = ledger.entries(start, start + _WARM_UP)
    return sum(map(len, found)) // len(found)


def _one_caller(data: Path, plain: Plain, take: Take, rounds: int) -> Iterator[Row]:
    baselines, series = [], _Series([], [])
    with Ledger.open(data) as ledger:
        record_all(ledger, take(_WARM_UP), batch=1)
        plain.single_rate(_WARM_UP)
        for _ in range(rounds):
            envelopes = take(SINGLE)
            baseline = plain.single_rate(SINGLE)
            rate = _single(ledger, envelopes)
            baselines.append(baseline)
            series.add(rate, baseline)
    yield Row("the library, one caller", "1", f"{median(baselines):,.0f}/s")
    yield series.row("one caller, with receipt", 1.0)


def _against_single(
    ledger: Ledger, plain: Plain, take: Take, rounds: int, measured: Rate
) -> _Series:
    series = _Series([], [])
    measured(ledger, take(MANY // 4))
    for _ in range(rounds):
        envelopes = take(MANY)
        baseline = plain.single_rate(SINGLE)
        series.add(measured(ledger, envelopes), baseline)
    return series


def _against_batch(ledger: Ledger, plain: Plain, take: Take, rounds: int) -> _Series:
    series = _Series([], [])
    for _ in range(rounds):
        envelopes = take(2 * BATCH)
        baseline = max(plain.batch_rate(1_500, each) for each in LIBRARY_BATCHES)
        series.add(_batches(ledger, envelopes), baseline)
    return series


def _single(ledger: Ledger, envelopes: list[bytes]) -> float:
    began_s = time.perf_counter()
    for each in envelopes:
        ledger.append(each)
    return len(envelopes) / (time.perf_counter() - began_s)


def _batches(ledger: Ledger, envelopes: list[bytes]) -> float:
    began_s = time.perf_counter()
    record_all(ledger, envelopes, BATCH)
    return len(envelopes) / (time.perf_counter() - began_s)


def _threads(ledger: Ledger, envelopes: list[bytes]) -> float:
    barrier = threading.Barrier(CALLERS + 1)
    failed: list[Exception] = []

    def call(mine: list[bytes]) -> None:
        barrier.wait()
        try:
            for each in mine:
                ledger.append(each)
        except Exception as error:  # noqa: BLE001 - raised again by the measuring thread
            failed.append(error)

    threads = [
        threading.Thread(target=call, args=(envelopes[place::CALLERS],)) for place in range(CALLERS)
    ]
    for each in threads:
        each.start()
    barrier.wait()
    began_s = time.perf_counter()
    for each in threads:
        each.join()
    if failed:
        raise failed[0]
    return len(envelopes) / (time.perf_counter() - began_s)


def _coroutines(ledger: Ledger, envelopes: list[bytes]) -> float:
    async def call(mine: list[bytes]) -> None:
        for each in mine:
            raised((await ledger.append_batch_async([each]))[0])

    async def all_callers() -> float:
        began_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for place in range(CALLERS):
                group.create_task(call(envelopes[place::CALLERS]))
        return len(envelopes) / (time.perf_counter() - began_s)

    return uvloop.run(all_callers())
