"""Cheat 8: what was handed in and is not in the log."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.verify.checks.finding import Check, Ending, Finding, finding


class Dropped(Check):
    """Cheat 8: statements that a server refused, or that lie with a witness and were never put in.

    `unanswered` are (index, reason): the log's last entry to which the statement was sought in
    vain, and what shows that it was handed in. Whether a refusal was right is for people; its rule
    is named.
    """

    def __init__(self, unanswered: Iterable[tuple[int, str]]) -> None:
        self._unanswered = tuple(unanswered)

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report each of them."""
        del ending
        for index, reason in self._unanswered:
            yield finding(8, index, (), reason)
