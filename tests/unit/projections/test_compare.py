"""What was published against what the log gives: roots, leaves, tables and statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner

from api.cli.audit import register
from api.cli.console import CommandError
from api.views import ranking_json, statement_json
from ledger.errors import MingzhangError
from ledger.state import MEMBERS, RANKING, MemberLeaf
from projections import rankings, statements
from projections.asof import Wanted
from projections.commitments import State
from projections.compare import compare
from projections.dossier import STATEMENTS
from projections.explain import ADDED, LEFT_OUT, TWICE, UNCORRECTED
from projections.period import parse_period
from projections.replay import replay
from projections.scores import RANKINGS
from projections.sealed import Wish, states
from tests.support.chronicle import PAIR, item
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP
from tests.support.static_log import LOG_SIGNER
from tests.support.watched import Watched

STREAM, TABLE_DAY = "period/q1", "2026-04-01"
ITEMS = [item("C-1"), item("K-1", points=100, cap={"per": "quarter", "points": 150})]
VKEY = LOG_SIGNER.vkey


class Sealed(Watched):
    """A quarter of three members that is published and about to be sealed."""

    def __init__(self, before_cut_off: Callable[[Sealed], None] = lambda log: None) -> None:
        super().__init__(
            items=ITEMS,
            merit={"base": 1000},
            policy={"entry_cutoff_day": 25, "publicity_working_days": 5},
        )
        span = {"start": "2026-01-01", "end": "2026-03-31"}
        opened = {"unit": "east", "rulebook": "rules", "kind": "quarter"} | span
        self.say("period.opened", STREAM, opened, PAIR[:1])
        self.first = self.direct("rec-1", "east-com-1", item="K-1", act_date="2026-01-10")
        self.second = self.direct("rec-1", "east-com-1", item="K-1", act_date="2026-01-11")
        self.plain = self.direct("rec-1", "east-com-1", act_date="2026-01-12")
        self.other = self.direct("rec-1", "east-com-1", member="m-5", act_date="2026-01-12")
        before_cut_off(self)
        self.say("period.cut_off", STREAM, {}, PAIR[:1], "2026-03-26")
        self.size = len(self.ids)
        self.say("period.published", STREAM, {"as_of": self.size}, PAIR, TABLE_DAY)

    def honest(self, folder: Path) -> State:
        """Return the state of the published table, from the log as it stands."""
        self.write(folder)
        wish = Wish("q1", self.size)
        return states(str(folder), VKEY, wishes=[wish]).found[wish]

    def seal(self, body: dict[str, Any]) -> int:
        """Let two insiders seal a root; return the entry's index."""
        return self.index(self.say("state.sealed", STREAM, body, PAIR, TABLE_DAY))


@pytest.fixture
def log() -> Sealed:
    return Sealed()


def invoke(*words: object) -> tuple[int, str]:
    """Return the exit status of `mingzhang audit compare` and what it says."""
    app = typer.Typer()
    register(app)
    told = ["audit", "compare", *(str(word) for word in words), "--vkey", VKEY.text]
    result = CliRunner().invoke(app, told)
    if isinstance(result.exception, MingzhangError):
        raise result.exception
    return result.exit_code, result.stdout


def test_honest_roots_and_files_are_what_the_log_gives(log: Sealed, tmp_path: Path) -> None:
    state = log.honest(tmp_path / "before")
    assert [(p.rank, p.member, p.score) for p in state.ranking[:2]] == [
        (1, "m-2", 1250), (2, "m-5", 1100)
    ]  # fmt: skip
    for tree in (MEMBERS, RANKING):
        log.seal(state.body(tree))
        (tmp_path / tree).write_bytes(state.document(tree))
    log.write(tmp_path / "log")
    files = [word for tree in (MEMBERS, RANKING) for word in ("--published", tmp_path / tree)]
    status, said = invoke(tmp_path / "log", *files)
    assert status == 0, said
    assert said.splitlines()[-1] == "OK          2 seals and 2 files are what the log gives"


def test_a_false_root_of_two_insiders_is_named_with_both(log: Sealed, tmp_path: Path) -> None:
    state = log.honest(tmp_path / "before")
    log.seal(state.body(MEMBERS))
    index = log.seal(state.body(RANKING) | {"root": "ab" * 32})
    log.write(tmp_path / "log")
    status, said = invoke(tmp_path / "log")
    assert status == 1
    assert f"WRONG: entry {index}, the ranking tree of period q1" in said
    assert "root not as the log gives; signed by east-com-1, east-sec" in said
    assert f"the log gives 6 leaves, root {state.body(RANKING)['root']}" in said
    assert said.splitlines()[-1].startswith("WRONG       1 of 2 seals")
    status, said = invoke(tmp_path / "log", "--json")
    found = orjson.loads(said)
    assert (status, found["ok"], [bool(e["wrong"]) for e in found["seals"]]) == (
        1, False, [False, True]
    )  # fmt: skip


@pytest.mark.parametrize("changed", [{"count": 5}, {"count": 7}])
def test_a_false_count_is_found(log: Sealed, tmp_path: Path, changed: dict[str, Any]) -> None:
    log.seal(log.honest(tmp_path / "before").body(MEMBERS) | changed)
    log.write(tmp_path / "log")
    (seal,) = compare(str(tmp_path / "log"), VKEY).seals
    assert seal.wrong == "count not as the log gives"


def test_what_comes_after_the_size_of_a_seal_does_not_make_it_wrong(
    log: Sealed, tmp_path: Path
) -> None:
    state = log.honest(tmp_path / "before")
    log.direct("rec-1", "east-com-1", act_date="2026-02-01", day=TABLE_DAY)
    log.seal(state.body(MEMBERS))
    log.write(tmp_path / "log")
    assert compare(str(tmp_path / "log"), VKEY).ok


def test_published_leaves_name_the_member_and_the_entry_that_was_left_out(
    log: Sealed, tmp_path: Path
) -> None:
    """The second act of a capped item is hidden: the first one then counts in its place."""
    state = log.honest(tmp_path / "log")
    leaves = [replace(each, merit=1200) if each.member == "m-2" else each for each in state.members]
    false = replace(state, members=tuple(leaves))
    (file,) = compare(str(tmp_path / "log"), VKEY, [("f", false.document(MEMBERS))]).files
    (one,) = file.differences
    assert (one.member, one.explained) == ("m-2", "merit")
    assert one.log is not None
    assert one.published is not None
    assert (one.log["merit"], one.published["merit"]) == (1250, 1200)
    assert one.why is not None
    causes = {(each.how, each.entry) for each in one.why.causes}
    assert causes == {(LEFT_OUT, log.first), (LEFT_OUT, log.second)}
    (change,) = next(e for e in one.why.causes if e.entry == log.second).changes
    assert change.log is not None
    assert (change.log.worth, change.log.counted) == (100, 50)
    assert change.log.clipped[0][1] == 50
    assert change.published is None
    first = next(each for each in one.why.causes if each.entry == log.first)
    both = {each.entry: each for each in first.changes}
    alone = both[log.second].published
    assert alone is not None
    assert alone.clipped == (), "nothing clips it where the other is not"


def corrected(log: Sealed) -> None:
    body = {"reverses": log.other, "reason": COMMITMENT}
    log.put("points.corrected", "member/m-5", body, "rec-1", "east-com-1")


def pending(log: Sealed) -> None:
    log.claim("rec-1", member="m-5", evidence=SLIP)


@pytest.mark.parametrize(
    ("before", "log_says", "published", "hows"),
    [
        (lambda log: None, 1100, 1200, {TWICE}),
        (pending, 1100, 1200, {TWICE, ADDED}),
        (corrected, 1000, 1100, {UNCORRECTED, ADDED}),
        (lambda log: None, 1100, 1234, set()),
    ],
)
def test_each_way_to_a_false_figure_is_told_with_its_entry(
    tmp_path: Path,
    before: Callable[[Sealed], None],
    log_says: int,
    published: int,
    hows: set[str],
) -> None:
    log = Sealed(before)
    state = log.honest(tmp_path / "log")
    assert {e.member: e.merit for e in state.members}["m-5"] == log_says
    leaves = [
        replace(each, merit=published) if each.member == "m-5" else each for each in state.members
    ]
    false = replace(state, members=tuple(leaves)).document(MEMBERS)
    (one,) = compare(str(tmp_path / "log"), VKEY, [("f", false)]).files[0].differences
    assert one.why is not None
    assert one.why.log == log_says
    assert {each.how for each in one.why.causes} == hows
    assert len(one.why.causes) == len(hows)


def test_a_member_left_out_of_leaves_or_put_in_is_named(log: Sealed, tmp_path: Path) -> None:
    state = log.honest(tmp_path / "log")
    ghost = MemberLeaf("m-zz", 1, "ab" * 32, "east", "q1", 5000)
    leaves = (*(each for each in state.members if each.member != "m-5"), ghost)
    false = replace(state, members=leaves)
    status, said = invoke_with(tmp_path, false.document(MEMBERS))
    assert status == 1
    lines = said.splitlines()
    assert lines[lines.index("  m-5") + 1] == "    published 无 none"
    assert lines[lines.index("  m-zz") + 2] == "    log       无 none"


def invoke_with(tmp_path: Path, data: bytes) -> tuple[int, str]:
    (tmp_path / "file").write_bytes(data)
    return invoke(tmp_path / "log", "--published", tmp_path / "file")


def test_a_published_table_is_compared_place_by_place(log: Sealed, tmp_path: Path) -> None:
    log.write(tmp_path / "log")
    found = replay(str(tmp_path / "log"), RANKINGS, VKEY, as_of=Wanted(size=log.size))
    table = rankings.from_rows(found.rows, found.as_of, "east", parse_period("2026-Q1"))
    honest = ranking_json(table, 1_000)
    assert invoke_with(tmp_path, orjson.dumps(honest))[0] == 0
    first, second = honest["standings"][:2]
    first["score"], second["score"] = 1150, 1150
    page = {**honest, "standings": honest["standings"][:2], "next": "more"}
    status, said = invoke_with(tmp_path, orjson.dumps(page))
    assert status == 1
    assert "published position 1, rank 1, unit east, score 11.5" in said
    assert f"the published score, with entry {log.plain} 未计入 as if it did not count:" in said
    assert f"with entry {log.other}" not in said
    assert "no single entry explains the published score" in said
    honest["standings"] = honest["standings"][2:]
    said = invoke_with(tmp_path, orjson.dumps(honest))[1]
    assert said.count("    published 无 none") == 2, "who is not in the table is named"


def test_a_published_statement_is_compared_entry_by_entry(log: Sealed, tmp_path: Path) -> None:
    log.write(tmp_path / "log")
    found = replay(str(tmp_path / "log"), STATEMENTS, VKEY, as_of=Wanted(size=log.size))
    honest = statement_json(statements.from_rows(found.rows, found.as_of, "m-2"))
    assert invoke_with(tmp_path, orjson.dumps(honest))[0] == 0
    entry = next(each for each in honest["entries"] if each["id"] == log.second)
    entry |= {"counted": 100, "clipped": []}
    gone = next(each for each in honest["entries"] if each["id"] == log.plain)
    honest["entries"].remove(gone)
    status, said = invoke_with(tmp_path, orjson.dumps(honest))
    assert status == 1
    lines = said.splitlines()
    at = lines.index(f"    entry {log.second}")
    assert lines[at + 1] == "      published 分值 worth +1, 计入 counted +1"
    assert lines[at + 2].startswith("      log       分值 worth +1, 计入 counted +0.5, ")
    at = lines.index(f"    entry {log.plain}")
    assert lines[at + 1] == "      published 不计 does not count"


def test_a_ranking_tree_in_another_order_is_no_tree_of_the_log(log: Sealed, tmp_path: Path) -> None:
    state = log.honest(tmp_path / "log")
    one, two, *rest = state.ranking
    swapped = (replace(two, position=0, rank=1), replace(one, position=1, rank=2), *rest)
    false = replace(state, ranking=swapped)
    (file,) = compare(str(tmp_path / "log"), VKEY, [("f", false.document(RANKING))]).files
    assert {each.member for each in file.differences} == {one.member, two.member}


@pytest.mark.parametrize(
    "data",
    [b"no JSON", b"[]", b'{"standings":[]}', b'{"leaves":[]}', b'{"entries":[{}]}'],
)
def test_a_file_that_cannot_be_compared_is_wrong_use(
    log: Sealed, tmp_path: Path, data: bytes
) -> None:
    log.write(tmp_path / "log")
    with pytest.raises(CommandError) as caught:
        invoke_with(tmp_path, data)
    assert caught.value.status >= 500, "exit status 2"
