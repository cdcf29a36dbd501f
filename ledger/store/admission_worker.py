"""The helper process of `admission`: reads batches on standard input, answers on output."""

from __future__ import annotations

import signal
import sys

from ledger.store.admission import serve

if __name__ == "__main__":
    # Ctrl-C reaches the whole process group; the server ends its helpers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
