from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from api.questions import QUESTIONS
from ledger.store.media import MEDIA_TYPES, XLSX
from tests.support.web import FakeLedger, app_of

ROUTES = {
    ("post", "/v1/statements"): {"text/plain", "application/x-ndjson"},
    ("post", "/v1/trials"): {"application/x-ndjson"},
    ("post", "/v1/documents"): {"application/json"},
    ("get", "/v1/documents/{commitment}"): set(MEDIA_TYPES),
    ("get", "/v1/committee/entries"): {"application/json"},
    ("get", "/v1/committee/entries.xlsx"): {XLSX},
    ("get", "/v1/committee/activity/{unit}"): {"application/json"},
    ("get", "/v1/committee/disputes"): {"application/json"},
    ("get", "/v1/committee/disputes/{ident}"): {"application/json"},
    ("post", "/v1/committee/disputes/{ident}/open"): {"application/json"},
    ("post", "/v1/committee/disputes/{ident}/filed"): {"application/json"},
    ("get", "/v1/committee/access"): {"application/json"},
    ("get", "/v1/entries/{index}"): {"application/json"},
    ("get", "/v1/streams/{kind}/{ident}"): {"application/x-ndjson"},
    ("get", "/v1/tasks"): {"application/json"},
    ("get", "/v1/way/{statement_id}"): {"application/json"},
    ("get", "/v1/rankings/{unit}"): {"application/json"},
    ("get", "/v1/members/{ident}/statement"): {"application/json"},
    ("get", "/v1/notices/{unit}"): {"application/json"},
    ("get", "/v1/usage/{unit}"): {"application/json"},
    ("get", "/v1/rosters/{unit}"): {"application/json"},
    ("get", "/v1/funds"): {"application/json"},
    ("get", "/v1/funds/{ident}"): {"application/json"},
    ("get", "/v1/redactions"): {"application/json"},
    ("get", "/v1/states/{period}/{tree}/{as_of}/{member}"): {"application/json"},
    ("get", "/v1/receipts/{statement_id}"): {"text/plain"},
    ("get", "/v1/schemas/{statement_type}"): {"application/schema+json"},
    ("get", "/v1/proofs/inclusion/{size}/{index}"): {"application/json"},
    ("get", "/v1/proofs/consistency/{old}/{new}"): {"application/json"},
    ("get", "/log/checkpoint"): {"text/plain"},
    ("get", "/log/tile/{level}/{path}"): {"application/octet-stream"},
    ("get", "/log/timestamps/index"): {"text/plain"},
    ("get", "/log/timestamps/{size}/{name}"): {"application/octet-stream"},
    ("get", "/v1/witnesses"): {"application/json"},
    ("get", "/healthz"): {"application/json"},
    ("get", "/readyz"): {"application/json"},
    ("get", "/v1/committee/bundles/{entry}"): {"application/zip"},
    **{("get", each.path): {"application/json"} for each in QUESTIONS},
}


@pytest.fixture
def document() -> dict[str, Any]:
    described: dict[str, Any] = app_of(FakeLedger()).openapi()
    return described


def operations(document: dict[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (method, path), operation


def test_it_is_a_valid_description_of_exactly_the_routes(document: dict[str, Any]) -> None:
    OpenAPI.model_validate(document)
    assert document["openapi"].startswith("3.1")
    assert {at for at, _ in operations(document)} == set(ROUTES)


def test_success_is_described_with_the_types_that_are_sent(document: dict[str, Any]) -> None:
    for at, operation in operations(document):
        assert set(operation["responses"]["200"]["content"]) == ROUTES[at], at


def test_every_other_answer_is_a_problem_whose_schema_is_there(document: dict[str, Any]) -> None:
    for at, operation in operations(document):
        others = {s: r for s, r in operation["responses"].items() if s != "200"}
        assert {"500", "503"} <= set(others), at
        if operation.get("parameters"):
            assert "422" in others, at
        for answer in others.values():
            (kind,) = answer["content"]
            assert kind == "application/problem+json"
            assert answer["content"][kind]["schema"]["$ref"] == "#/components/schemas/Problem"
    assert "detail" in document["components"]["schemas"]["Problem"]["properties"]


def test_both_kinds_of_bodies_are_described(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/statements"]["post"]["requestBody"]
    assert body["required"] is True
    assert set(body["content"]) == {"application/json", "application/x-ndjson"}
