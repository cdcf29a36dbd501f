"""How fast a whole log is verified and folded."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psutil
from nacl.bindings import crypto_sign_open

from ledger.log.note import VerifierKey
from ledger.signing import PrivateKey
from ledger.store.ledger import VKEY_FILE, Ledger, Options
from ledger.store.publish import export
from ledger.verify.report import Report
from ledger.verify.whole import verify_log
from ops.bench.load import Load, record_all
from ops.bench.report import Row
from projections.replay import replay
from projections.runner import Runner
from projections.scores import RANKINGS

MEMORY_MAX_MB = 300.0
_MESSAGE = bytes(700)
_SODIUM_S = 1.0
_CHUNK = 10_000


def measure(data: Path, load: Load, size: int, rounds: int) -> Iterator[Row]:
    """Yield the results for a log of at least `size` entries."""
    vkey = VerifierKey.parse((data / VKEY_FILE).read_text().strip())
    exported = data.parent / "export"
    with Ledger.open(data) as ledger:
        while ledger.size() < size:
            record_all(ledger, load.take(min(_CHUNK, size - ledger.size())))
        export(ledger, exported, vkey)
    yield from _verification(exported, vkey, rounds)
    yield from _folding(data, exported, vkey)


def _verification(exported: Path, vkey: VerifierKey, rounds: int) -> Iterator[Row]:
    cores = len(os.sched_getaffinity(0))
    best: tuple[float, float, Report] | None = None
    memory_mb = 0.0
    for _ in range(rounds):
        # Other work on the machine slows both: the rate before and after belongs to this round.
        before = _sodium_rate()
        report, used_mb = _verified(exported, vkey)
        sodium = (before + _sodium_rate()) / 2
        memory_mb = max(memory_mb, used_mb)
        ratio = report.signatures_per_s / (cores * sodium)
        if best is None or ratio > best[0]:
            best = ratio, sodium, report
    assert best is not None  # noqa: S101 - there is at least one round
    ratio, sodium, report = best
    yield Row("libsodium, signatures verified on one core", "", f"{sodium:,.0f}/s")
    yield Row(
        f"whole log of {report.entries:,} entries, {cores} cores, signatures",
        f"{ratio:.2f} ×",
        f"{report.signatures_per_s:,.0f}/s",
        0.7,
        ratio,
    )
    yield Row("the same, entries", "", f"{report.entries_per_s:,.0f}/s")
    yield Row(
        "the same, memory of all its processes (RSS, MB)",
        "",
        f"{memory_mb:,.0f} MB",
        MEMORY_MAX_MB,
        memory_mb,
        at_most=True,
    )


def _verified(exported: Path, vkey: VerifierKey) -> tuple[Report, float]:
    """Verify in a process of its own and return the report with the memory at its highest."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pid = pool.submit(os.getpid).result()
        running = pool.submit(_verify, str(exported), vkey.text)
        memory_mb = _highest_mb(pid, running)
        return running.result(), memory_mb


def _verify(where: str, vkey: str) -> Report:
    report = verify_log(where, VerifierKey.parse(vkey))
    if report.failure is not None:
        raise RuntimeError(str(report.failure))
    return report


def _highest_mb(pid: int, running: Future[Report]) -> float:
    highest = 0.0
    process = psutil.Process(pid)
    while not running.done():
        used = 0
        for each in (process, *process.children(recursive=True)):
            try:
                used += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        highest = max(highest, used / 1e6)
        time.sleep(0.05)
    return highest


def _sodium_rate() -> float:
    key = PrivateKey.generate()
    signed = key.sign(_MESSAGE) + _MESSAGE
    count, began_s = 0, time.perf_counter()
    while time.perf_counter() - began_s < _SODIUM_S:
        for _ in range(100):
            crypto_sign_open(signed, key.public_key)
        count += 100
    return count / (time.perf_counter() - began_s)


def _folding(data: Path, exported: Path, vkey: VerifierKey) -> Iterator[Row]:
    with Ledger.open(data, options=Options(append=False)) as ledger:
        runner = Runner.of(ledger)
        began_s = time.perf_counter()
        size = runner.catch_up()
        rate = size / (time.perf_counter() - began_s)
    yield Row("runner, both read models, entries", "", f"{rate:,.0f}/s")
    began_s = time.perf_counter()
    folded = replay(str(exported), RANKINGS, vkey)
    rate = folded.as_of.size / (time.perf_counter() - began_s)
    yield Row("replay of the ranking from tiles, entries", "", f"{rate:,.0f}/s")
