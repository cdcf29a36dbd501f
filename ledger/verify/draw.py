"""Draws that anybody can repeat: the seed is a checkpoint that nobody could know beforehand.

What is drawn from must be fixed in the log before the checkpoint that gives the seed: an auditor's
query (cheat 11), or the list of those who may sit on a re-examination (cheat 10). Only SHA-256 and
integers are used, so that an implementation in any language draws the same.

    seed         SHA-256("mingzhang draw v1" ‖ 0A ‖ the checkpoint's text: origin, size, root)
    plain draw   candidates by SHA-256(seed ‖ u64 candidate), the smallest first
    weighted     the k-th number, SHA-256(seed ‖ "weighted" ‖ u64 k) for k = 0, 1, …, taken modulo
                 the candidates' total weight (and left out where it lies in the last, incomplete
                 multiple) hits the candidate in whose span it falls; hits of one that is drawn
                 already are left out (monetary-unit sampling without replacement)
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from ledger.log.checkpoint import Checkpoint

_TITLE = b"mingzhang draw v1\n"
_SPACE = 2**256


def seed_of(checkpoint: Checkpoint) -> bytes:
    """Return the 32-byte seed of a checkpoint; signatures and cosignatures play no part."""
    return hashlib.sha256(_TITLE + checkpoint.body().encode()).digest()


def plain(seed: bytes, candidates: Iterable[int], count: int) -> list[int]:
    """Return `count` of the candidates (log indexes), or all, in the order of the draw."""
    return sorted(candidates, key=lambda each: hashlib.sha256(seed + each.to_bytes(8)).digest())[
        :count
    ]


def weighted(seed: bytes, candidates: Sequence[tuple[int, int]], count: int) -> list[int]:
    """Return `count` of the candidates, given as (index, weight), in the order of the draw.

    One of twice the weight is twice as likely to be the next; those of weight 0 are never drawn.
    """
    rest = sorted((index, weight) for index, weight in candidates if weight > 0)
    drawn: dict[int, None] = {}
    number = 0
    while rest and len(drawn) < count:
        ends = list(accumulate(weight for _, weight in rest))
        total, hit = ends[-1], 0
        # Once most of the weight is drawn, nearly all numbers would be left out: drop it.
        while 2 * hit < total and len(drawn) < count:
            value = _number(seed, number)
            number += 1
            if value >= _SPACE - _SPACE % total:
                continue
            index, weight = rest[bisect_right(ends, value % total)]
            if index not in drawn:
                drawn[index] = None
                hit += weight
        rest = [each for each in rest if each[0] not in drawn]
    return list(drawn)


def _number(seed: bytes, number: int) -> int:
    return int.from_bytes(hashlib.sha256(seed + b"weighted" + number.to_bytes(8)).digest())
