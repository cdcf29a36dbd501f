"""Keys outlive the phone (verification.md 8): a second holder, and the way back after a loss."""

from __future__ import annotations

import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger import keyfile
from ledger.entry import parse_envelope
from ledger.store.ledger import Ledger, initialise
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation, key_of
from tests.support.server import environment, mingzhang

PASSPHRASE = environment(MINGZHANG_PASSPHRASE="correct horse")


class Site:
    """A ledger; the recorder's key on a phone, the registrar's elsewhere, and a queue."""

    def __init__(self, folder: Path, url: str) -> None:
        self.data, self.env = folder / "data", environment(url)
        self.phone, self.stick, self.queue = folder / "phone", folder / "stick", folder / "queue"
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
        self.people = Organisation(start=start)
        initialise(self.data, ORIGIN)
        clock = SteadyClock(start)
        with Ledger.open(self.data, url=url, clock=clock) as ledger:
            set_up(ledger, self.people, clock)
        keyfile.save(folder / "reg-1.key", key_of("reg-1"), None)
        self.registrar = folder / "reg-1.key"
        self.queue.mkdir()
        for name in ("1.json", "2.json"):
            (self.queue / name).write_bytes(self.people.award("m-2") + b"\n")

    @property
    def queued(self) -> list[Path]:
        return sorted(self.queue.iterdir())

    def submit(self, *files: Path) -> tuple[int, str, str]:
        done = mingzhang("submit", *files, "--data", self.data, env=self.env)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Site:
    return Site(tmp_path, database_url)


def test_v08_no_key_is_made_without_a_second_holder(tmp_path: Path) -> None:
    file = tmp_path / "phone" / "ann.key"
    alone = mingzhang("key", "new", file, "--no-passphrase")
    assert alone.returncode == 2
    assert "a key needs a second holder" in alone.stderr
    assert not file.exists()
    beside = mingzhang("key", "new", file, "--copy", file.with_name("copy"), env=PASSPHRASE)
    assert beside.returncode == 2
    assert "is lost with it" in beside.stderr
    sm2 = mingzhang("key", "new", file, "--copy", tmp_path / "c", "--suite", "sm2", env=PASSPHRASE)
    assert sm2.returncode == 2
    assert not file.exists()
    taken = tmp_path / "stick" / "taken"
    taken.parent.mkdir()
    taken.write_text("another key")
    assert mingzhang("key", "new", file, "--copy", taken, env=PASSPHRASE).returncode == 2
    assert not file.exists()


def test_v08_the_copy_is_encrypted_and_is_the_same_key(tmp_path: Path) -> None:
    file, copy = tmp_path / "phone" / "ann.key", tmp_path / "stick" / "ann.key"
    words = ("key", "new", file, "--copy", copy, "--no-passphrase")
    unsaid = mingzhang(*words)
    assert unsaid.returncode == 2, "the copy has a passphrase, whatever the key has"
    assert not copy.exists()
    made = mingzhang(*words, env=PASSPHRASE)
    assert made.returncode == 0, made.stderr
    assert copy.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert keyfile.load(copy, b"correct horse").keyid == keyfile.load(file).keyid


def test_v08_a_wiped_phone_with_a_copy_goes_on_at_once(site: Site) -> None:
    """The queue, signed before, is as good as it was."""
    site.stick.mkdir()
    keyfile.save(site.stick / "rec-1.key", key_of("rec-1"), b"correct horse")
    shown = mingzhang("key", "show", site.stick / "rec-1.key", env=PASSPHRASE)
    assert key_of("rec-1").keyid in shown.stdout
    status, told, errors = site.submit(*site.queued)
    assert status == 0, errors
    assert told.count("points.awarded") == 2


def test_v08_a_wiped_phone_without_a_copy_works_again_in_minutes_and_loses_nothing(
    site: Site,
) -> None:
    """The registrar registers a new key, the old one is revoked, what waited is signed again."""
    start_s = time.monotonic()
    lost = key_of("rec-1").keyid
    before = [parse_envelope(each.read_bytes()[:-1]) for each in site.queued]
    new, out = site.phone / "rec-1-b.key", site.phone / "out"
    # On the wiped phone.
    made = mingzhang(
        *("key", "replace", lost, new, "--log", ORIGIN, "--actor", "rec-1"),
        *("--registrar", "reg-1", "--out-dir", out, "--copy", site.stick / "rec-1-b.key"),
        "--no-passphrase",
        env=PASSPHRASE,
    )
    assert made.returncode == 0, made.stderr
    registered, revoked = sorted(out.iterdir())
    assert site.submit(registered)[0] == 1, "nobody registers a key for an actor alone"
    # Where the registrar's key is.
    assert mingzhang("cosign", registered, "--key", site.registrar).returncode == 0
    status, _, errors = site.submit(registered, revoked)
    assert status == 0, errors
    status, _, errors = site.submit(*site.queued)
    assert status == 1
    assert errors.count("[key-revoked]") == 2, (
        "the old key counts no more, whoever has the phone now"
    )
    # On the phone again.
    for file in site.queued:
        signed = mingzhang("cosign", file, "--key", new, "--instead-of", lost)
        assert signed.returncode == 0, signed.stderr
    status, told, errors = site.submit(*site.queued)
    assert status == 0, errors
    assert [line.split()[3] for line in told.splitlines()] == [each.id for each in before]
    assert time.monotonic() - start_s < 300


def test_a_signature_is_put_in_the_place_of_its_own_key_only(site: Site) -> None:
    file = site.queued[0]
    before = file.read_bytes()
    done = mingzhang("cosign", file, "--key", site.registrar, "--instead-of", "ab" * 32)
    assert done.returncode == 2
    assert "has not signed" in done.stderr
    assert file.read_bytes() == before
