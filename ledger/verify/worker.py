"""A worker process of a whole-log verification: bundles from the log in, results to the pipe."""

from __future__ import annotations

import gc
import sys

from ledger import helpers
from ledger.verify.pool import serve

if __name__ == "__main__":
    # Nothing here makes cycles, and searching for them takes a tenth of the time.
    gc.disable()
    _where, _origin, *_numbers = sys.argv[1:]
    _size, _first, _stride = (int(each) for each in _numbers)
    with helpers.while_asked():
        serve(_where, _origin, _size, _first, _stride, (sys.stdin.buffer, sys.stdout.buffer))
