"""The pages of a server without a browser: what they say where little is configured or recorded."""

from __future__ import annotations

from pathlib import Path

import httpx

from ledger.entry import parse_entry
from ledger.log import receipt
from ledger.store.ledger import Ledger, initialise
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger, set_up
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import Server, environment, mingzhang
from tests.support.waiting import wait_until

ENGLISH = {"Accept-Language": "en"}


def test_an_empty_log_has_a_page_and_a_founded_one_says_that_nobody_witnesses_it(
    tmp_path: Path, database_url: str
) -> None:
    data = tmp_path / "data"
    vkey = initialise(data, ORIGIN)
    organisation = Organisation()
    with Server(data, environment(database_url), tmp_path / "serve.log") as server:
        assert "The ledger is still empty" in server.get("/", headers=ENGLISH).text
        assert server.get("/policy").status_code == 404
    clock = SteadyClock()
    with Ledger.open(data, url=database_url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
        mine = ledger.append(organisation.award("m-2"))
    with Server(data, environment(database_url), tmp_path / "serve.log") as server:
        front = server.get("/", headers=ENGLISH).text
        assert "No quorum of witnesses is configured" in front
        assert "Rankings" not in front
        wait_until(lambda: server.get("/record/m-2").status_code == httpx.codes.OK, 60)
        record = server.get("/record/m-2", headers=ENGLISH)
        statement = parse_entry(receipt.parse(mine).entry).statement.id
        assert f'href="/v1/receipts/{statement}"' in record.text
        assert record.headers["content-security-policy"].startswith(
            "default-src 'none'; script-src"
        )
        assert server.get("/record/M%27").status_code == 422
        assert server.get("/static/0000000000000000/record.js").status_code == 404
        api = server.get("/v1/entries/0")
        assert api.headers["content-security-policy"].startswith("default-src 'none'; frame-anc")

    file = tmp_path / "mine.tlog-proof"
    file.write_bytes(mine)
    said = mingzhang("verify", file, "--vkey", vkey)
    assert (said.returncode, "member/m-2" in said.stdout) == (0, True), said.stderr
    missing = mingzhang("verify", tmp_path / "nowhere", "--vkey", vkey)
    assert missing.returncode == 2


def test_entries_of_a_type_are_read_up_to_the_signed_size(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    organisation = Organisation()
    ledger.append_batch(list(organisation.set_up()))
    found = ledger.typed(("ledger.founded", "key.registered"))
    kinds = [parse_entry(bytes(data)).statement.type for _, data in found]
    assert kinds == ["ledger.founded"] + ["key.registered"] * 5
    assert [bytes(data) for _, data in found] == [ledger.entry(index) for index, _ in found]
    later = found[2][0]
    assert ledger.typed(("key.registered",), later) == found[2:]


def test_a_long_record_is_paged_by_key_and_its_pages_join(
    tmp_path: Path, database_url: str
) -> None:
    data = tmp_path / "data"
    initialise(data, ORIGIN)
    organisation = Organisation()
    clock = SteadyClock()
    with Ledger.open(data, url=database_url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
        ledger.append_batch([organisation.award("m-2") for _ in range(60)])
    with Server(data, environment(database_url), tmp_path / "serve.log") as server:
        wait_until(lambda: server.get("/record/m-2").status_code == httpx.codes.OK, 60)
        first = server.get("/record/m-2", headers=ENGLISH).text
        assert first.count("<tbody id=") == 50
        assert 'href="/record/m-2?before=12"' in first
        second = server.get("/record/m-2?before=12", headers=ENGLISH).text
        assert second.count("<tbody id=") == 11
        assert "?before=" not in second.split("<main")[1]
