"""Helper processes of this program, and the length-prefixed values that they are sent and answer.

Both ends are this program on this machine, over pipes that nobody else can open.
"""

from __future__ import annotations

import marshal
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import ledger

_SIZE = struct.Struct("!I")


def start(module: str, *args: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start `python -m module args` with a pipe for its output and, unless told, its input.

    Ctrl-C in a terminal does not reach it, at no moment of its start either: whoever started it
    ends it, and where that one is killed, its pipes end it.
    """
    # The folder that this is run in may hold anything, a downloaded log for one: -P keeps it out
    # of the path that modules are imported from.
    home = str(Path(ledger.__path__[0]).parent)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *args],
        stdin=stdin,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": home},
        process_group=0,
    )


@contextmanager
def while_asked() -> Iterator[None]:
    """End a helper quietly when whoever started it is gone: nobody is left to read its errors."""
    try:
        yield
    except BrokenPipeError:
        # What is buffered still is written out at the end of the process: to nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
