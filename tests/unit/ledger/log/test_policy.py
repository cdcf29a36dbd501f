from __future__ import annotations

from itertools import combinations

import pytest

from ledger.errors import FormatError, ProofError
from ledger.log import note, policy
from ledger.log.cosignature import Cosignature
from ledger.log.policy import judge, judge_note, satisfied
from tests.support.witnesses import LOG, Tree, cosigner

W = [cosigner(n) for n in range(1, 7)]
KEYS = [each.vkey.text for each in W]
# The example of the C2SP text.
NESTED = f"""\
# Two organisations.
log {LOG.vkey.text} https://log.example/

witness X1 {KEYS[0]}
witness\tX2  {KEYS[1]} https://x2.example/prefix
  witness X3 {KEYS[2]}
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS[3]}
witness Y2 {KEYS[4]}
witness Y3 {KEYS[5]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def parse(text: str) -> policy.Policy:
    return policy.parse(text.encode())


def test_the_example_is_read_with_its_urls_and_groups() -> None:
    found = parse(NESTED)
    assert [each.vkey for each in found.logs] == [LOG.vkey]
    assert found.witnesses[1].url == "https://x2.example/prefix"
    assert found.witnesses[0].url is None
    assert found.quorum == "X-and-Y"
    assert [each.threshold for each in found.groups] == [2, 1, 2]


def test_the_quorum_of_two_levels_is_met_by_two_of_x_and_one_of_y_only() -> None:
    found = parse(NESTED)
    names = [each.name for each in found.witnesses]
    for count in range(7):
        for chosen in combinations(names, count):
            xs = sum(name.startswith("X") for name in chosen)
            assert satisfied(found, chosen) == (xs >= 2 and count - xs >= 1)


def test_none_asks_for_no_witness_and_a_stranger_counts_for_nobody() -> None:
    assert satisfied(parse("quorum none\n"), [])
    assert not satisfied(parse(f"witness a {KEYS[0]}\nquorum a\n"), ["b", "none"])


def test_names_are_octets_and_need_be_no_utf8() -> None:
    text = b"witness \xff\xe2 " + KEYS[0].encode() + b"\ngroup \xff any \xff\xe2\nquorum \xff\n"
    assert len(policy.parse(text).witnesses) == 1
    with pytest.raises(FormatError, match="not defined"):
        parse(f"witness K {KEYS[0]}\nquorum \u212a\n")  # the Kelvin sign is another name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not end in a newline"),
        ("quorum none", "does not end in a newline"),
        ("quorum none\r\n", "control character"),
        ("quorum none\x0b\n", "control character"),
        (f"log {LOG.vkey.text}\n", "no quorum line"),
        ("quorum none\nquorum none\n", "line 2.*exactly one quorum"),
        (f"quorum a\nwitness a {KEYS[0]}\n", "line 1.*a is not defined"),
        (f"group g any a\nwitness a {KEYS[0]}\nquorum g\n", "line 1.*a is not defined"),
        (f"witness a {KEYS[0]}\ngroup g any a\ngroup h any a\nquorum h\n", "a is a group's member"),
        (f"witness a {KEYS[0]}\ngroup g any a a\nquorum g\n", "a is a group's member"),
        (f"witness a {KEYS[0]}\ngroup g any none\nquorum g\n", "none is not defined"),
        (f"witness a {KEYS[0]}\ngroup g 2 a\nquorum g\n", "2 of 1 members"),
        (f"witness a {KEYS[0]}\ngroup g 0 a\nquorum g\n", "0 is neither"),
        (f"witness a {KEYS[0]}\ngroup g 01 a\nquorum g\n", "01 is neither"),
        (f"witness a {KEYS[0]}\ngroup g ١ a\nquorum g\n", "is neither"),
        (f"witness a {KEYS[0]}\ngroup g any\nquorum g\n", "line 2.*none of"),
        (f"witness a {KEYS[0]}\ngroup a any a\nquorum a\n", "a is defined already"),
        (f"witness a {KEYS[0]}\nwitness a {KEYS[1]}\nquorum a\n", "a is defined already"),
        (f"witness a {KEYS[0]}\nwitness b {KEYS[0]}\nquorum a\n", "key stands in the policy"),
        (f"witness none {KEYS[0]}\nquorum none\n", "no cosignature is needed"),
        (f"log {LOG.vkey.text}\nlog {LOG.vkey.text}\nquorum none\n", "log's key stands"),
        (f"log {KEYS[0]}\nquorum none\n", "type 01"),
        (f"witness a {LOG.vkey.text}\nquorum a\n", "type 04"),
        (f"witness a {KEYS[0]} u v\nquorum a\n", "none of"),
        (f"witness a {KEYS[0]} # mine\nquorum a\n", "none of"),
        ("witnesses\nquorum none\n", "none of"),
        ("quorum none\n" + "#" * 300_000 + "\n", "at most"),
    ],
)
def test_what_is_not_exactly_a_policy_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        parse(text)


def given(number: int, time: int) -> Cosignature:
    key = W[number - 1].vkey
    return Cosignature(key.name, key.key_id, time, "")


TWO = parse(
    f"witness a {KEYS[0]}\nwitness b {KEYS[1]}\nwitness c {KEYS[2]}\ngroup g 2 a b c\nquorum g\n"
)


def test_the_quorum_is_met_when_the_cosignature_that_completed_it_was_given() -> None:
    found = judge(TWO, [given(3, 90), given(1, 50), given(2, 70), given(1, 100), given(6, 1)])
    assert found.met
    assert found.completed_at == 70
    assert found.renewed_at == 90
    assert [(name, each.time) for name, each in found.counted] == [("a", 100), ("b", 70), ("c", 90)]
    waiting = judge(TWO, [given(1, 50), given(1, 60)])
    assert (waiting.met, waiting.completed_at, waiting.missing) == (False, None, ("b", "c"))


def test_a_notes_own_lines_are_judged_and_a_bad_one_by_a_witness_rejects_it() -> None:
    tree = Tree()
    text = tree.checkpoint(5).body()
    lines = [W[0].line(text, 10), W[5].line(text, 10)]
    signed = note.with_signatures(tree.note(5), lines)
    assert judge_note(TWO, signed).missing == ("b", "c")
    assert judge_note(TWO, note.with_signatures(signed, [W[1].line(text, 11)])).completed_at == 11
    bad = W[1].line(tree.checkpoint(6).body(), 11)
    with pytest.raises(ProofError, match="w2 is bad"):
        judge_note(TWO, note.with_signatures(signed, [bad]))
