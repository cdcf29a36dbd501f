"""A question put to a statistical test, and what was answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from projections.fairness.stats import false_discovery

SAMPLE_MIN = 10
"""Fewer on either side of a comparison, and nothing is asked or said."""
DISCOVERY_MAX = 0.05
"""The share of flags, over a whole run, that chance alone may give (Benjamini–Hochberg)."""

TITLES = {
    "favour": "评分者与小组 Scorer and group",
    "same-act": "同事不同分 Same act, different points",
    "rotation": "轮流坐庄 Turns at the top",
    "late": "补录 Late entries",
    "burst": "突击申报 Entries in a burst",
    "evidence": "佐证重复 The same evidence twice",
    "reciprocal": "互评 Reciprocal awards",
    "low": "低分原因 Where low scorers fall behind",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One comparison: of whom, over how many, by which test, and how it came out.

    `p` is None where nothing is left to chance (two files that are the same). `strong` says
    whether the difference is large enough to matter, whatever its p.
    """

    kind: str
    subject: tuple[str, ...]
    sample: tuple[int, ...]
    test: str
    p: float | None
    strong: bool
    explanation: str
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """A question whose answer people should look at; `q` is p adjusted over the whole run."""

    question: Question
    q: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The flags of a run, by kind and strength, and how many questions could be asked at all."""

    flags: tuple[Flag, ...]
    asked: int


def answer(questions: Iterable[Question]) -> Answer:
    """Return what is to be flagged of all questions of a run, asked together."""
    asked = list(questions)
    tested = [each for each in asked if each.p is not None]
    adjusted = false_discovery([each.p for each in tested if each.p is not None])
    flags = [Flag(each, None) for each in asked if each.p is None]
    flags += [
        Flag(each, q)
        for each, q in zip(tested, adjusted, strict=True)
        if q <= DISCOVERY_MAX and each.strong
    ]
    order = list(TITLES)
    flags.sort(key=lambda each: (order.index(each.question.kind), each.q or 0.0,
                                 each.question.subject))  # fmt: skip
    return Answer(tuple(flags), len(asked))
