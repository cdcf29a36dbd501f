"""The helper process of `admission`: reads batches on standard input, answers on output."""

from __future__ import annotations

import sys

from ledger.store.admission import serve

if __name__ == "__main__":
    serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
