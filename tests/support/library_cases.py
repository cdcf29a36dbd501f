"""The event library's own test cases for recorders (`library`), as far as they need no more.

Its module of them imports a cipher that wants one more cryptography package than the library
itself; the library has the same cipher over the package that is installed.
"""

from __future__ import annotations

import sys
from unittest.mock import patch

import eventsourcing.cryptography

with patch.dict(sys.modules, {"eventsourcing.cipher": eventsourcing.cryptography}):
    from eventsourcing.tests import persistence as library

__all__ = ["library"]
