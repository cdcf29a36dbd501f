"""A serving ledger with three witnesses, all real processes: what operators and readers see."""

from __future__ import annotations

import signal
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger import keyfile
from ledger.entry import parse_entry
from ledger.log import note, policy
from ledger.log.note import parse_signature
from ledger.store.ledger import Ledger
from tests.support.organisation import Organisation
from tests.support.processes import await_that, award_now, found
from tests.support.server import Server, environment, mingzhang
from tests.support.tsa import Tsa, TsaServer
from tests.support.witnesses import WitnessServer


class Site:
    """A founded ledger whose service key is registered, and the policy of its three witnesses."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.folder, self.data, self.url = folder, folder / "data", url
        self.env = environment(url)
        self.vkey = found(self.data, url)
        self._register_service()
        (folder / "logs").write_text(f"log {self.vkey.text}\nquorum none\n")
        lines = [f"log {self.vkey.text}"]
        self.witnesses = []
        for n in (1, 2, 3):
            key = folder / f"w{n}.key"
            vkey = mingzhang(
                "witness", "key", key, "--name", f"witness.example/w{n}"
            ).stdout.strip()
            server = WitnessServer(
                key, folder / "logs", folder / f"w{n}.log", "--data", folder / f"heads-{n}"
            )
            self.witnesses.append(stack.enter_context(server))
            lines.append(f"witness w{n} {vkey} {server.url}")
        self.policy = folder / "policy"
        self.policy.write_text("\n".join([*lines, "group g 2 w1 w2 w3", "quorum g", ""]))

    def _register_service(self) -> None:
        people = Organisation(start=datetime.now(UTC))
        people._count = 1_000
        with Ledger.open(self.data, url=self.url) as ledger:
            ledger.append(people.key("robot", keyfile.load(self.data / "service.key")))
            ledger.append(people.role("robot", "service"))

    def run(self, *words: str | Path) -> Any:
        return mingzhang(*words, env=self.env)


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, database_url, stack)


def witnessed(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/v1/witnesses").json()
    return found


def entries_of(server: Server, kind: str) -> list[Any]:
    lines = server.get("/v1/streams/ledger/root").content.splitlines()
    found = [orjson.loads(line) for line in lines]
    states = [server.get(f"/v1/entries/{each['index']}").content for each in found]
    entries = [parse_entry(each) for each in states]
    return [each for each in entries if each.statement.type == kind]


def test_a_checkpoint_is_cosigned_recorded_shown_and_verified_by_everyone(site: Site) -> None:
    env = site.env
    with ExitStack() as stack:
        assert (
            site.run("serve", "--data", site.data, "--policy", site.folder / "no").returncode == 2
        )
        (site.data / "policy").write_bytes(site.policy.read_bytes())
        server = stack.enter_context(Server(site.data, env, site.folder / "serve.log"))
        server.post(award_now())
        await_that(lambda: len(entries_of(server, "checkpoint.witnessed")) == 1)
        # That entry alone is no news: it is cosigned, and no second one comes.
        await_that(lambda: witnessed(server)["quorum"] == "met")
        shown = witnessed(server)
        assert [each["state"] for each in shown["witnesses"]].count("cosigned") >= 2
        assert shown["completed_at"] == pytest.approx(time.time(), abs=60)

        trusted = policy.parse(site.policy.read_bytes())
        checkpoint = server.get("/log/checkpoint").content
        assert policy.judge_note(trusted, checkpoint).met
        assert policy.judge_note(trusted, shown["witnessed"]["checkpoint"].encode()).met
        note.verify(checkpoint, [site.vkey])
        (entry,) = entries_of(server, "checkpoint.witnessed")
        body = entry.statement.body
        keys = [each.key for each in trusted.witnesses]
        parsed = [parse_signature(line) for line in body["cosignatures"]]
        assert {(each.name, each.key_id) for each in parsed} <= {(k.name, k.key_id) for k in keys}
        assert 0 < body["size"] < shown["size"]

        vkey = site.vkey.text
        ok = site.run("verify", "log", f"{server.url}/log", "--vkey", vkey, "--policy", site.policy)
        assert ok.returncode == 0, ok.stdout + ok.stderr
        assert "quorum      met" in ok.stdout
        receipt = site.folder / "award.tlog-proof"
        recorded = server.post(award_now())
        assert recorded.status_code == 200, recorded.text + server.log_text()[-3000:]
        receipt.write_bytes(recorded.content)
        waiting = site.run("verify", "receipt", receipt, "--vkey", vkey, "--policy", site.policy)
        assert waiting.returncode == 3
        assert "WAITING" in waiting.stdout
        assert site.run("verify", "receipt", receipt, "--vkey", vkey).returncode == 0
        await_that(lambda: witnessed(server)["quorum"] == "met")
    exported = site.folder / "exported"
    assert site.run("export", exported, "--data", site.data, "--witnessed").returncode == 0
    checked = site.run("verify", "log", exported, "--vkey", vkey, "--policy", site.policy)
    assert checked.returncode == 0, checked.stdout
    # The read models have passed over the entries about the log itself.
    assert site.run("ranking", "--unit", "root", "--period", "2026", "--data", site.data).stdout
    parked = site.run("lag", "--data", site.data)
    assert parked.returncode == 0, parked.stdout
    told = site.run("status", "--data", site.data)
    assert "quorum      met" in told.stdout, told.stdout + told.stderr
    sound = site.run("doctor", "--data", site.data)
    assert sound.returncode == 0, sound.stdout
    assert sound.stdout.count("cosigned size") == 3


def test_an_outsider_runs_the_checks_from_the_url_with_witnesses_tsa_deposit_and_refusal(
    site: Site, tmp_path: Path
) -> None:
    tsa = Tsa(tmp_path / "tsa")
    vkey, policy_file = site.vkey.text, site.policy
    (site.data / "policy").write_bytes(policy_file.read_bytes())
    with ExitStack() as stack:
        server = stack.enter_context(Server(site.data, site.env, site.folder / "serve.log"))
        stamping = stack.enter_context(TsaServer(tsa.reply))
        where = f"{server.url}/log"
        server.post(award_now())
        await_that(lambda: len(entries_of(server, "checkpoint.witnessed")) == 1)
        await_that(lambda: witnessed(server)["quorum"] == "met")
        done = site.run("timestamp", "--tsa", stamping.url, "--tsa-roots", tsa.roots,
                        "--data", site.data)  # fmt: skip
        assert done.returncode == 0, done.stderr
        whole = site.run("verify", "log", where, "--vkey", vkey, "--tsa-roots", tsa.roots)
        assert whole.returncode == 0, whole.stdout + whole.stderr
        assert "existed at" in whole.stdout

        # One that no rule allows: a stranger's key signs.
        stranger = Organisation(start=datetime.now(UTC)).statement(
            "unit.moved", "unit/east", "nobody", {"parent": "root"}
        )
        refused = server.post(stranger)
        assert refused.status_code == 422, refused.text
        (tmp_path / "no.refusal").write_bytes(b64decode(refused.json()["refusal"]))
        (tmp_path / "envelope").write_bytes(stranger)
        note_file = tmp_path / "note"
        words = ("deposit", site.witnesses[0].url, tmp_path / "envelope", "--policy", policy_file)
        shown = site.run(*words, "--out", note_file)
        assert shown.returncode == 0, shown.stderr
        assert "witness.example/w1 has seen it" in shown.stdout

        checked = site.run(
            *("audit", "checks", where, "--vkey", vkey, "--policy", policy_file),
            *("--tsa-roots", tsa.roots, "--deposit", note_file, "--cheat", "8", "--cheat", "9"),
            *("--refusal", tmp_path / "no.refusal"),
        )
        assert checked.returncode == 0, checked.stderr
        seen = [line for line in checked.stdout.splitlines() if line.startswith("seen ")]
        assert len(seen) == 2, checked.stdout
        (found,) = [line for line in checked.stdout.splitlines() if line.startswith("cheat ")]
        assert found.startswith("cheat  8"), found
        assert f"by the rule {refused.json()['rule']}, signed by the service" in found


def test_one_witness_that_is_killed_and_comes_back_catches_up(site: Site) -> None:
    (site.data / "policy").write_bytes(site.policy.read_bytes())
    with Server(site.data, site.env, site.folder / "serve.log") as server:
        await_that(lambda: witnessed(server)["quorum"] == "met")
        third = site.witnesses[2]
        third.stop(signal.SIGKILL)
        for _ in range(3):
            server.post(award_now())
        size = witnessed(server)["size"]
        await_that(lambda: witnessed(server).get("witnessed", {}).get("size", 0) >= size)
        port = third.url.rpartition(":")[2]
        again = WitnessServer(
            site.folder / "w3.key",
            site.folder / "logs",
            site.folder / "again.log",
            "--data",
            site.folder / "heads-3",
            "--bind",
            f"127.0.0.1:{port}",
        )
        with again:
            await_that(
                lambda: (
                    [each["state"] for each in witnessed(server)["witnesses"]] == ["cosigned"] * 3
                )
            )


def test_the_policy_is_kept_with_the_ledger_and_every_command_asks_its_witnesses(
    site: Site,
) -> None:
    other = site.folder / "second"
    bad = site.folder / "bad"
    bad.write_text("quorum nobody\n")
    refused = site.run("init", "--origin", "x.example/y", "--data", other, "--policy", bad)
    assert refused.returncode == 2
    assert not other.exists()
    (site.data / "policy").write_bytes(site.policy.read_bytes())
    for each in site.witnesses:
        each.stop()
    statement = site.folder / "award.json"
    statement.write_bytes(award_now())
    refused = site.run("submit", statement, "--data", site.data)
    assert refused.returncode != 0
    assert "no witness answered" in refused.stderr
    told = site.run("doctor", "--data", site.data)
    assert told.returncode == 1
    assert "no witness answered" in told.stdout
