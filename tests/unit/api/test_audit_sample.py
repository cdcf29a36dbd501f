from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import canonical
from ledger.errors import FormatError, MingzhangError, ProofError
from ledger.log import receipt
from ledger.log.merkle import inclusion_proof, leaf_hash, node_hash
from ledger.verify.draw import plain, seed_of
from ledger.verify.prefix import Prefix
from tests.support.audit import VKEY, run
from tests.support.static_log import LOG_SIGNER
from tests.support.watched import Watched

AUDITOR = "aud-1"


@pytest.fixture
def log() -> Watched:
    """Thirty entries in east; two of them large, one late, some debits; and one entry in west."""
    log = Watched()
    log.give(AUDITOR, "auditor", "root")
    for number in range(30):
        more: dict[str, Any] = {"kind": "deducted", "item": "D-1"} if number % 5 == 4 else {}
        if number in (10, 20):
            more = {"item": "R-1", "points": 30_000, "quantity": 10_000}
        log.direct("rec-1", "east-com-1", member=f"m-{1 + number % 6}", day="2026-02-25",
                   act_date="2026-01-06" if number == 7 else "2026-02-20", **more)  # fmt: skip
    log.direct("rec-1", "west-com-1", member="m-7", day="2026-02-25", act_date="2026-02-20")
    return log


def ask(log: Watched, folder: Path, count: int = 5, weighting: str = "none", **query: Any) -> Path:
    """Record a query, write the log as it then is, and return the query's receipt."""
    body = {"query": query, "count": count, "weighting": weighting}
    log.say("audit.queried", "unit/east", body, (AUDITOR,), "2026-03-01")
    return receipt_of(log, folder, len(log.ids) - 1)


def receipt_of(log: Watched, folder: Path, index: int) -> Path:
    """Write the log with the entries that are there, and a receipt under its checkpoint."""
    name = folder / f"log-{len(log.ids)}"
    signed = log.write(name)
    prefix = Prefix(str(name), LOG_SIGNER.vkey)
    leaves = [leaf_hash(prefix.entry(each)) for each in range(signed.size)]

    def node(at: tuple[int, int]) -> bytes:
        level, n = at
        if level == 0:
            return leaves[n]
        return node_hash(node((level - 1, 2 * n)), node((level - 1, 2 * n + 1)))

    proof = inclusion_proof(index, signed.size, node)
    note = (name / "checkpoint").read_bytes()
    path = folder / f"{index}.tlog-proof"
    path.write_bytes(receipt.proven(prefix.entry(index), index, proof, note))
    return path


def draw(log: Watched, folder: Path, given: Path, name: str = "paper.json") -> dict[str, Any]:
    words = ("--vkey", VKEY, "--query", given, "--index-number", "A-3", "--preparer", "王")
    run("sample", folder / f"log-{len(log.ids)}", *words, "--out", folder / name)
    paper: dict[str, Any] = canonical.loads((folder / name).read_bytes().removesuffix(b"\n"))
    return paper


def test_another_auditor_recomputes_the_sample_from_the_tiles_of_a_longer_log(
    log: Watched, tmp_path: Path
) -> None:
    paper = draw(log, tmp_path, ask(log, tmp_path))
    assert paper["population"] == {"entries": 30, "weight": 30}
    assert len(paper["result"]) == 5
    head = Prefix(str(tmp_path / f"log-{len(log.ids)}"), LOG_SIGNER.vkey).newest
    expected = plain(seed_of(head), range(len(log.ids) - 32, len(log.ids) - 2), 5)
    assert [each["index"] for each in paper["result"]] == expected
    log.direct("rec-1", "east-com-1", day="2026-03-02")
    log.write(tmp_path / "longer")
    shown = run("verify-sample", tmp_path / "paper.json", tmp_path / "longer", "--vkey", VKEY)
    assert shown.splitlines()[-1].startswith("OK")
    assert "unit east, all credits and debits; 5 by none" in shown


def test_what_is_recorded_after_the_query_is_not_drawn_from(log: Watched, tmp_path: Path) -> None:
    ask(log, tmp_path)
    query = len(log.ids) - 1
    # Both came in one batch, so the first checkpoint that covers the query covers this one too.
    log.direct("rec-1", "east-com-1", member="m-5", day="2026-03-01", act_date="2026-02-20")
    paper = draw(log, tmp_path, receipt_of(log, tmp_path, query))
    assert paper["log_head"][1] == str(query + 2)
    assert paper["population"]["entries"] == 30


def test_the_query_chooses_what_is_drawn_from(log: Watched, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"kinds": ["debit"], "from": "2026-02-01"}
    paper = draw(log, tmp_path, ask(log, tmp_path, 50, **asked))
    assert {each["kind"] for each in paper["result"]} == {"debit"}
    assert len(paper["result"]) == 6
    large = draw(log, tmp_path, ask(log, tmp_path, 50, points_min=1000), "large.json")
    assert [each["points"] for each in large["result"]] == [30_000, 30_000]


def test_large_and_risky_entries_weigh_more(log: Watched, tmp_path: Path) -> None:
    paper = draw(log, tmp_path, ask(log, tmp_path, 2, "amount"))
    assert paper["population"]["weight"] == 60_000 + 28 * 100
    assert {each["item"] for each in paper["result"]} == {"R-1"}
    risky = draw(log, tmp_path, ask(log, tmp_path, 30, "risk"), "risk.json")
    weights = {tuple(each["risks"]): each["weight"] for each in risky["result"]}
    assert weights == {
        ("short_path",): 3, ("late", "short_path"): 6, ("short_path", "debit"): 4
    }  # fmt: skip


def change_query(paper: dict[str, Any]) -> None:
    paper["query"]["query"] = {"kinds": ["debit"]}


def change_count(paper: dict[str, Any]) -> None:
    paper["query"]["count"] = 4
    del paper["result"][4]


def change_result(paper: dict[str, Any]) -> None:
    paper["result"][0], paper["result"][1] = paper["result"][1], paper["result"][0]


def change_seed(paper: dict[str, Any]) -> None:
    paper["seed"] = "00" * 32


@pytest.mark.parametrize(
    ("change", "named"),
    [(change_query, "query"), (change_count, "query"), (change_result, "result"),
     (change_seed, "seed")],
)  # fmt: skip
def test_cheat_11_whatever_is_changed_after_the_seed_is_known_does_not_verify(
    log: Watched, tmp_path: Path, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    paper = draw(log, tmp_path, ask(log, tmp_path))
    change(paper)
    (tmp_path / "paper.json").write_bytes(canonical.dumps(paper) + b"\n")
    with pytest.raises(ProofError, match=f"the working paper's {named} is not what the log gives"):
        run("verify-sample", tmp_path / "paper.json", tmp_path / f"log-{len(log.ids)}",
            "--vkey", VKEY)  # fmt: skip


def test_cheat_11_another_query_gets_another_seed(log: Watched, tmp_path: Path) -> None:
    first = draw(log, tmp_path, ask(log, tmp_path))
    again = draw(log, tmp_path, ask(log, tmp_path), "again.json")
    assert first["seed"] != again["seed"]
    # An older checkpoint, whose seed suits better, is none that covers the query.
    again["log_head"], again["seed"] = first["log_head"], first["seed"]
    (tmp_path / "again.json").write_bytes(canonical.dumps(again) + b"\n")
    with pytest.raises(ProofError, match="the seed must come after it"):
        run("verify-sample", tmp_path / "again.json", tmp_path / f"log-{len(log.ids)}",
            "--vkey", VKEY)  # fmt: skip


def test_a_checkpoint_of_another_history_gives_no_sample(log: Watched, tmp_path: Path) -> None:
    given = ask(log, tmp_path)
    draw(log, tmp_path, given)
    other = Watched()
    while len(other.ids) < len(log.ids):
        other.direct("rec-1", "east-com-1", day="2026-02-25")
    other.write(tmp_path / "other")
    with pytest.raises(MingzhangError):
        run("verify-sample", tmp_path / "paper.json", tmp_path / "other", "--vkey", VKEY)


def test_the_receipt_of_anything_else_is_refused(log: Watched, tmp_path: Path) -> None:
    ask(log, tmp_path)
    with pytest.raises(FormatError, match=r"record an audit\.queried first"):
        draw(log, tmp_path, receipt_of(log, tmp_path, 40))


def test_a_paper_that_is_none_is_refused(log: Watched, tmp_path: Path) -> None:
    paper = draw(log, tmp_path, ask(log, tmp_path))
    for broken in (b"[]", canonical.dumps({"format": paper["format"]}), b"{ }"):
        (tmp_path / "broken.json").write_bytes(broken)
        with pytest.raises(FormatError):
            run("verify-sample", tmp_path / "broken.json", tmp_path / f"log-{len(log.ids)}",
                "--vkey", VKEY)  # fmt: skip


def test_only_an_auditor_over_the_unit_records_a_query(log: Watched) -> None:
    body: dict[str, Any] = {"query": {}, "count": 5, "weighting": "none"}
    log.refused("needs-auditor", "audit.queried", "unit/east", body, ("east-sec",))
    log.refused("unit-known", "audit.queried", "unit/nowhere", body, (AUDITOR,))
    days = body | {"query": {"from": "2026-02-01", "until": "2026-01-01"}}
    log.refused("query-days", "audit.queried", "unit/east", days, (AUDITOR,))
