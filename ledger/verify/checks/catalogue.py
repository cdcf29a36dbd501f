"""The 25 cheats from inside, and where each of them shows.

"Append" is a rule that refuses the statement, which every verifier applies again (`mingzhang verify
log`); "check" is one of this package, in `mingzhang audit checks`. The tests that stage them name
the cheat (`test_cheat_7_…`).

    1  small entries            append: the check names the review (way.route); check, for what
                                range items and the short path let pass
    2  act dates moved          check: acts crowd at the edges of versions and quarters
    3  one activity split       check: same day and item, hours of a day; same file where disclosed
    4  month items stuffed      append: each month once, the act's date its last day (A8)
    5  swallowed debits         check: debits under a floor, scopes mixed by one scorer
    6  relatives, rings         append: declared relations; check: rings, late or no declarations
    7  sitting on a claim       append: terms lapse (B2); check: waits by member × scorer
    8  dropped statements       check, on what people kept: a signed refusal (ledger.refusal), a
                                witness's note on the statement (ledger.log.deposit)
    9  notice unseen            check, by the times of cosignatures and timestamps, and without
                                them by recorded ones; a clock ahead; cosignatures made up
    10 who re-examines          append: a dispute's panel is drawn by the first witnessed checkpoint
                                from a list fixed first; check: the same, and for entries
    11 auditor's seed           ledger.verify.sample: of the first witnessed checkpoint after the
                                query; check: the same query again
    12 the moment of the seal   append and check: as_of is the closing's size; late seals listed
    13 two ids, one person      append: distinct actors, one member an actor; check: who made an id
                                and acts beside it, ids merged (B14). Not detectable: two keys
                                that one person got from an honest registrar under two names, for
                                no identity stands in the log
    14 flash roles              append: the role is older than the step; check: short and lent roles
    15 pilots                   append: length, one extension; check: extensions, transfers in
    16 item for one             check: new items that move fewer than three, or mostly relations
    17 ghosts, exemptions       append: days on half of the period (A27); check: the last 30 days,
                                the total that the unit above signed
    18 calendar                 append: terms never fall; check: a year that is replaced
    19 evidence                 append: reviewers name each digest, erasure in time; check: none at
                                all, erased early. Not detectable from the log: what a file shows;
                                nearly the same pictures: projections.pictures, beside the store
    20 correction as bypass     append: raising walks the path (B11); check: the same, recomputed
    21 import as bypass         append: two people, once, before the start; check: the same
    22 review sheets            append: a sheet a voter, a receipt a sheet; check: outliers, blocks.
                                Not detectable: who filled a sheet in, without voters' receipts
    23 flood of objections      append: one entry is stopped, not a table (B10). Not detectable by
                                objector: filers are salted commitments; intake's register counts
    24 lost key, stamping       check: what a compromised key signed, reviews within seconds
    25 phantom receivers        append: receiver or two witnesses; check: redeemed, then reversed
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.verify.checks.closing import Seals, Sheets
from ledger.verify.checks.debits import Swallowed
from ledger.verify.checks.dropped import Dropped
from ledger.verify.checks.finding import Check
from ledger.verify.checks.frame import CalendarEdits, MadeForOne, Pilots, Roster
from ledger.verify.checks.panels import FirstOver, Panels, Queries, never_witnessed
from ledger.verify.checks.people import FlashRoles, OnePerson, Relations, Rings
from ledger.verify.checks.records import Bypasses, Evidence, Imports, Redemptions
from ledger.verify.checks.splitting import EdgeDates, SmallEntries, Split
from ledger.verify.checks.timing import (
    Disowned,
    Seen,
    ShiftedClock,
    ShortNotices,
    SlowSteps,
    Stamping,
    never_seen,
)

CHECKED = (*range(1, 4), *range(5, 23), 24, 25)
"""The numbers that a check of this package can find; 4 and 23 are refused at append."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What people outside know of the log.

    `seen` gives the instant at which an index had been seen, `first_over` size and root of the
    first witnessed checkpoint over an index, `wrong` are (index, reason) of evidence that does not
    hold, `unanswered` (index, reason) of statements that were handed in and are not in the log.
    """

    seen: Seen = never_seen
    first_over: FirstOver = never_witnessed
    wrong: tuple[tuple[int, str], ...] = ()
    unanswered: tuple[tuple[int, str], ...] = ()


def all_checks(
    digests: Mapping[str, str] | None = None, outside: Outside = Outside()
) -> tuple[Check, ...]:
    """Return new checks of every kind.

    `digests` are plain SHA-256 digests (hex) of disclosed files by commitment.
    """
    return (
        SmallEntries(),
        EdgeDates(),
        Split(digests or {}),
        Swallowed(),
        Rings(),
        Relations(),
        SlowSteps(),
        Dropped(outside.unanswered),
        ShortNotices(outside.seen),
        ShiftedClock(outside.seen, outside.wrong),
        Panels(outside.first_over),
        Queries(),
        Seals(),
        OnePerson(),
        FlashRoles(),
        Pilots(),
        MadeForOne(),
        Roster(),
        CalendarEdits(),
        Evidence(),
        Bypasses(),
        Imports(),
        Sheets(),
        Disowned(),
        Stamping(),
        Redemptions(),
    )
