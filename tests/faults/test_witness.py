"""Fault 19: a witness that is slow, lies, is old or absent holds nothing up and forks nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from api.witnesses import status
from api.witnessing import Witnessing
from ledger.errors import StoppedError
from ledger.log import note
from ledger.log.checkpoint import parse_body
from ledger.log.submission import Kind
from ledger.log.witness import parse_request
from ledger.store.ledger import Ledger, Options, keep_policy, read_policy
from ledger.store.witnesses import Witnesses
from ledger.verify.whole import verify_log
from tests.support.processes import await_that, award_now, found, rounds
from tests.support.witnesses import Answer, cosigner, policy_of, running, scripted

TIMEOUT_S = 0.4
ROUNDS, SEED = rounds(30), 19


class Bad:
    """The third of three witnesses: honest until a script is put in."""

    def __init__(self) -> None:
        self.script: Callable[[bytes], Answer] = honest
        self.released = threading.Event()

    def answer(self, _path: str, body: bytes) -> Answer:
        return self.script(body)


def text_of(body: bytes) -> str:
    return note.parse(parse_request(body).checkpoint).text


def honest(body: bytes) -> Answer:
    return 200, "text/plain", f"{cosigner(3).line(text_of(body), now())}\n".encode()


def now() -> int:
    import time

    return int(time.time())


def over_another_tree(body: bytes) -> Answer:
    size = parse_body(text_of(body)).size
    text = text_of(body).replace(f"\n{size}\n", f"\n{size + 1}\n")
    return 200, "text/plain", f"{cosigner(3).line(text, now())}\n".encode()


def by_another_key(body: bytes) -> Answer:
    return 200, "text/plain", f"{cosigner(9).line(text_of(body), now())}\n".encode()


def of_the_far_future(body: bytes) -> Answer:
    return 200, "text/plain", f"{cosigner(3).line(text_of(body), now() + 10**6)}\n".encode()


def older(body: bytes) -> Answer:
    """An old state: it says 409 to everything, with sizes that never fit."""
    old = parse_request(body).old
    return 409, "text/x.tlog.size", b"%d\n" % (1 if old != 1 else 2)


def other_history(body: bytes) -> Answer:
    if parse_request(body).old == 0:
        return 409, "text/x.tlog.size", b"3\n"
    return 422, "text/plain", b"no\n"


LIES: dict[str, Callable[[bytes], Answer]] = {
    "cosigns another tree": over_another_tree,
    "cosigns with another key": by_another_key,
    "cosigns in the far future": of_the_far_future,
    "never agrees on a size": older,
    "claims a larger tree": lambda _: (409, "text/x.tlog.size", b"999999999\n"),
    "claims another history": other_history,
    "names no size": lambda _: (409, "text/x.tlog.size", b"0x10\n"),
    "says what was sent": lambda b: (409, "text/plain", b"%d\n" % parse_request(b).old),
    "answers nothing": lambda _: (200, "text/plain", b""),
    "answers garbage": lambda _: (200, "text/plain", "— w \n".encode()),
    "answers without end": lambda _: (200, "text/plain", b"x" * 200_000),
    "sends elsewhere": lambda _: (302, "text/plain", b""),
    "does not know the log": lambda _: (404, "text/plain", b""),
    "trusts no key": lambda _: (403, "text/plain", b""),
    "fails": lambda _: (500, "text/plain", b""),
    "is busy": lambda _: (503, "text/plain", b""),
}


class Site:
    """A ledger with two honest witnesses and a bad one, of whom two make a quorum."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.bad = Bad()
        self.data = folder / "data"
        vkey = found(self.data, url)
        self.vkey = vkey
        urls = {n: stack.enter_context(running(n, vkey, folder)) for n in (1, 2)}
        urls[3] = stack.enter_context(scripted(self.bad.answer))
        self.urls = urls
        keep_policy(self.data, policy_of(urls, 2))
        self.ledger = stack.enter_context(Ledger.open(self.data, url=url))
        self.policy = read_policy(self.data)
        assert self.policy is not None
        witnesses = Witnesses(self.policy, TIMEOUT_S)
        self.witnessing = stack.enter_context(
            closing(Witnessing(self.ledger, self.policy, witnesses, round_s=0.0))
        )
        stack.callback(self.bad.released.set)

    def record(self) -> int:
        """Append, which must never wait, and return the recorded size."""
        self.ledger.append(award_now())
        await_that(lambda: self.ledger.recorded() == self.ledger.signed())
        return self.ledger.size()


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, database_url, stack)


def check(site: Site, size: int) -> None:
    """The quorum is met by the honest ones, and the bad one's word counts for nothing."""
    shown = status(site.ledger, site.witnessing.last_answers())
    assert shown["quorum"] == "met"
    states = {each["name"]: each["state"] for each in shown["witnesses"]}
    assert (states["w1"], states["w2"]) == ("cosigned", "cosigned")
    counted = {each.name for each in site.ledger.cosignatures.of(size)}
    assert counted >= {cosigner(1).name, cosigner(2).name}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_one_liar_of_three_holds_up_nothing_and_stops_nothing(site: Site, lie: str) -> None:
    site.bad.script = LIES[lie]
    for _ in range(2):
        size = site.record()
        site.witnessing.round()
        check(site, size)
    answer = site.witnessing.last_answers()["w3"]
    if lie == "cosigns in the far future":
        assert answer.cosignature is not None
    else:
        assert answer.cosignature is None
        assert answer.reason
        assert cosigner(3).name not in {e.name for e in site.ledger.cosignatures.of(size)}
    site.record()


def test_a_slow_witness_is_shown_as_absent_and_its_late_word_still_counts(site: Site) -> None:
    waiting = threading.Event()

    def slow(body: bytes) -> Answer:
        waiting.set()
        assert site.bad.released.wait(30)
        return honest(body)

    site.bad.script = slow
    first = site.record()
    site.witnessing.round()
    assert waiting.is_set()
    check(site, first)
    assert site.witnessing.last_answers()["w3"].kind is Kind.ABSENT
    second = site.record()
    site.witnessing.round()
    check(site, second)
    site.bad.released.set()

    def late() -> bool:
        site.record()
        site.witnessing.round()
        return cosigner(3).name in {each.name for each in site.ledger.cosignatures.of(first)}

    await_that(late)


def test_appends_go_on_and_are_published_while_no_witness_answers_at_all(
    site: Site, tmp_path: Path
) -> None:
    absent = dict.fromkeys((1, 2, 3), "http://127.0.0.1:9")
    keep_policy(site.data, policy_of(absent, 2))
    policy = read_policy(site.data)
    assert policy is not None
    with closing(Witnessing(site.ledger, policy, Witnesses(policy, TIMEOUT_S))) as witnessing:
        for _ in range(3):
            size = site.record()
            witnessing.round()
        assert parse_body(note.parse(site.ledger.checkpoint()).text).size == size
        shown = status(site.ledger, witnessing.last_answers())
    assert [each["state"] for each in shown["witnesses"]] == ["absent"] * 3
    assert shown["quorum"] == "pending"


def test_where_the_liars_leave_no_quorum_nothing_more_is_signed(
    site: Site, database_url: str
) -> None:
    with ExitStack() as stack:
        liars = {
            n: stack.enter_context(scripted(lambda _, body: other_history(body))) for n in (2, 3)
        }
        keep_policy(site.data, policy_of({1: site.urls[1]} | liars, 2))
        policy = read_policy(site.data)
        assert policy is not None
        with closing(Witnessing(site.ledger, policy, Witnesses(policy, TIMEOUT_S))) as witnessing:
            site.record()
            witnessing.round()
            with pytest.raises(StoppedError, match=r"w2: .*w3: "):
                site.ledger.append(award_now())


@pytest.mark.timeout(120 + 4 * ROUNDS)
def test_a_witness_that_changes_its_mind_all_the_time_forks_nothing(
    site: Site, tmp_path: Path, database_url: str
) -> None:
    from ledger.store.publish import export

    draw = random.Random(SEED)
    for number in range(ROUNDS):
        lie = draw.choice(["honest", *LIES])
        print(f"seed {SEED}, round {number}: {lie}")
        site.bad.script = LIES.get(lie, honest)
        for _ in range(draw.randint(1, 3)):
            size = site.record()
        site.witnessing.round()
        check(site, size)
    with Ledger.open(site.data, url=database_url, options=Options(append=False)) as reader:
        export(reader, tmp_path / "out", site.vkey)
    report = verify_log(str(tmp_path / "out"), site.vkey, policy=site.policy)
    assert report.ok, report.lines()
