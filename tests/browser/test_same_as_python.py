"""The same inputs, good and broken, judged by the Python verifier and by the browser's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.web.standalone import bundle, constant_of
from tests.support import vectors
from tests.support.chromium import needs_chromium
from tests.support.locators import LOCATORS
from tests.support.shared import needs_vectors
from tests.support.vectors import Case, outcome

pytestmark = needs_chromium

ADDRESS = "http://127.0.0.1/"
NO_WEBCRYPTO = "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });"
MODULES = [
    f"verifier/{name}.js"
    for name in (
        *("bytes", "canonical", "dossier", "ed25519", "entry", "evidence", "merkle", "note"),
        *("paper", "receipt", "zip"),
    )
]
HARNESS = (Path(__file__).parent / "judge.js").read_text()


@pytest.fixture(scope="module", params=["WebCrypto", "@noble/ed25519"])
def verifier(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page with the verifier in it, with WebCrypto and without."""
    context = browser.new_context()
    if request.param != "WebCrypto":
        context.add_init_script(NO_WEBCRYPTO)
    page = context.new_page()
    page.route(
        ADDRESS, lambda route: route.fulfill(body="<!doctype html>", content_type="text/html")
    )
    page.goto(ADDRESS)
    constants = ", ".join(constant_of(each) for each in MODULES)
    page.add_script_tag(content=bundle(*MODULES) + HARNESS.replace("MODULES)", f"{constants})"))
    assert page.evaluate("engine()") == request.param
    yield page
    context.close()


def agree(verifier: Any, cases: Iterable[Case]) -> list[str]:
    """Assert that both sides judge all cases alike; return what they come to."""
    given = list(cases)
    wanted = [outcome(each) for each in given]
    found = verifier.evaluate("judge", [each._asdict() for each in given])
    differing = [
        (case.name, want, got)
        for case, want, got in zip(given, wanted, found, strict=True)
        if want != got
    ]
    assert not differing
    return wanted


@needs_vectors
def test_merkle_proofs_of_another_project(verifier: Any) -> None:
    wanted = agree(verifier, vectors.merkle_cases())
    assert len(wanted) == 196
    assert {"ok", "proof"} == set(wanted)


@needs_vectors
def test_checkpoints_of_another_log(verifier: Any) -> None:
    assert agree(verifier, vectors.tessera_cases()) == ["ok", "proof"] * 16


def test_signatures_at_which_engines_differ(verifier: Any) -> None:
    assert agree(verifier, vectors.signature_cases()).count("ok") == 9


def test_notes_that_are_not_quite_notes(verifier: Any) -> None:
    wanted = agree(verifier, vectors.note_cases())
    assert {"ok", "format", "proof"} == set(wanted)


def test_json_that_is_not_quite_canonical(verifier: Any) -> None:
    assert agree(verifier, vectors.json_cases()).count("ok") > 10


def test_receipts_and_entries_with_bytes_changed(verifier: Any) -> None:
    wanted = agree(verifier, vectors.receipt_cases())
    assert min(wanted.count(each) for each in ("ok", "format", "proof")) > 3


def test_evidence_that_is_not_quite_evidence(verifier: Any) -> None:
    assert agree(verifier, vectors.evidence_cases()).count("ok") == 1


def test_bundles_that_are_not_quite_bundles(verifier: Any) -> None:
    wanted = agree(verifier, vectors.bundle_cases())
    assert wanted[:2] == ["ok", "ok"]
    assert min(wanted.count(each) for each in ("format", "proof")) > 5


def test_locators_right_and_mistyped(verifier: Any) -> None:
    # tests/unit/api/paper/test_locator.py holds the Python side to the same.
    found = verifier.evaluate("locators", list(LOCATORS))
    assert dict(zip(LOCATORS, found, strict=True)) == LOCATORS
