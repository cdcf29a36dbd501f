from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError, ProofError
from ledger.log.checkpoint import SIZE_MAX, Checkpoint, open_checkpoint, parse_body, sign
from ledger.log.note import Signer
from tests.support.organisation import key_of

SIGNER = Signer("log.example/one", key_of("checkpoint"))
ROOT = "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk="

origins = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=30)


@given(origins, st.integers(0, SIZE_MAX), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_back_from_its_text(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert parse_body(checkpoint.body()) == checkpoint


def test_a_signed_checkpoint_is_opened_with_its_logs_key() -> None:
    checkpoint = Checkpoint(SIGNER.name, 7, bytes(range(32)))
    data = sign(checkpoint, SIGNER)
    assert open_checkpoint(data, SIGNER.vkey) == checkpoint
    assert sign(checkpoint, SIGNER) == data


def test_a_checkpoint_of_another_log_is_refused_under_this_logs_key() -> None:
    data = sign(Checkpoint("log.example/two", 7, bytes(32)), SIGNER)
    with pytest.raises(ProofError, match=r"is of log\.example/two"):
        open_checkpoint(data, SIGNER.vkey)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"o\n07\n{ROOT}\n", "without leading zeros"),
        (f"o\n00\n{ROOT}\n", "without leading zeros"),
        (f"o\n+7\n{ROOT}\n", "no decimal"),
        (f"o\n-7\n{ROOT}\n", "no decimal"),
        (f"o\n7 \n{ROOT}\n", "no decimal"),
        (f"o\n٧\n{ROOT}\n", "no decimal"),
        (f"o\n{2**63}\n{ROOT}\n", "no decimal"),
        (f"o\n\n{ROOT}\n", "no decimal"),
        (f"\n7\n{ROOT}\n", "names no origin"),
        (f"o\n7\n{ROOT}\nextension\n", "an extension line"),
        (f"o\n7\n{ROOT}\n\n", "an extension line"),
        (f"o\n7\n{ROOT}", "too few lines"),
        ("o\n7\n", "too few lines"),
        (f"o\n7\n{ROOT[:-2]}l=\n", "not canonical"),
        (f"o\n7\n{ROOT[:-1]}\n", "not base64"),
        (f"o\n7\n{ROOT.replace('/', '_')}\n", "not base64"),
        ("o\n7\nAAAA\n", "32 are needed"),
    ],
)
def test_what_is_not_exactly_a_checkpoint_is_refused(body: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        parse_body(body)
