"""What members ask."""

from __future__ import annotations

import orjson

from ledger.log import receipt
from ledger.log.note import VerifierKey
from tests.support.asked import ALLOWED, Check, Place, Said, at, by_id, keeping

CHECKS: dict[str, Check] = {}
check = keeping(CHECKS)


@check("My score and every step to it")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert any(each["year"] == "2025-01-01" and each["annual"] for each in found["figures"])
    steps = [each["type"] for each in by_id(found["entries"])[place.named["lesson"]]["steps"]]
    assert steps[:3] == ["points.claimed", "points.checked", "points.reviewed"]


@check("Which clause and version")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["rulebook"], found["version"], found["item"]) == ("school", "1.1.0", "E-A-02")
    assert found["pilot"]["units"] == ["school-teaching"]


@check("Who proposed, reviewed, approved")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    first, second, third = found["steps"][:3]
    assert first["signers"] == [{"actor": "a-m-0127", "roles": []}]
    assert second["signers"] == [{"actor": "a-lead-school-1", "roles": ["group_leader"]}]
    assert [each["roles"] for each in third["signers"]] == [["committee"], ["committee"]]


@check("What a cap clipped")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    clipped = [each for each in found["entries"] if each["clipped"]]
    assert clipped
    for each in clipped:
        taken = sum(one["by"] for one in each["clipped"])
        assert abs(each["worth"]) - abs(each["counted"]) == taken > 0


@check("Is my entry in the sealed log")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    key = VerifierKey.parse((place.folder / "log.vkey").read_text().strip())
    given = receipt.parse(found["receipt"].encode())
    assert receipt.verify_receipt(given, key).size == found["checkpoint"]["size"]
    assert given.index == found["log_index"] < found["checkpoint"]["size"]


@check("What of mine changed since last quarter")
def _(place: Place, said: Said) -> None:
    found = said.one
    assert found["since"]["size"] < found["as_of"]["size"] < place.size
    assert found["as_of"]["recorded_at"] < "2025-07-01"
    moved = by_id(found["entries"], "entry")
    lesson, anew = moved[place.named["lesson"]], moved[place.named["correction"]]
    assert (lesson["was"], lesson["now"]["state"]) == (None, "reversed")
    assert anew["now"]["counted"] == 400
    (figure,) = (each for each in found["figures"] if each["year"] == "2025-01-01")
    assert figure["now"]["daily"] > figure["was"]["daily"]
    quarter = place.get("/v1/ask/changes?member=m-0127&as_of=2025-06-30").json()
    assert quarter == found


@check("When do objections close")
def _(place: Place, said: Said) -> None:
    found = said.one
    assert found["as_of"]["recorded_at"] < "2025-07-01"
    assert found["entries"]
    for each in found["entries"]:
        assert each["opened_on"] <= "2025-06-30" <= each["until"]


@check("What others got for the same act")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["act_type"] == "pupil.visit"
    assert len({each["member"] for each in found["entries"]}) > 3
    assert [each["id"] for each in found["entries"] if each["yours"]] == [place.named["related"]]
    assert {(each["least"], each["most"]) for each in found["summary"]} == {(100, 100)}


@check("Who viewed my record")
def _(place: Place, said: Said) -> None:
    at(place, said.one)
    place.get(f"/v1/committee/ask/effect?entry={place.named['lesson']}", ALLOWED)
    place.get("/v1/committee/entries?member=m-0127", ALLOWED)
    found = place.get("/v1/committee/ask/viewers?member=m-0127", ALLOWED).json()
    newest = [(each["actor"], each["question"]) for each in found["looks"][:2]]
    assert newest == [("a-up-1", "entries"), ("a-up-1", "effect")]
    assert "no name" in found["kept"]
    nobody = place.get("/v1/committee/ask/viewers?member=m-0001", ALLOWED).json()
    assert nobody["looks"] == []


@check("Can I check off line, on paper")
def _(place: Place, said: Said) -> None:
    checked, _ = said.commands
    given, page = said.http
    assert "points.claimed" in checked
    assert given == (place.folder / "receipt.tlog-proof").read_text()
    assert page == (place.folder / "verify.html").read_text()
    assert "connect-src" not in page


@check("Where is my objection and when is it due")
def _(place: Place, said: Said) -> None:
    entry, dispute = said.both
    at(place, entry)
    at(place, dispute)
    assert [each["type"] for each in entry["steps"]] == [
        "points.objected",
        "points.acknowledged",
        "points.reconsidered",
    ]
    assert (entry["open"], entry["replaced_by"]) == (False, place.named["correction"])
    assert (dispute["state"], dispute["outcome"]) == ("announced", "dismissed")
    told = orjson.dumps(dispute).decode()
    assert "m-0127" not in told
    waiting = place.get(f"/v1/ask/objection?entry={place.claim}").json()
    assert (waiting["state"], waiting["due"] > waiting["on"]) == ("claimed", True)


@check("What would lift me to the next band")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["figure"] + found["lacking"] == found["next"]["from"]
    items = by_id(found["items"], "item")
    # What was reckoned for one more lesson is what a lesson is worth: 80 % of five points.
    assert items["E-A-02"]["would_count"] == 400
    counts = [each["would_count"] for each in found["items"]]
    assert counts == sorted(counts, reverse=True)
    for each in found["items"]:
        assert each["enough"] == (each["would_count"] >= found["lacking"])


@check("Was the rule published before it was used on me")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["version"] == "1.0.0"
    assert found["published_before_the_act"]
    assert found["published_before_the_entry"]
    assert found["in_force_from"] <= found["act_date"]
    (published,) = (e for e in found["steps"] if e["type"] == "rulebook.published")
    assert published["log_index"] < found["recorded"]["log_index"]


@check("How do I correct or erase personal data")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    texts = by_id(found["texts"], "commitment")
    assert texts[place.evidence] == {
        "commitment": place.evidence,
        "statement": place.claim,
        "state": "kept",
        "kind": "text/plain",
        "erasable_after": None,
    }
    settled = [each["erasable_after"] for each in texts.values() if each["erasable_after"]]
    assert min(settled).startswith("2025-")
