"""When people outside had seen how much of a log: by cosignatures and timestamps that hold.

    checkpoint.witnessed entries   size and cosignature lines; each line is checked under a policy's
                                   keys over the log's own root at that size, and the quorum judged
    the newest checkpoint          the cosignatures on it
    timestamps/<size>/<tsa>.tsr    tokens over the log's own checkpoints

What was seen of size n at time t held the entries before n at t, whatever the log's clock says
(cheat 9). Of witnessed sizes the first after an entry is nobody's choice: it draws (cheats 10, 11).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ledger.domain.organisation import STREAM
from ledger.domain.witnessed import WITNESSED
from ledger.entry import format_instant, parse_entry
from ledger.errors import FormatError, MingzhangError, ProofError
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import find_cosignatures
from ledger.log.note import parse_signature
from ledger.log.policy import Policy, Verdict, judge, judge_note
from ledger.log.timestamp import Trust
from ledger.verify.prefix import Prefix
from ledger.verify.timestamps import verify_timestamps

WITNESSES = "witnesses"


class Sighting(NamedTuple):
    """The first `size` entries were there at `at` (RFC 3339 UTC, six decimals), says `by`."""

    size: int
    at: str
    by: str


class Witnessed(NamedTuple):
    """A `checkpoint.witnessed` whose quorum is met: the entry's index, size and root of the tree.

    `lines` are its cosignature lines.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index
    size: int
    root: bytes
    lines: tuple[str, ...]


class Wrong(NamedTuple):
    """Evidence that does not hold: the entry's index, or the last one it speaks of, and why."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    reason: str


@dataclass(frozen=True, slots=True)
class Sightings:
    """All sightings of a log by size, and what did not hold.

    `recorded` are those of the statements asked for (lower-case hex SHA-256 of their payloads)
    that the log holds.
    """

    found: tuple[Sighting, ...]
    witnessed: tuple[Witnessed, ...]
    wrong: tuple[Wrong, ...] = ()
    recorded: frozenset[str] = frozenset()
    _first: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        # By position the earliest instant of all sightings from there on.
        for each in reversed(self.found):
            self._first.append(min(each.at, self._first[-1]) if self._first else each.at)
        self._first.reverse()

    def seen(self, index: int) -> str | None:
        """Return the earliest instant at which an entry was there for people outside."""
        at = bisect_right(self.found, index, key=lambda each: each.size)
        return self._first[at] if at < len(self.found) else None

    def first_over(self, index: int) -> Witnessed | None:
        """Return the first witnessed checkpoint that covers an entry, None while there is none."""
        at = bisect_right(self.witnessed, index, key=lambda each: each.size)
        return self.witnessed[at] if at < len(self.witnessed) else None


def gather(
    prefix: Prefix,
    policy: Policy | None = None,
    trust: Trust | None = None,
    statements: Collection[str] = (),
) -> Sightings:
    """Read what says when the log at `prefix` was seen, and look for statements in it.

    `trust` needs a prefix whose key is known. Raises SourceError, NotFoundError or FormatError
    where the log cannot be read.
    """
    found: list[Sighting] = []
    witnessed: list[Witnessed] = []
    wrong: list[Wrong] = []
    recorded = set()
    for index, data in enumerate(prefix.entries()):
        if statements:
            recorded.add(hashlib.sha256(parse_entry(data).statement.payload).hexdigest())
        body = witnessed_body(data) if policy is not None else None
        if body is None or policy is None:
            continue
        try:
            size, root, verdict = _judged(prefix, index, body, policy)
        except (FormatError, ProofError) as error:
            wrong.append(Wrong(index, f"what is said to be witnessed is not: {error.message}"))
            continue
        if not verdict.met or verdict.completed_at is None:
            wrong.append(Wrong(index, "the cosignatures do not meet the policy's quorum"))
            continue
        found.append(Sighting(size, _instant(verdict.completed_at), WITNESSES))
        if not witnessed or size > witnessed[-1].size:
            witnessed.append(Witnessed(index, size, root, tuple(body["cosignatures"])))
    last = prefix.newest.size - 1
    if policy is not None:
        try:
            newest = judge_note(policy, prefix.note)
        except MingzhangError as error:
            wrong.append(Wrong(last, f"the newest checkpoint: {error.message}"))
        else:
            if newest.completed_at is not None:
                at = _instant(newest.completed_at)
                found.append(Sighting(prefix.newest.size, at, WITNESSES))
    if trust is not None and prefix.vkey is not None:
        size = prefix.newest.size
        for each in verify_timestamps(prefix.source, prefix.vkey, trust, size):
            if each.stamp is None:
                wrong.append(Wrong(min(each.size - 1, last), f"the timestamp of {each.tsa}: "
                                   f"{each.reason}"))  # fmt: skip
            else:
                at = format_instant(each.stamp.at.astimezone(UTC), micros=True)
                found.append(Sighting(each.size, at, each.tsa))
    return Sightings(
        tuple(sorted(found)), tuple(witnessed), tuple(wrong), frozenset(recorded & {*statements})
    )


def witnessed_body(data: bytes) -> dict[str, Any] | None:
    """Return the body of an entry that is a `checkpoint.witnessed`, None for any other."""
    if f'"stream":"{STREAM}"'.encode() not in data:
        return None
    entry = parse_entry(data)
    statement = entry.statement
    return statement.body if (entry.stream, statement.type) == (STREAM, WITNESSED) else None


def first_witnessed(prefix: Prefix, index: int) -> tuple[bool, Witnessed | None]:
    """Return whether the log had witnesses when it recorded an entry, and who first covered it.

    The lines are not judged here; the root is the tree's.
    """
    had, largest = False, 0
    for at, data in enumerate(prefix.entries()):
        body = witnessed_body(data)
        if body is None:
            continue
        had = had or at < index
        if not largest < body["size"] <= at:
            continue
        largest = body["size"]
        if largest > index:
            lines = tuple(body["cosignatures"])
            return had, Witnessed(at, largest, prefix.root(largest), lines)
    return had, None


def judged_lines(policy: Policy, checkpoint: Checkpoint, lines: Collection[str]) -> Verdict:
    """Say whether cosignature lines over a checkpoint meet the quorum.

    Raises FormatError or ProofError at a line that does not hold.
    """
    text = checkpoint.body()
    signatures = [parse_signature(line) for line in lines]
    return judge(policy, find_cosignatures(text, signatures, policy.keys))


def _judged(
    prefix: Prefix, index: int, body: dict[str, Any], policy: Policy
) -> tuple[int, bytes, Verdict]:
    size = body["size"]
    if not 0 < size <= index:
        raise ProofError(f"size {size} was not there yet")
    root = prefix.root(size)
    checkpoint = Checkpoint(prefix.newest.origin, size, root)
    return size, root, judged_lines(policy, checkpoint, body["cosignatures"])


def _instant(posix_s: int) -> str:
    return format_instant(datetime.fromtimestamp(posix_s, UTC), micros=True)


def covering(sightings: Sightings) -> Iterator[str]:
    """Yield, for a reader, one line on what was seen by whom."""
    by: dict[str, list[Sighting]] = {}
    for each in sightings.found:
        by.setdefault(each.by, []).append(each)
    for name, found in sorted(by.items()):
        newest = found[-1]
        yield f"seen        {len(found)} times by {name}, size {newest.size:,} at {newest.at[:19]}Z"
