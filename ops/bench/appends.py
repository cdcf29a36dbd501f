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
from ops.bench.load import Load, record_all
from ops.bench.report import Row

CALLERS = 64
BATCH = 1_000
LIBRARY_BATCHES = (100, 200, 300)
SINGLE = 300
MANY = 3_200
_WARM_UP = 200

Rate = Callable[[Ledger, list[bytes]], float]
"""Records envelopes and returns how many a second."""


@dataclass(slots=True)
class _Series:
    """The rounds of one measurement: rates, and ratios to the baseline of the same round."""

    rates: list[float]
    ratios: list[float]

    def row(self, name: str, target: float | None) -> Row:
        ratio = median(self.ratios)
        return Row(name, f"{ratio:.2f} ×", f"{median(self.rates):,.0f}/s", target, ratio)


def measure(data: Path, plain: Plain, load: Load, rounds: int) -> Iterator[Row]:
    """Yield the results as they come."""
    with Ledger.open(data) as ledger:
        yield from _one_caller(ledger, plain, load, rounds)
    found: dict[str, list[_Series]] = {"callers": [], "batch": []}
    for helpers in (0, 1):
        named = "" if not helpers else ", admission in a helper process"
        with Ledger.open(data, options=Options(admission_workers=helpers)) as ledger:
            record_all(ledger, load.take(_WARM_UP))
            for name, rate in (("threads", _threads), ("coroutines", _coroutines)):
                series = _against_single(ledger, plain, load, rounds, rate)
                found["callers"].append(series)
                yield series.row(f"{CALLERS} callers, {name}{named}", None)
            series = _against_batch(ledger, plain, load, rounds)
            found["batch"].append(series)
            yield series.row(f"batches of {BATCH:,}{named}", 0.8 if helpers else 0.6)
    best = max(found["callers"], key=lambda each: median(each.ratios))
    yield best.row(f"{CALLERS} callers, the best of these", 7.0)


def _one_caller(ledger: Ledger, plain: Plain, load: Load, rounds: int) -> Iterator[Row]:
    record_all(ledger, load.take(_WARM_UP), batch=1)
    plain.single_rate(_WARM_UP)
    baselines, series = [], _Series([], [])
    for _ in range(rounds):
        baseline = plain.single_rate(SINGLE)
        rate = _single(ledger, load.take(SINGLE))
        baselines.append(baseline)
        series.rates.append(rate)
        series.ratios.append(rate / baseline)
    yield Row("the library, one caller", "1", f"{median(baselines):,.0f}/s")
    yield series.row("one caller, with receipt", 1.0)


def _against_single(
    ledger: Ledger, plain: Plain, load: Load, rounds: int, measured: Rate
) -> _Series:
    series = _Series([], [])
    measured(ledger, load.take(MANY // 4))
    for _ in range(rounds):
        envelopes = load.take(MANY)
        baseline = plain.single_rate(SINGLE)
        rate = measured(ledger, envelopes)
        series.rates.append(rate)
        series.ratios.append(rate / baseline)
    return series


def _against_batch(ledger: Ledger, plain: Plain, load: Load, rounds: int) -> _Series:
    series = _Series([], [])
    for _ in range(rounds):
        envelopes = load.take(2 * BATCH)
        baseline = max(plain.batch_rate(1_500, each) for each in LIBRARY_BATCHES)
        rate = _batches(ledger, envelopes)
        series.rates.append(rate)
        series.ratios.append(rate / baseline)
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
