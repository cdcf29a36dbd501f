from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import schema
from ledger.domain.decide import _RULES
from ledger.entry import parse_envelope
from ledger.errors import FormatError
from tests.support import dispute_examples, frame_examples, way_examples
from tests.support.organisation import Organisation


def examples() -> list[tuple[str, dict[str, Any]]]:
    """A valid body of every statement type."""
    organisation = Organisation(members=1)
    envelopes = [
        *organisation.set_up(),
        organisation.award("m-1"),
        organisation.award("m-1", kind="points.deducted"),
        organisation.correction("m-1", organisation.new_id()),
        organisation.correction("m-1", organisation.new_id(), 150),
    ]
    found: list[tuple[str, dict[str, Any]]] = []
    for each in envelopes:
        statement = parse_envelope(each)
        found.append((statement.type, statement.body))
    return [
        *found,
        *frame_examples.EXAMPLES,
        *way_examples.EXAMPLES,
        (
            "ledger.recovered",
            {"from_size": 9, "from_root": "ab" * 32, "to_size": 5, "cause": "backup"},
        ),
        ("witnesses.adopted", {"policy": "ab" * 32}),
        ("checkpoint.witnessed", {"size": 9, "cosignatures": ["— w.example/1 AAAA"]}),
        *dispute_examples.EXAMPLES,
        ("key.revoked", {"keyid": "ab" * 32, "cause": "lost"}),
        ("role.granted", {"role": "auditor", "unit": "root", "until": "2026-12-31"}),
        ("role.revoked", {"role": "auditor", "unit": "root"}),
        ("outage.recorded", {"from": "2026-02-01T00:00:00Z", "to": "2026-02-02T00:00:00Z"}),
        ("unit.moved", {"parent": "root"}),
        ("member.linked", {"actor": "somebody"}),
        ("member.transferred", {"unit": "east"}),
        ("member.suspended", {"date": "2026-02-01"}),
        ("member.reinstated", {"date": "2026-02-01"}),
        ("member.left", {"date": "2026-02-01"}),
        ("text.erased", {"commitment": "ab" * 32, "cause": "request"}),
    ]


EXAMPLES = examples()

# What may stand in a payload at all (`ledger.canonical`), since nothing else reaches a schema.
any_value = st.recursive(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.booleans(),
        st.sampled_from(["2026-02-30", "1.0.0", "ab" * 32, "root", "credit", "ed25519", ""]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=3),
    ),
    max_leaves=4,
)


def test_every_type_that_a_rule_knows_has_a_schema_and_an_example() -> None:
    assert set(schema.schemas()) == set(_RULES) == {kind for kind, _ in EXAMPLES}


@pytest.mark.parametrize("kind", sorted(schema.schemas()))
def test_a_published_schema_is_a_schema_of_2020_12_and_closed(kind: str) -> None:
    published = schema.schemas()[kind]
    jsonschema.Draft202012Validator.check_schema(published)
    assert published["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert published["additionalProperties"] is False
    assert json.dumps(published).count('"object"') == json.dumps(published).count(
        '"additionalProperties": false'
    )


@pytest.mark.parametrize(("kind", "body"), EXAMPLES)
def test_a_valid_body_passes(kind: str, body: dict[str, Any]) -> None:
    schema.validate(kind, body)


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_a_changed_body_is_judged_as_by_the_reference_implementation(data: st.DataObject) -> None:
    kind, valid = data.draw(st.sampled_from(EXAMPLES))
    body = copy.deepcopy(valid)
    _mutate(body, data)
    expected = jsonschema.Draft202012Validator(schema.schemas()[kind]).is_valid(body)
    try:
        schema.validate(kind, body)
    except FormatError:
        assert not expected
    else:
        assert expected


def test_a_reason_names_the_member_that_is_wrong() -> None:
    body = dict(EXAMPLES)["points.awarded"] | {"points": 0}
    with pytest.raises(FormatError, match=r"points\.awarded: body/points"):
        schema.validate("points.awarded", body)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(FormatError, match=r"points\.invented"):
        schema.validate("points.invented", {})


def _mutate(body: dict[str, Any], data: st.DataObject) -> None:
    """Replace, drop or add something somewhere in `body`."""
    at: Any = body
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys or data.draw(st.integers(0, 3)) == 0:
            break
        key = data.draw(st.sampled_from(keys))
        if isinstance(at[key], dict | list) and data.draw(st.booleans()):
            at = at[key]
            continue
        if data.draw(st.booleans()):
            at[key] = data.draw(any_value)
        else:
            del at[key]
        return
    if isinstance(at, dict):
        name = data.draw(st.sampled_from(["unit", "points", "extra", "until", "quantity", "actor"]))
        at[name] = data.draw(any_value)
    else:
        at.append(data.draw(any_value))
