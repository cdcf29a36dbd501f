"""Helper processes of this program, and the length-prefixed values that they are sent and answer.

Both ends are this program on this machine, over pipes that nobody else can open.
"""

from __future__ import annotations

import marshal
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import ledger

_SIZE = struct.Struct("!I")


def start(module: str, *args: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start `python -m module args` with a pipe for its output and, unless told, its input."""
    # The folder that this is run in may hold anything, a downloaded log for one: -P keeps it out
    # of the path that modules are imported from.
    home = str(Path(ledger.__path__[0]).parent)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *args],
        stdin=stdin,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": home},
    )


def write_frame(pipe: IO[bytes], value: Any) -> None:
    """Write one value of marshal's kinds; raises OSError where the other end is gone."""
    data = marshal.dumps(value)
    pipe.write(_SIZE.pack(len(data)) + data)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> Any:
    """Read one value. Raises EOFError when the pipe is closed."""
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return marshal.loads(data)  # noqa: S302 - see above: both ends are this program
