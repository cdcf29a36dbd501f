"""What auditors ask."""

from __future__ import annotations

import base64

import orjson

from ops.demo import school
from tests.support.asked import Check, Place, Said, at, by_id, keeping

CHECKS: dict[str, Check] = {}
check = keeping(CHECKS)


@check("Rebuild the ranking of any date: does it equal what was published")
def _(place: Place, said: Said) -> None:
    ranking, published = said.both
    assert ranking["as_of"]["recorded_at"] < "2025-04-11"
    replayed = place.run(
        f"mingzhang replay {place.url}/log ranking --unit school --period 2025-Q1 "
        f"--as-of {ranking['as_of']['size']} --vkey log.vkey"
    )
    assert f"size {ranking['as_of']['size']:,}".replace(",", "") in replayed.stdout.replace(",", "")
    assert ranking["standings"]
    for each in ranking["standings"]:
        assert each["member"] in replayed.stdout
    at(place, published)
    steps = {(each["step"], each["tree"]): each for each in published["tables"]}
    assert steps["published", "ranking"]["count"] == len(ranking["standings"])
    # Of a table that is published and not sealed yet no root is signed.
    assert {each["equal"] for each in published["tables"] if each["step"] == "sealed"} == {True}
    compared = said.commands[2]
    assert compared["size"] == place.size


@check("Do chain and tree match every witness")
def _(place: Place, said: Said) -> None:
    _, verified = said.commands
    (found,) = said.http
    assert f"{place.size:,}" in verified
    assert (found["size"], found["quorum"]) == (place.size, "none")


@check("Entries without evidence or with a missing file")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    listed = by_id(found["entries"])
    assert place.claim not in listed
    assert listed[place.debit]["not_kept"]
    assert not listed[place.debit]["no_evidence"]
    bare = [each for each in found["entries"] if each["no_evidence"]]
    assert {each["origin"] for each in bare} == {"import"}


@check("Late entries by branch")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    late = by_id(found["entries"])[place.named["late"]]
    assert (late["days"], late["dual"]) == (36, True)
    counts = {each["unit"]: each["late"] for each in found["by_unit"]}
    assert counts["school-office"] == 1
    assert sum(counts.values()) == len(found["entries"])


@check("Entries outside a rule's scope or time")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["entries"] == []
    assert found["looked_at"] > 6_000
    assert found["after"] is None


@check("Self-approved or recusal breaches")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (part,) = by_id(found["entries"])[place.named["kin"]]["parts"]
    assert (part["why"], part["step"], part["repeated"]) == ("declared relation", "review", True)
    assert not any(p["why"] == "own entry" for e in found["entries"] for p in e["parts"])


@check("All reversals, by whom and why")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    listed = by_id(found["reversals"])
    anew = listed[place.named["correction"]]
    assert anew["reverses"]["id"] == place.named["lesson"]
    assert (anew["reverses"]["amount"], anew["amount"]) == (800, 400)
    assert len(anew["reason"]) == 64
    assert len(listed) > 10
    for each in found["reversals"]:
        assert len({one["actor"] for one in each["people"]}) >= 2


@check("Fund: issued, redeemed, stock")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["endowed"] == found["redeemed"] + found["stock"] == 6000
    assert any(each["reversed"] for each in found["moves"])


@check("A reproducible random or risk sample")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (query,) = found["queries"]
    assert (query["statement"], query["auditor"]) == (place.query, place.auditor)
    paper = orjson.loads((place.folder / "sample.json").read_bytes())
    assert bytes.fromhex(query["seed"]["root"])
    assert int(paper["log_head"][1]) == query["seed"]["size"]
    assert len(paper["result"]) == 3
    assert "OK" in said.commands[2]


@check("Which rulebook change moved ranks")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["version"], found["instead_of"]) == ("1.2.0", "1.0.0")
    moved = by_id(found["moves"], "member")
    first = moved["m-0127"]
    assert first["rank"] < first["rank_without"]
    assert [each["item"] for each in first["causes"]] == ["E-A-02"]


@check("Signatures by revoked keys")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (key,) = found["revoked"]
    assert (key["actor"], key["cause"]) == (school.LEADERS[school.OFFICE], "lost")
    assert key["signed_steps"] > 10
    assert (key["signed_after"], found["signed_after"]) == ([], 0)


@check("Was each notice up long enough")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["short"], found["after"]) == (0, None)
    walked = [each for each in found["entries"] if each["origin"] == "claim"]
    assert len(walked) > 30
    for each in walked:
        assert each["opened_on"] < each["must_stand_until"] <= each["closes"]
    (table,) = found["tables"]
    assert table["must_stand_until"] < table["closed_on"]


@check("Exempt and scored are the roster")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["balanced"]
    assert sum(each["roster"] for each in found["units"]) == 13


@check("Export working papers")
def _(place: Place, said: Said) -> None:
    (found,) = said.http
    at(place, found)
    paper = orjson.loads((place.folder / "paper.json").read_bytes())
    names = ("title", "index_number", "preparer", "reviewer", "procedure", "query", "log_head")
    assert [bool(paper[name]) for name in (*names, "seed", "result")] == [True] * 9
    assert paper["query"]["index"] == found["queries"][0]["log_index"]
    assert (place.folder / "entries.sqlite").read_bytes().startswith(b"SQLite format 3")


@check("Show that no event is missing")
def _(place: Place, said: Said) -> None:
    proof, checkpoint = said.http
    assert (proof["old"], proof["new"]) == (place.old, place.size)
    assert proof["hashes"]
    assert all(len(base64.b64decode(each)) == 32 for each in proof["hashes"])
    assert checkpoint.splitlines()[1] == str(place.size)
    assert f"{place.size:,}" in said.commands[0]
