"""What must hold across the whole log without keeping it in memory: each id is used once.

Every use of a statement id becomes a record of fixed length; records are sorted in runs of a
bounded number, spilled to a temporary file, and merged at the end. Sorted by id and then by
index, each id's uses stand together in the order of recording, so one pass sees an id that is
used twice.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from ledger.verify.report import Failure

RUN_RECORDS = 131_072
_READ_RECORDS = 512
_RECORD_SIZE = 16 + 8


class Uses:
    """Collects uses of statement ids and finds the first one that is not allowed."""

    def __init__(self) -> None:
        self._records: list[bytes] = []
        self._file = tempfile.TemporaryFile(prefix="mingzhang-verify-")  # noqa: SIM115 - closed below
        self._runs: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def statement(self, ident: str, index: int) -> None:
        """Note that entry `index` has the statement id `ident`."""
        self._records.append(bytes.fromhex(ident.replace("-", "")) + index.to_bytes(8))
        if len(self._records) >= RUN_RECORDS:
            self._spill()

    def first_failure(self) -> Failure | None:
        """Return the fault of the lowest index, or None."""
        first: Failure | None = None
        before = b""
        for record in self._merged():
            ident, index = record[:16], int.from_bytes(record[16:])
            if ident == before and (first is None or first.index is None or index < first.index):
                reason = f"the statement id {_uuid(ident)} is used a second time"
                first = Failure("id-once", reason, index)
            before = ident
        return first

    def _spill(self) -> None:
        self._records.sort()
        start = self._file.tell()
        self._file.write(b"".join(self._records))
        self._runs.append((start, self._file.tell()))
        self._records.clear()

    def _merged(self) -> Iterator[bytes]:
        self._records.sort()
        return heapq.merge(*(self._run(*bounds) for bounds in self._runs), iter(self._records))

    def _run(self, start: int, stop: int) -> Iterator[bytes]:
        step = _READ_RECORDS * _RECORD_SIZE
        for at in range(start, stop, step):
            self._file.seek(at)
            block = self._file.read(min(step, stop - at))
            for record in range(0, len(block), _RECORD_SIZE):
                yield block[record : record + _RECORD_SIZE]


def _uuid(raw: bytes) -> str:
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
