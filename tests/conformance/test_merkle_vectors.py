"""All cases of transparency-dev/merkle: what must hold holds, what must be rejected is."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ProofError
from ledger.log.merkle import verify_consistency, verify_inclusion
from tests.conformance.vectors import cases, name_of, needs_vectors

pytestmark = needs_vectors


@pytest.mark.parametrize("case", cases("merkle-inclusion"), ids=name_of)
def test_inclusion(case: Path) -> None:
    given = json.loads(case.read_bytes())

    def verify() -> None:
        verify_inclusion(
            _hash(given["leafHash"]),
            given["leafIdx"],
            given["treeSize"],
            _hashes(given["proof"]),
            _hash(given["root"]),
        )

    _expect(given, verify)


@pytest.mark.parametrize("case", cases("merkle-consistency"), ids=name_of)
def test_consistency(case: Path) -> None:
    given = json.loads(case.read_bytes())

    def verify() -> None:
        verify_consistency(
            given["size1"],
            given["size2"],
            _hashes(given["proof"]),
            _hash(given["root1"]),
            _hash(given["root2"]),
        )

    _expect(given, verify)


def test_no_case_is_left_out() -> None:
    assert len(cases("merkle-inclusion")) + len(cases("merkle-consistency")) == 196


def _expect(given: dict[str, Any], verify: Any) -> None:
    if given["wantErr"]:
        with pytest.raises(ProofError):
            verify()
    else:
        verify()


def _hash(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _hashes(texts: list[str] | None) -> list[bytes]:
    return [_hash(each) for each in texts or []]
