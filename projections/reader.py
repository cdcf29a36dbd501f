"""A worker process of a replay: bundles from the log in, frames to the pipe."""

from __future__ import annotations

import gc
import sys

from ledger import helpers
from projections.bundles import Span, serve

if __name__ == "__main__":
    # Nothing here makes cycles, and searching for them takes a tenth of the time.
    gc.disable()
    _where, _size, _stop, _fold, _kinds, _first, _stride = sys.argv[1:]
    _span = Span(_where, int(_size), int(_stop), int(_fold), frozenset(_kinds.split(",")))
    with helpers.while_asked():
        serve(_span, int(_first), int(_stride), sys.stdout.buffer)
