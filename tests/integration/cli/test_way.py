"""The way of an entry on the command line, by people who write no JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger import keyfile
from ledger.domain.days import zone_date
from ledger.entry import format_instant, parse_envelope
from ledger.store.ledger import Ledger, initialise
from tests.support import archives
from tests.support.chronicle import START_DAY
from tests.support.clock import SteadyClock
from tests.support.organisation import ORIGIN, ZONE, key_of
from tests.support.server import environment, mingzhang
from tests.support.walk import Walk

COMMITMENT = "ab" * 32


class Desk:
    """A ledger that was set up in January, and the key files of its people."""

    def __init__(self, tmp_path: Path, database_url: str, *, claimed: bool = False) -> None:
        self.folder, self.data = tmp_path, tmp_path / "data"
        self.env = environment(database_url)
        initialise(self.data, ORIGIN)
        walk, clock = Walk(0), SteadyClock()
        if claimed:
            # Of January, and nobody has checked it since; nor has anybody the role of service.
            made = walk.organisation.statement(
                "role.revoked", "actor/clerk", "reg-1", {"role": "service", "unit": "root"}
            )
            walk.envelope(made)
            walk.claim()
        with Ledger.open(self.data, url=database_url, clock=clock) as ledger:
            for day, envelope in walk.said:
                if day != START_DAY and claimed:
                    clock.pass_days(7)
                ledger.append(envelope)
        self.act_date = zone_date(ZONE, format_instant(datetime.now(UTC) - timedelta(days=1)))

    def key(self, name: str) -> Path:
        path = self.folder / f"{name}.key"
        if not path.exists():
            keyfile.save(path, key_of(name), None)
        return path

    def run(self, *words: str | Path, by: str = "") -> str:
        names = by.split()
        signed: list[str | Path] = []
        if names:
            signed = ["--actor", names[0], "--log", ORIGIN]
            for name in names:
                signed += ["--key", self.key(name)]
        result = mingzhang(*words, *signed, "--data", self.data, env=self.env)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused(self, *words: str | Path, by: str) -> str:
        names = by.split()
        keys = [word for name in names for word in ("--key", self.key(name))]
        result = mingzhang(*words, "--actor", names[0], *keys, "--data", self.data, env=self.env)
        assert result.returncode == 1
        return result.stderr


@pytest.mark.timeout(400)
def test_from_a_claim_to_publicity_and_an_objection_without_json(
    tmp_path: Path, database_url: str
) -> None:
    desk = Desk(tmp_path, database_url)
    photo = tmp_path / "photo.png"
    photo.write_bytes(archives.png(10, 10))
    said = desk.run(
        *("record", "points.claimed", "member/m-2", "rulebook=rules", "version=1.0.0", "item=R-1"),
        *("points=2.50", f"act_date={desk.act_date}", "reason=参加志愿服务"),
        f"evidence=photo:@{photo}",
        by="mem-2",
    )
    entry = said.split()[3]
    waits = desk.run("tasks", "--actor", "lead-1")
    assert waits.startswith("* ")
    assert entry in waits
    assert desk.run("tasks", "--actor", "in-1").startswith(
        "nothing waits 没有待办\nas of log size "
    )

    assert "waits for points.checked by lead-1" in desk.refused("take", entry, by="east-com-1")
    desk.run("take", entry, by="lead-1")
    desk.run("take", entry, "points=2.50", by="east-com-1")
    assert "agree" in desk.refused("take", entry, "points=2.00", by="east-com-2")
    desk.run("take", entry, by="east-com-2")
    desk.run("take", entry, by="east-sec")

    where = desk.run("where", entry)
    assert "state published, until " in where
    assert [line.split()[1:] for line in where.splitlines() if "Z  " in line] == [
        ["claim", "mem-2"],
        ["check", "lead-1"],
        ["review", "east-com-1"],
        ["review", "east-com-2"],
        ["notice", "east-sec"],
    ]
    desk.run("take", entry, f"filer={COMMITMENT}", "--step", "points.objected", by="in-1")
    desk.run("take", entry, by="in-1")
    why = ("reason=材料齐全", "outcome=upheld", "filled=两名委员已参与审定")
    desk.run("take", entry, *why, by="east-com-3 up-1")
    assert "state published" in desk.run("where", entry)


def claim_id(envelope: str) -> str:
    return parse_envelope(envelope.encode().strip()).id


def test_a_body_in_words_is_read_as_the_schema_says(tmp_path: Path) -> None:
    key = tmp_path / "ann.key"
    keyfile.save(key, key_of("ann"), None)
    words = ("--actor", "ann", "--log", ORIGIN, "--key", key)
    claim = mingzhang(
        *("sign", "points.claimed", "member/m-1", "rulebook=rules", "version=1.0.0", "item=C-1"),
        *("quantity=1.5", "act_date=2026-01-10", f"reason={COMMITMENT}"),
        *("covers=2026-01-31,2026-02-28", f"evidence=photo:{COMMITMENT}"),
        *(f"evidence=signed_slip:{COMMITMENT}", *words),
    )
    assert claim.returncode == 0, claim.stderr
    body = parse_envelope(claim.stdout.encode().strip()).body
    assert body["quantity"] == 150
    assert body["covers"] == ["2026-01-31", "2026-02-28"]
    assert [each["kind"] for each in body["evidence"]] == ["photo", "signed_slip"]

    corrected = mingzhang(
        *("sign", "points.corrected", "member/m-1", f"reverses={claim_id(claim.stdout)}"),
        *("path=full", f"reason={COMMITMENT}", "replacement.type=points.awarded"),
        *("replacement.rulebook=rules", "replacement.version=1.0.0", "replacement.item=C-1"),
        *("replacement.points=1.25", "replacement.act_date=2026-01-10"),
        *(f"replacement.reason={COMMITMENT}", f"replacement.evidence=photo:{COMMITMENT}", *words),
    )
    assert corrected.returncode == 0, corrected.stderr
    body = parse_envelope(corrected.stdout.encode().strip()).body
    assert body["replacement"]["points"] == 125
    assert body["replacement"]["evidence"] == [{"kind": "photo", "commitment": COMMITMENT}]

    policy = mingzhang("sign", "policy.adopted", "unit/east", "short_path=false", *words)
    assert parse_envelope(policy.stdout.encode().strip()).body == {"short_path": False}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("colour=red", "colour is no member of it, which has: rulebook, version"),
        ("colour", "NAME=VALUE"),
        ("points=2.505", "more than two decimals"),
        ("reason=because", "mingzhang commit"),
        ("evidence=photo", "KIND:@FILE"),
        ("item=C-1", '"reason" is a required property'),
    ],
)
def test_a_word_that_fits_nothing_is_told_by_name(tmp_path: Path, word: str, said: str) -> None:
    key = tmp_path / "ann.key"
    keyfile.save(key, key_of("ann"), None)
    result = mingzhang(
        *("sign", "points.claimed", "member/m-1", "rulebook=rules", "version=1.0.0"),
        *("act_date=2026-01-10", word, "--actor", "ann", "--log", ORIGIN, "--key", key),
    )
    assert result.returncode in (1, 2)
    assert said in result.stderr


@pytest.mark.timeout(300)
def test_registrars_make_the_service_actor_and_then_terms_lapse(
    tmp_path: Path, database_url: str
) -> None:
    desk = Desk(tmp_path, database_url, claimed=True)
    assert desk.run("clerk", "--once") == "0 terms lapsed\n", "the key is not registered yet"
    prepared = tmp_path / "service-key.json"
    shown = desk.run("key", "service", "--registrar", "reg-1", "--out", prepared)
    assert f"mingzhang cosign {prepared}" in shown
    cosigned = mingzhang("cosign", prepared, "--key", desk.key("reg-1"))
    assert cosigned.returncode == 0
    desk.run("submit", prepared)
    desk.run("record", "role.granted", "actor/service", "role=service", "unit=root", by="reg-1")
    assert desk.run("clerk", "--once") == "1 terms lapsed\n"
    assert desk.run("clerk", "--once") == "0 terms lapsed\n"
