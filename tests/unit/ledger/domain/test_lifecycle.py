from __future__ import annotations

from typing import Any

import orjson
import pytest

from ledger import schema
from ledger.domain.pricing import price
from ledger.domain.rulebook import DRAFTED, IN_FORCE, PILOT, PUBLISHED, REVISED, SUPERSEDED
from ledger.entry import ENTRY_SIZE_MAX, parse_envelope
from tests.support.chronicle import ABOVE, PAIR, START_DAY, Chronicle, document, item
from tests.support.organisation import COMMITMENT

STREAM = "rulebook/rules"


@pytest.fixture
def log() -> Chronicle:
    return Chronicle()


def pilot(**changed: Any) -> dict[str, Any]:
    days = {"from": "2026-03-01", "until": "2026-05-31"}
    return {"version": "1.1.0", "units": ["east"]} | days | changed


@pytest.fixture
def consulted(log: Chronicle) -> Chronicle:
    """Version 1.0.0 is in force; a draft of 1.1.0 was laid open from 1 to 10 February."""
    log.publish()
    log.say("rulebook.drafted", STREAM, document("1.1.0", "2026-07-01"), PAIR, "2026-01-20")
    talks = {"version": "1.1.0", "from": "2026-02-01", "until": "2026-02-10"}
    log.say("rulebook.consulted", STREAM, talks, PAIR[:1], "2026-01-30")
    return log


def test_a2_a_version_is_published_before_its_first_day_never_on_it(log: Chronicle) -> None:
    for first in (START_DAY, "2026-01-04"):
        body = document("1.0.0", first)
        reason = log.refused("not-retroactive", "rulebook.published", STREAM, body, PAIR)
        assert first in reason
    log.say("rulebook.published", STREAM, document("1.0.0", "2026-01-06"), PAIR)


def test_two_people_of_the_unit_publish(log: Chronicle) -> None:
    body = document("1.0.0", "2026-02-01")
    log.refused("needs-committee", "rulebook.published", STREAM, body, PAIR[:1])
    log.refused("needs-secretary", "rulebook.published", STREAM, body, ("west-sec", "east-com-1"))


def test_a_version_walks_from_draft_to_superseded(consulted: Chronicle) -> None:
    world = consulted.world

    def stage(version: str, today: str) -> str | None:
        rulebook = world.rulebooks.get("rules")
        assert rulebook is not None
        return rulebook.stage(version, today)

    consulted.say("rulebook.piloted", STREAM, pilot(), PAIR, "2026-02-20")
    assert stage("1.1.0", "2026-03-15") == PILOT
    revised = document("1.2.0", "2026-07-01", items=[item("C-1", points=200)])
    consulted.say("rulebook.revised", STREAM, revised | {"revises": "1.1.0"}, PAIR, "2026-06-02")
    assert (stage("1.1.0", "2026-06-03"), stage("1.2.0", "2026-06-03")) == (REVISED, "consulted")
    consulted.say("rulebook.published", STREAM, revised, PAIR, "2026-06-10")
    assert (stage("1.2.0", "2026-06-30"), stage("1.0.0", "2026-06-30")) == (PUBLISHED, IN_FORCE)
    assert (stage("1.2.0", "2026-07-01"), stage("1.0.0", "2026-07-01")) == (IN_FORCE, SUPERSEDED)
    assert stage("9.9.9", "2026-07-01") is None


def test_a3_a_number_names_one_document_for_good(consulted: Chronicle) -> None:
    log = consulted
    for version in ("1.0.0", "1.1.0"):
        body = document(version, "2026-08-01")
        log.refused("version-once", "rulebook.drafted", STREAM, body, PAIR, "2026-02-20")
    body = document("1.0.0", "2026-08-01")
    log.refused("version-once", "rulebook.published", STREAM, body, PAIR, "2026-02-20")
    other = document("1.1.0", "2026-08-01", items=[item("C-1", points=900)])
    log.refused("published-as-drafted", "rulebook.published", STREAM, other, PAIR, "2026-02-20")
    later = document("1.1.0", "2026-08-01")
    log.say("rulebook.published", STREAM, later, PAIR, "2026-02-20")


def test_a_draft_is_not_published_while_it_is_laid_open(consulted: Chronicle) -> None:
    body = document("1.1.0", "2026-07-01")
    reason = consulted.refused(
        "consulted-first", "rulebook.published", STREAM, body, PAIR, "2026-02-10"
    )
    assert "2026-02-10" in reason
    consulted.say("rulebook.published", STREAM, body, PAIR, "2026-02-11")


def test_a_revised_draft_gives_way_to_its_revision(consulted: Chronicle) -> None:
    log, day = consulted, "2026-02-20"
    revised = document("1.2.0", "2026-07-01") | {"revises": "1.1.0"}
    log.refused(
        "draft-known", "rulebook.revised", STREAM, revised | {"revises": "4.0.0"}, PAIR, day
    )
    log.say("rulebook.revised", STREAM, revised, PAIR, day)
    again = revised | {"version": "1.3.0"}
    log.refused("draft-open", "rulebook.revised", STREAM, again, PAIR, day)
    body = document("1.1.0", "2026-07-01")
    assert "1.2.0" in log.refused("draft-open", "rulebook.published", STREAM, body, PAIR, day)


def test_talks_are_about_a_draft_and_still_to_come(log: Chronicle) -> None:
    talks = {"version": "1.1.0", "from": "2026-02-01", "until": "2026-02-10"}
    log.refused("draft-known", "rulebook.consulted", STREAM, talks, PAIR[:1])
    log.say("rulebook.drafted", STREAM, document("1.1.0", "2026-07-01"), PAIR)
    for changed in ({"from": "2026-01-04"}, {"until": "2026-01-31"}):
        log.refused("consulted-days", "rulebook.consulted", STREAM, talks | changed, PAIR[:1])
    log.say("rulebook.consulted", STREAM, talks, PAIR[:1])
    log.refused("consulted-once", "rulebook.consulted", STREAM, talks, PAIR[:1])


@pytest.mark.parametrize(
    ("rule", "changed", "day"),
    [
        ("draft-known", {"version": "4.0.0"}, "2026-02-20"),
        ("consulted-first", {"from": "2026-02-10"}, "2026-02-05"),
        ("not-retroactive", {}, "2026-03-01"),
        ("pilot-length", {"until": "2026-09-01"}, "2026-02-20"),
        ("pilot-length", {"until": "2026-02-28"}, "2026-02-20"),
        ("pilot-units", {"units": ["east", "west"]}, "2026-02-20"),
        ("pilot-units", {"units": ["nowhere"]}, "2026-02-20"),
    ],
)
def test_a3_a_pilot_is_ordered_before_it_begins_in_its_units_for_a_while(
    consulted: Chronicle, rule: str, changed: dict[str, Any], day: str
) -> None:
    consulted.refused(rule, "rulebook.piloted", STREAM, pilot(**changed), PAIR, day)


def test_a_pilot_is_the_longest_at_184_days(consulted: Chronicle) -> None:
    longest = pilot(until="2026-08-31")
    consulted.say("rulebook.piloted", STREAM, longest, PAIR, "2026-02-20")


def test_two_pilots_of_a_rulebook_never_meet(consulted: Chronicle) -> None:
    log = consulted
    log.say("unit.opened", "unit/group", {"parent": "east", "name_zh": "组", "name_en": "g",
            "start": START_DAY}, day="2026-02-12")  # fmt: skip
    log.say("rulebook.piloted", STREAM, pilot(), PAIR, "2026-02-20")
    log.refused("pilot-once", "rulebook.piloted", STREAM, pilot(), PAIR, "2026-02-20")
    log.say("rulebook.revised", STREAM, document("1.2.0", "2026-08-01") | {"revises": "1.1.0"},
            PAIR, "2026-02-21")  # fmt: skip
    in_group = pilot(version="1.2.0", units=["group"])
    log.refused("pilot-overlap", "rulebook.piloted", STREAM, in_group, PAIR, "2026-02-21")
    after = in_group | {"from": "2026-06-01", "until": "2026-06-30"}
    log.say("rulebook.piloted", STREAM, after, PAIR, "2026-02-21")


def test_cheat15_a_pilot_is_extended_once_by_the_unit_above(consulted: Chronicle) -> None:
    log, kind = consulted, "rulebook.extended"
    longer = {"version": "1.1.0", "until": "2026-06-30", "reason": COMMITMENT}
    log.refused("pilot-known", kind, STREAM, longer, (ABOVE,), "2026-02-20")
    log.say("rulebook.piloted", STREAM, pilot(), PAIR, "2026-02-20")
    log.refused("needs-upper", kind, STREAM, longer, PAIR, "2026-05-01")
    for until in ("2026-05-31", "2026-09-01"):
        log.refused("pilot-length", kind, STREAM, longer | {"until": until}, (ABOVE,), "2026-05-01")
    log.refused("pilot-over", kind, STREAM, longer, (ABOVE,), "2026-06-01")
    log.say(kind, STREAM, longer, (ABOVE,), "2026-05-31")
    assert price(log.world, "east", "2026-06-30", "rules", "1.1.0").version == "1.1.0"
    further = longer | {"until": "2026-07-31"}
    log.refused("pilot-extended", kind, STREAM, further, (ABOVE,), "2026-06-15")


def test_a_document_that_the_engine_cannot_read_is_refused(log: Chronicle) -> None:
    for rule, more in (
        ("item-once", {"items": [item("C-1"), item("C-1", "debit")]}),
        ("item-range", {"items": [item("R-1", min=300, max=100)]}),
        ("rulebook-sound", {"items": [item("C-1", applies_to=["nobody"])]}),
        ("rulebook-sound", {"annual": {"kind": "weighted", "daily": 70, "review": 40}}),
    ):
        body = document("1.0.0", "2026-02-01", **more)
        log.refused(rule, "rulebook.published", STREAM, body, PAIR)
    log.publish()
    other_year = document("2.0.0", "2026-08-01", period={"start": "07-01"})
    log.refused("rulebook-sound", "rulebook.published", STREAM, other_year, PAIR)
    earlier = document("2.0.0", "2026-01-06")
    log.refused("version-order", "rulebook.published", STREAM, earlier, PAIR)
    for unit, pair in (("west", ("west-sec", "west-com-1")), ("nowhere", PAIR)):
        rule = "rulebook-unit" if unit == "west" else "unit-known"
        body = document("2.0.0", "2026-08-01", unit)
        log.refused(rule, "rulebook.published", STREAM, body, pair)


def test_a_large_rulebook_lies_in_parts_that_one_statement_names(log: Chronicle) -> None:
    items = [item(f"X-{n}", basis="依" * 80) for n in range(500)]
    whole = document("1.0.0", "2026-02-01", items=items)
    assert len(orjson.dumps(whole)) > ENTRY_SIZE_MAX
    parts = []
    for first in range(100, 500, 100):
        body = {"unit": "east", "version": "1.0.0", "items": items[first : first + 100]}
        envelope = log.organisation.statement("rulebook.part", STREAM, PAIR[0], body)
        assert len(parse_envelope(envelope).envelope) < ENTRY_SIZE_MAX - 500
        parts.append(log.envelope(envelope))
    main = document("1.0.0", "2026-02-01", items=items[:100], parts=parts)
    log.say("rulebook.published", STREAM, main, PAIR)
    assert list(price(log.world, "east", "2026-02-01", "rules", "1.0.0").items) == [
        each["code"] for each in items
    ]


def test_a_part_that_is_not_there_or_of_another_version_is_refused(log: Chronicle) -> None:
    body = {"unit": "east", "version": "1.0.0", "items": [item("X-1")]}
    log.refused("needs-secretary", "rulebook.part", STREAM, body, ("east-com-1",))
    part = log.say("rulebook.part", STREAM, body, PAIR[:1])
    for version, parts in (("2.0.0", [part]), ("1.0.0", [log.organisation.new_id()])):
        main = document(version, "2026-02-01", parts=parts)
        log.refused("rulebook-sound", "rulebook.published", STREAM, main, PAIR)


def test_the_forms_of_a_document_differ_only_where_they_say_so() -> None:
    published = schema.schemas()["rulebook.published"]
    for name, extra in (("rulebook.drafted", set()), ("rulebook.revised", {"revises"})):
        other = schema.schemas()[name]
        kept = {k: v for k, v in other["properties"].items() if k not in extra}
        assert kept == published["properties"], f"copy rulebook.published.json into {name}.json"
        assert other["$defs"] == published["$defs"]
        assert set(other["required"]) == set(published["required"]) | extra
    part = schema.schemas()["rulebook.part"]
    assert part["properties"]["items"] == published["properties"]["items"]


ERRATUM = {
    "version": "1.0.0",
    "item": "C-1",
    "field": "points",
    "value": 200,
    "from": "2026-02-01",
    "until": "2026-02-28",
    "reason": COMMITMENT,
}


@pytest.mark.parametrize(
    ("rule", "changed", "signers"),
    [
        ("needs-upper", {}, PAIR),
        ("version-published", {"version": "3.0.0"}, (ABOVE,)),
        ("item-known", {"item": "Z-9"}, (ABOVE,)),
        ("erratum-field", {"field": "max"}, (ABOVE,)),
        ("erratum-field", {"value": 100}, (ABOVE,)),
        ("erratum-field", {"item": "R-1"}, (ABOVE,)),
        ("erratum-days", {"from": "2026-01-05"}, (ABOVE,)),
        ("erratum-days", {"until": "2026-04-01"}, (ABOVE,)),
        ("erratum-days", {"until": "2026-01-31"}, (ABOVE,)),
    ],
)
def test_b15_an_erratum_of_the_upper_body_is_about_a_real_figure_of_past_days(
    log: Chronicle, rule: str, changed: dict[str, Any], signers: tuple[str, ...]
) -> None:
    log.publish()
    body = ERRATUM | changed
    log.refused(rule, "rulebook.erratum", STREAM, body, signers, "2026-03-10")


def test_b15_an_erratum_is_kept_under_its_statement_and_prices_nothing_by_itself(
    log: Chronicle,
) -> None:
    log.publish()
    ident = log.say("rulebook.erratum", STREAM, ERRATUM, (ABOVE,), "2026-03-10")
    rulebook = log.world.rulebooks.get("rules")
    assert rulebook is not None
    assert rulebook.errata[ident].value == 200
    assert price(log.world, "east", "2026-02-10", "rules", "1.0.0").items["C-1"].points == 100


def test_a_draft_prices_nothing(log: Chronicle) -> None:
    log.say("rulebook.drafted", STREAM, document("1.0.0", "2026-02-01"), PAIR)
    rulebook = log.world.rulebooks.get("rules")
    assert rulebook is not None
    assert rulebook.stage("1.0.0", "2026-03-01") == DRAFTED
    assert rulebook.book is None
