"""Fault 13: an old backup, a machine rolled back with its anchor, a cloned machine."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.cli.doctor import look
from api.witnessing import open_witnessing
from ledger.domain.organisation import Recovery
from ledger.entry import new_id, parse_entry, parse_envelope
from ledger.errors import StartRefusedError, StoppedError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import VerifierKey
from ledger.store.ledger import POLICY_FILE, Ledger, Options, keep_policy, read_policy
from ledger.store.publish import export
from ledger.verify.whole import verify_log
from tests.support.organisation import Organisation
from tests.support.processes import await_that, award_now, found, rounds, verify_export
from tests.support.server import Server, environment, mingzhang
from tests.support.witnesses import policy_of, running

PEOPLE = ("reg-1", "reg-2")


class Site:
    """A ledger with one witness, and copies of its folder and database."""

    def __init__(self, folder: Path, server: str, url: str, stack: ExitStack) -> None:
        self.folder, self.server, self.url, self.stack = folder, server, url, stack
        self.data = folder / "data"
        self.vkey: VerifierKey = found(self.data, url)

    def witnessed_by(self, *urls: str, quorum: int = 1) -> None:
        keep_policy(self.data, policy_of(dict(enumerate(urls, 1)), quorum))

    def copy(self, name: str) -> tuple[Path, str]:
        """Copy folder and database as they are now."""
        database = f"test_{uuid4().hex}"
        original = conninfo_to_dict(self.url)["dbname"]
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database} TEMPLATE {original}".encode())
        self.stack.callback(self._drop, database)
        shutil.copytree(self.data, self.folder / name)
        return self.folder / name, make_conninfo(self.server, dbname=database)

    def _drop(self, database: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())

    def go_on(self, data: Path, url: str, awards: int = 3) -> None:
        """Start, record, have it witnessed, and end."""
        with Ledger.open(data, url=url) as ledger:
            for _ in range(awards):
                ledger.append(award_now())
            settle(ledger)


def settle(ledger: Ledger) -> None:
    """Wait until the newest note is recorded, and run one round."""
    await_that(lambda: ledger.recorded() == ledger.signed())
    witnessing = open_witnessing(ledger, None)
    assert witnessing is not None
    with closing(witnessing):
        witnessing.round()


@pytest.fixture
def site(tmp_path: Path, postgres: str, database_url: str) -> Iterator[Site]:
    with ExitStack() as stack:
        made = Site(tmp_path, postgres, database_url, stack)
        made.witnessed_by(stack.enter_context(running(1, made.vkey, tmp_path)))
        yield made


def refusal(data: Path, url: str, **options: Any) -> str:
    with pytest.raises(StartRefusedError) as raised:
        Ledger.open(data, url=url, options=Options(**options))
    return raised.value.message


def test_an_old_backup_is_refused_by_the_anchor(site: Site) -> None:
    _, backup = site.copy("then")
    site.go_on(site.data, site.url)
    assert "the anchor was signed at size" in refusal(site.data, backup)


def test_a_machine_rolled_back_with_its_anchor_is_refused_by_the_witness(site: Site) -> None:
    site.go_on(site.data, site.url, 1)
    then = site.copy("then")
    site.go_on(site.data, site.url)
    before = notes(then[1])
    assert "witness w1 contradicts this ledger: it cosigned" in refusal(*then)
    assert notes(then[1]) == before


def test_a_machine_rolled_back_to_before_everything_is_refused_too(site: Site) -> None:
    site.go_on(site.data, site.url, 1)
    with psycopg.connect(site.server, autocommit=True) as connection:
        empty = f"test_{uuid4().hex}"
        connection.execute(f"CREATE DATABASE {empty}".encode())
    site.stack.callback(site._drop, empty)
    (site.data / "anchor").unlink()
    said = refusal(site.data, make_conninfo(site.server, dbname=empty))
    assert "witness w1 contradicts" in said


def test_nothing_is_signed_before_a_witness_answered(site: Site) -> None:
    site.witnessed_by("http://127.0.0.1:9")
    before = notes(site.url)
    assert "no witness answered" in refusal(site.data, site.url)
    assert notes(site.url) == before


def test_one_witness_of_three_is_enough_to_start(site: Site, tmp_path: Path) -> None:
    third = site.stack.enter_context(running(3, site.vkey, tmp_path))
    site.witnessed_by("http://127.0.0.1:9", "http://127.0.0.1:9", third, quorum=2)
    with Ledger.open(site.data, url=site.url) as ledger:
        ledger.append(award_now())


def test_a_clone_that_runs_beside_the_original_stops_at_its_witness(site: Site) -> None:
    copied = site.copy("clone")
    with (
        Ledger.open(*copied[:1], url=copied[1]) as clone,
        Ledger.open(site.data, url=site.url) as original,
    ):
        original.append(award_now())
        settle(original)
        clone.append(award_now())
        settle(clone)
        with pytest.raises(StoppedError, match=r"witnesses object.*w1"):
            clone.append(award_now())
        original.append(award_now())
        settle(original)
        original.append(award_now())
    assert "witness w1 contradicts" in refusal(*copied)


def test_a_clone_that_was_started_later_is_refused(site: Site) -> None:
    copied = site.copy("clone")
    site.go_on(site.data, site.url)
    with Ledger.open(site.data, url=site.url) as original:
        assert "witness w1 contradicts" in refusal(*copied)
        original.append(award_now())


@pytest.mark.parametrize("seed", range(rounds(10)))
def test_a_copy_of_a_random_moment_never_forks_what_was_witnessed(site: Site, seed: int) -> None:
    """An old backup, a machine put back with its anchor, or a clone, copied at a drawn moment."""
    draw = random.Random(seed)
    kind = draw.choice(["backup", "rolled back", "clone beside"])
    before, after = draw.randint(0, 4), draw.randint(1, 4)
    print(f"seed {seed}: {kind}, copied after {before} awards, {after} more in the original")
    site.go_on(site.data, site.url, before)
    data, url = site.copy("then")
    if kind == "clone beside":
        with Ledger.open(data, url=url) as clone, Ledger.open(site.data, url=site.url) as original:
            for _ in range(after):
                original.append(award_now())
            settle(original)
            for _ in range(draw.randint(1, 4)):
                clone.append(award_now())
            settle(clone)
            with pytest.raises(StoppedError, match="witnesses object"):
                clone.append(award_now())
            original.append(award_now())
        assert "contradicts" in refusal(data, url)
    else:
        site.go_on(site.data, site.url, after)
        kept = notes(url)
        folder = site.data if kind == "backup" else data
        said = refusal(folder, url)
        assert ("the anchor was signed" if kind == "backup" else "contradicts") in said
        assert notes(url) == kept, "nothing was signed"
    # The original was never held up, and its witness goes on with it.
    site.go_on(site.data, site.url, 1)


def test_a_clock_that_no_witness_agrees_with_is_refused_and_stops(
    site: Site, tmp_path: Path
) -> None:
    late = site.stack.enter_context(running(2, site.vkey, tmp_path, lambda: time.time() + 86_400))
    keep_policy(site.data, policy_of({2: late}, 1))
    before = notes(site.url)
    assert "clock is -86400 s ahead" in refusal(site.data, site.url).replace("86399", "86400")
    assert notes(site.url) == before
    (site.data / "policy").unlink()
    with Ledger.open(site.data, url=site.url) as ledger:
        keep_policy(site.data, policy_of({2: late}, 1))
        ledger.policy = read_policy(site.data)
        settle(ledger)
        with pytest.raises(StoppedError, match="its clock is"):
            ledger.append(award_now())


# -- a deliberate recovery ------------------------------------------------------------------------


def rolled_back(site: Site) -> tuple[Path, str, int, int]:
    """Return folder and URL of a rolled-back machine, the size that was seen, and its own."""
    then = site.copy("then")
    with Ledger.open(then[0], url=then[1], options=Options(append=False)) as ledger:
        own = ledger.size()
    site.go_on(site.data, site.url)
    with Ledger.open(site.data, url=site.url, options=Options(append=False)) as ledger:
        return *then, ledger.size(), own


def statement(
    seen: int, own: int, root: str = "0" * 64, signers: tuple[str, ...] = PEOPLE
) -> bytes:
    now = datetime.now(UTC)
    body = {"from_size": seen, "from_root": root, "to_size": own, "cause": "rollback"}
    return Organisation(start=now).statement(
        "ledger.recovered",
        "ledger/root",
        signers[0],
        body,
        also=signers[1:],
        ident=new_id(now, os.urandom(10)),
    )


def test_a_recovery_is_a_signed_and_visible_entry(site: Site, tmp_path: Path) -> None:
    data, url, seen, own = rolled_back(site)
    envelope = statement(seen, own)
    with Ledger.open(data, url=url, options=Options(recovery=envelope)) as ledger:
        entry = parse_entry(ledger.entry(own))
        assert entry.statement.payload == parse_envelope(envelope).payload
        ledger.append(award_now())
    # From then on it starts as any other, and the witness's word of the old history is known.
    for awards in (1, 8):
        with Ledger.open(data, url=url) as ledger:
            for _ in range(awards):
                ledger.append(award_now())
            settle(ledger)
            ledger.append(award_now())
    assert any("gave up" in each.what for each in findings(data, url))
    verify_export(data, url, tmp_path / "export")
    report = verify_log(str(tmp_path / "export"), site.vkey)
    assert report.recoveries == (Recovery(own, seen, own, "rollback"),)
    told = f"entry {own}: a history of {seen} entries was signed before"
    assert any(told in line for line in report.lines())
    env = environment(url)
    assert told in mingzhang("status", "--data", data, env=env).stdout
    with Server(data, env, tmp_path / "serve.log") as server:
        front = server.get("/", headers={"accept-language": "en"}).text
    assert f"A history was given up: {seen} entries had been signed" in front
    assert f"/v1/entries/{own}" in front


def test_the_anchor_that_was_given_up_is_kept(site: Site, tmp_path: Path) -> None:
    _, backup = site.copy("then")
    with Ledger.open(site.data, url=backup, options=Options(append=False)) as ledger:
        own = ledger.size()
    site.go_on(site.data, site.url)
    (site.data / "policy").unlink()
    note = (site.data / "anchor").read_bytes()
    with Ledger.open(site.data, url=site.url, options=Options(append=False)) as ledger:
        newest = open_checkpoint(ledger.signed()[1], site.vkey)
    wrong = statement(newest.size, own, "ab" * 32)
    assert "from_root is not the root" in refusal(site.data, backup, recovery=wrong)
    right = statement(newest.size, own, newest.root.hex())
    with Ledger.open(site.data, url=backup, options=Options(recovery=right)) as ledger:
        ledger.append(award_now())
    assert (site.data / f"anchor.given-up-{newest.size}").read_bytes() == note
    with Ledger.open(site.data, url=backup) as ledger:
        ledger.append(award_now())


def test_a_crash_after_the_statement_was_recorded_is_gone_through_again(site: Site) -> None:
    from ledger.store import ledger as module

    data, url, seen, own = rolled_back(site)
    envelope = statement(seen, own)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "lay_aside", die)
        with pytest.raises(KeyboardInterrupt):
            Ledger.open(data, url=url, options=Options(recovery=envelope))
    with Ledger.open(data, url=url, options=Options(recovery=envelope)) as ledger:
        assert ledger.size() == own + 1
        ledger.append(award_now())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"seen": 1}, "gives up size"),
        ({"own": -1}, "goes on from"),
        ({"signers": ("reg-1",)}, "two registrars over root must sign"),
        ({"signers": ("rec-1", "com-1")}, "is no registrar"),
    ],
)
def test_a_statement_that_does_not_fit_leaves_the_start_refused(
    site: Site, given: dict[str, Any], reason: str
) -> None:
    data, url, seen, own = rolled_back(site)
    envelope = statement(
        seen + given.get("seen", 0), own + given.get("own", 0), signers=given.get("signers", PEOPLE)
    )
    before = notes(url)
    assert reason in refusal(data, url, recovery=envelope)
    assert notes(url) == before
    assert "contradicts" in refusal(data, url)


def test_a_recovery_where_nothing_is_wrong_is_refused(site: Site) -> None:
    said = refusal(site.data, site.url, recovery=statement(99, 5))
    assert "start it without --recovery" in said


def test_the_doctor_says_what_is_wrong_and_what_to_do(site: Site) -> None:
    assert all(each.level != "wrong" for each in findings(site.data, site.url))
    data, url, seen, own = rolled_back(site)
    said = findings(data, url)
    wrong = [each for each in said if each.level == "wrong"]
    assert any(f"witness w1: it cosigned {seen} entries" in each.what for each in wrong)
    assert f'"from_size":{seen}' in wrong[-1].advice
    assert f'"to_size":{own}' in wrong[-1].advice
    ahead = [each for each in findings(site.data, url) if each.level == "wrong"]
    assert any(f"the anchor has seen size {seen}" in each.what for each in ahead)


def test_the_doctor_says_when_another_policy_is_served_than_the_log_adopted(site: Site) -> None:
    def said() -> list[Any]:
        return [each for each in findings(site.data, site.url) if "adopted" in each.what]

    assert said() == [], "no entry adopted one"
    served = (site.data / POLICY_FILE).read_bytes()
    other = served + b"\n"
    with Ledger.open(site.data, url=site.url) as ledger:
        ledger.append(adoption(other))
        settle(ledger)
    (found,) = said()
    assert found.level == "warning"
    assert hashlib.sha256(other).hexdigest() in found.what
    assert f"policy={hashlib.sha256(served).hexdigest()}" in found.advice
    assert f"--data {site.data} --policy" in found.advice
    # Either way out of the two that it names is one.
    keep_policy(site.data, other)
    assert [each.level for each in said()] == ["ok"]
    keep_policy(site.data, served)
    with Ledger.open(site.data, url=site.url) as ledger:
        ledger.append(adoption(served))
        settle(ledger)
    assert [each.level for each in said()] == ["ok"]
    (site.data / POLICY_FILE).unlink()
    (found,) = said()
    assert f"there is no {site.data / POLICY_FILE}" in found.what
    assert "sign" not in found.advice


def adoption(policy: bytes) -> bytes:
    """Return the statement of two registrars that a policy of witnesses is adopted."""
    now = datetime.now(UTC)
    return Organisation(start=now).statement(
        "witnesses.adopted",
        "ledger/root",
        PEOPLE[0],
        {"policy": hashlib.sha256(policy).hexdigest()},
        also=PEOPLE[1:],
        ident=new_id(now, os.urandom(10)),
    )


def findings(data: Path, url: str) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINGZHANG_DATABASE_URL", url)
        return list(look(data))


def notes(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT size FROM mingzhang.checkpoint ORDER BY 1").fetchall()


def test_an_export_carries_the_cosignatures_and_verifies_with_the_policy(
    site: Site, tmp_path: Path
) -> None:
    site.go_on(site.data, site.url)
    policy = read_policy(site.data)
    with Ledger.open(site.data, url=site.url, options=Options(append=False)) as ledger:
        export(ledger, tmp_path / "out", site.vkey)
    report = verify_log(str(tmp_path / "out"), site.vkey, policy=policy)
    assert report.ok, report.lines()
    with Ledger.open(site.data, url=site.url) as ledger:
        ledger.append(award_now())
    with Ledger.open(site.data, url=site.url, options=Options(append=False)) as ledger:
        export(ledger, tmp_path / "out", site.vkey)
    waiting = verify_log(str(tmp_path / "out"), site.vkey, policy=policy)
    assert not waiting.ok
    assert waiting.failure is None
    assert waiting.lines()[-1].startswith("WAITING")
    assert verify_log(str(tmp_path / "out"), site.vkey).ok
