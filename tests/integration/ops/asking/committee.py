"""What the committee asks."""

from __future__ import annotations

import hashlib
import io
import zipfile

import httpx

from ledger.entry import parse_entry
from ledger.log import receipt
from ops.demo import cast, school
from ops.demo.case import CASE
from tests.support.asked import ALLOWED, Check, Place, Said, at, by_id, keeping

CHECKS: dict[str, Check] = {}
check = keeping(CHECKS)


@check("All entries by a scorer on a branch under a rule between dates")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert len(found["entries"]) == 3
    for each in found["entries"]:
        assert each["item"] == "E-A-01"
        assert "2025-03-01" <= each["act_date"] <= "2025-09-30"
        assert "a-lead-school-1" in [step["actor"] for step in each["steps"]]


@check("Approver chain and timings")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    reviews = [each for each in found["steps"] if each["type"] == "points.reviewed"]
    assert len(reviews) == 2
    assert [each["hours"] is None for each in found["steps"]][:2] == [True, False]
    assert sum(each["hours"] or 0 for each in found["steps"]) > 24 * 7


@check("Every correction around an act")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    chain = {each["entry"]: each["how"] for each in found["entries"]}
    assert chain[place.named["lesson"]] == "asked"
    assert place.named["correction"] in chain
    assert [each["points"] for each in found["entries"]] == [800, 400]


@check("Evidence originals and digests")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (piece,) = found["evidence"]
    assert piece["sha256"] == hashlib.sha256(b"the visit log").hexdigest()
    assert (piece["kind"], piece["state"], piece["bytes"]) == ("visit_log", "kept", 13)
    assert said.commands[1] == "the visit log"
    reviewed = place.get(f"/v1/committee/ask/evidence?entry={place.named['lesson']}", ALLOWED)
    (other,) = reviewed.json()["evidence"]
    assert (other["state"], len(other["opened_by"])) == ("not kept here", 2)


@check("Comparable cases and outcomes")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert sum(found["outcomes"].values()) == len(found["entries"])
    assert found["outcomes"]["filed"] > 3
    mine = by_id(found["entries"])
    assert mine[place.named["returned"]]["returns"] == 1
    assert all(each["people"] for each in found["entries"])


@check("Relations declared or missed")
def _(place: Place, said: Said) -> None:
    then, now = said.both
    assert then["as_of"]["recorded_at"] < "2026-01-01"
    at(place, now)
    kin = {each["actor"]: each["related"] for each in then["declared"]}
    assert "m-0130" in kin["a-com-school-2"]
    assert then["missed"] == []
    late = {each["entry"]: each["actor"] for each in then["late"]}
    # Which of its two reviewers declared it afterwards follows from their keys, new in every run.
    assert "m-0131" in kin[late[place.named["kin"]]]
    assert place.named["related"] not in late
    # Nobody has declared anything for the year in which the test runs.
    assert {each["actor"] for each in now["missed"]} >= set(kin)
    assert {each["declared"] for each in now["missed"] if each["actor"] in kin} == {2025}


@check("What could the member see, and when")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["own_key"]
    for each in found["steps"]:
        assert each["log_index"] < each["checkpoint"] <= place.size
    (table,) = (each for each in found["tables"] if each["what"] == "table school-2025-q1")
    assert not table["counted_in_it"]
    opened = next(e["seen_from"] for e in found["steps"] if e["what"] == "points.published")
    assert opened[:10] < found["could_object_until"]


@check("Deadlines passed or near")
def _(place: Place, said: Said) -> None:
    (found,) = said.http
    at(place, found)
    states = {each["id"]: each["state"] for each in found["disputes"]}
    assert states == {"d-1": "announced", CASE: "notified"}
    assert "d-1  school  entry  announced" in said.commands[0]
    assert f"as of size {place.size}" in said.commands[0]


@check("Who may not sit on this re-examination")
def _(place: Place, said: Said) -> None:
    entry, dispute = said.both
    at(place, entry)
    at(place, dispute)
    why = {each["actor"]: each["rule"] for each in entry["may_not"]}
    assert set(why) >= set(school.COMMITTEE)
    assert {why.pop(each) for each in cast.DISCIPLINE} == {"needs-upper"}
    assert set(why.values()) == {"one-step"}
    assert set(cast.UPPER) <= set(entry["may"])
    # Those who decided the dispute do not examine it again.
    assert set(cast.UPPER) <= {each["actor"] for each in dispute["may_not"]}
    kin = place.get(f"/v1/committee/ask/may-not-sit?entry={place.named['kin']}", ALLOWED).json()
    assert "recused" in {each["rule"] for each in kin["may_not"]}


@check("Was the complainant debited since")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["filer"], found["member"]) == ("a-m-0127", "m-0127")
    assert [each["id"] for each in found["retaliation"]] == [place.debit]


@check("One bundle for the hearing, checkable without us")
def _(place: Place, said: Said) -> None:
    (data,) = said.http
    assert data == (place.folder / "hearing.zip").read_bytes()
    assert "OK" in said.commands[1]
    types = {
        parse_entry(receipt.parse(each).entry).statement.type
        for name, each in unpacked(data).items()
        if name.startswith("receipts/")
    }
    assert types >= {"points.claimed", "points.corrected", "points.reviewed", "key.registered"}
    assert types >= {"rulebook.drafted", "rulebook.piloted", "role.granted", "ledger.founded"}
    kept = unpacked(place.get(f"/v1/committee/bundles/{place.claim}", ALLOWED).content)
    assert b"the visit log" in kept.values()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@check("Effect on rank and rewards if reversed")
def _(place: Place, said: Said) -> None:
    found = said.one
    assert found["as_of"]["size"] == place.old
    assert found["counts_now"]
    # 4.00 of the daily figure, of which the year takes 80 %.
    assert found["was"]["score"] - found["would_be"]["score"] == 320
    assert found["was"]["rank"] < found["would_be"]["rank"]
    assert found["others"]
    assert all(each["would_be"] < each["was"] for each in found["others"])
    assert found["service"]["redeemed"] == 400
    service = [
        each["service"]
        for each in place.get("/v1/members/m-0127/statement").json()["figures"]
        if each["year"] == "2025-01-01"
    ]
    assert service == [found["service"]["earned"]]


@check("Repeat patterns of the same pair")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    counts = [each["entries"] for each in found["pairs"]]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] >= 5
    top = found["pairs"][0]
    path = f"scorer={top['scorer']}&member={top['member']}&limit=1000"
    entries = place.get(f"/v1/committee/entries?{path}", ALLOWED).json()["entries"]
    assert top["entries"] == len([e for e in entries if e["kind"] != "reversal"])


@check("Who opened this confidential case")
def _(place: Place, said: Said) -> None:
    at(place, said.one)
    body = {"purpose": "to see who looks"}
    path = f"{place.url}/v1/committee/disputes/d-1/open"
    assert httpx.post(path, json=body, headers=ALLOWED).status_code == 200
    found = place.get("/v1/committee/ask/openings?dispute=d-1", ALLOWED).json()
    newest = found["openings"][0]
    assert (newest["actor"], newest["purpose"]) == ("a-up-1", "to see who looks")


@check("The decision notice and the scope of its announcement")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["outcome"], found["scope"], found["open"]) == ("dismissed", "school", False)
    assert sorted(found["notices"]["decided"]["signers"]) == sorted(cast.UPPER)
    assert (
        found["notices"]["announced"]["recorded_at"] >= found["notices"]["decided"]["recorded_at"]
    )
