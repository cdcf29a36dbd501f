"""Whether a checkpoint has its witnesses' quorum, by a policy and the verifier's own clock.

Freshness comes from the cosignatures' times and the verifier's clock, never from the log: a quorum
of long ago shows what the log was then, not that everyone is shown the same one today.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger.entry import format_instant
from ledger.log.policy import NONE, Policy, Verdict, judge_note

FRESH_S = 7 * 24 * 3600
AHEAD_S = 600
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What a policy says of a checkpoint; `checked_at` is the verifier's POSIX time then."""

    policy: Policy
    verdict: Verdict
    checked_at: float

    @classmethod
    def of(cls, note: bytes, policy: Policy, at: float | None = None) -> Witnessed:
        """Judge a signed note at a POSIX time, by default now.

        Raises FormatError, or ProofError at a bad line by a witness.
        """
        return cls(policy, judge_note(policy, note), time.time() if at is None else at)

    @property
    def met(self) -> bool:
        """Whether the quorum is met, however long ago."""
        return self.verdict.met

    @property
    def fresh(self) -> bool:
        """Whether the quorum is met and less than 7 days old, or none is asked for."""
        if self.policy.quorum == NONE:
            return True
        renewed = self.verdict.renewed_at
        return renewed is not None and self._is_fresh(renewed)

    @property
    def waiting(self) -> str | None:
        """Why the checkpoint waits for its witnesses; None where it does not."""
        if self.fresh:
            return None
        if not self.met:
            return "too few witnesses have seen this checkpoint"
        return (
            f"the quorum is {self._days} days old, by this machine's clock: ask for a newer "
            "checkpoint, or set the clock right"
        )

    @property
    def silent(self) -> tuple[str, ...]:
        """The witnesses without a cosignature of less than 7 days, by their names."""
        heard = {name for name, each in self.verdict.counted if self._is_fresh(each.time)}
        return tuple(each.name for each in self.policy.witnesses if each.name not in heard)

    def _is_fresh(self, time_s: int) -> bool:
        return self.checked_at - time_s < FRESH_S

    @property
    def _days(self) -> int:
        return int(self.checked_at - (self.verdict.renewed_at or 0)) // _DAY_S

    def lines(self) -> list[str]:
        """Return, for a reader, who cosigned and when, who did not, and how fresh it is."""
        lines = []
        for name, each in self.verdict.counted:
            shown = f"witness     {name} at {_instant(each.time)}"
            if each.time > self.checked_at + AHEAD_S:
                shown += ", which is ahead of this machine's clock: one of the two is wrong"
            lines.append(shown)
        lines += [f"witness     {name}: no cosignature" for name in self.verdict.missing]
        if self.policy.quorum == NONE:
            return [*lines, "quorum      none is asked for by the policy"]
        count = f"{len(self.verdict.counted)} of {len(self.policy.witnesses)} witnesses"
        if not self.met:
            return [*lines, f"quorum      not met: {count}"]
        if not self.fresh:
            count += f", {self._days} days ago"
        return [*lines, f"quorum      met: {count}"]


def _instant(posix_s: int) -> str:
    try:
        return format_instant(datetime.fromtimestamp(posix_s, UTC))
    except (OverflowError, ValueError, OSError):
        return f"POSIX time {posix_s}"
