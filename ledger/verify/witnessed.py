"""Whether a checkpoint has its witnesses' quorum, by a policy and the verifier's own clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger.entry import format_instant
from ledger.log.policy import NONE, Policy, Verdict, judge_note

FRESH_S = 7 * 24 * 3600
AHEAD_S = 600


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What a policy says of a checkpoint; `checked_at` is the verifier's POSIX time then."""

    policy: Policy
    verdict: Verdict
    checked_at: float

    @classmethod
    def of(cls, note: bytes, policy: Policy) -> Witnessed:
        """Judge a signed note. Raises FormatError, or ProofError at a bad line by a witness."""
        return cls(policy, judge_note(policy, note), time.time())

    @property
    def met(self) -> bool:
        """Whether the quorum is met."""
        return self.verdict.met

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
        newest = max(each.time for _, each in self.verdict.counted)
        if self.checked_at - newest > FRESH_S:
            days = int(self.checked_at - newest) // 86_400
            count += f", the newest {days} days old: ask for a newer checkpoint"
        return [*lines, f"quorum      met: {count}"]


def _instant(posix_s: int) -> str:
    try:
        return format_instant(datetime.fromtimestamp(posix_s, UTC))
    except (OverflowError, ValueError, OSError):
        return f"POSIX time {posix_s}"
