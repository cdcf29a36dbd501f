"""How many review an entry and how long each step may take: a rulebook's `policy`, or a default.

An entry goes by the policy of the version that prices it, wherever it is on its way, so that a new
version changes no entry that is under way. This is the one place where the defaults stand.
"""

from __future__ import annotations

from ledger.domain.account import PointsEntry
from ledger.domain.rights import path
from ledger.domain.world import World
from ledger.rules.rulebook import Version

DEFAULTS = {
    "min_reviewers": 2,
    "claim_window_days": 30,
    "first_review_days": 15,
    "publicity_working_days": 5,
    "objection_ack_working_days": 15,
    "second_review_days": 90,
    "appeal_days": 30,
}
"""What holds where the version (or an import, which has none) names no figure."""

RETURNED_DAYS = 15
"""Natural days after which a returned claim that nobody revised is withdrawn (B2)."""
RETURNS_MAX = 2
"""After so many returns the committee decides (B2)."""
DUAL_SUM, DUAL_DAYS = 1000, 30
"""More than 10.00 points by one proposer for one member within so many days need dual review."""
VACANCY_WORKING_DAYS_MAX = 15
"""By how much a vacancy may lengthen a term, once (B4)."""
LENT_DAYS_MAX = 90
"""How long a role may be lent by the unit above (B4), the last day inclusive."""
PEOPLE_MIN = 2
"""No policy goes below two people besides the member (A33, B3)."""


def version_of(world: World, rulebook: str, number: str) -> Version | None:
    """Return a version by its number, published or tried."""
    known = world.rulebooks.get(rulebook)
    if known is None:
        return None
    trial = known.trials.get(number)
    return known.find(number) or (trial.version if trial is not None else None)


def figure(world: World, entry: PointsEntry, name: str) -> int:
    """Return a figure of the policy that the entry goes by."""
    version = version_of(world, entry.rulebook, entry.version)
    known = world.rulebooks.get(entry.rulebook)
    if version is None and known is not None and known.versions:
        # An import names no version: it goes by the first.
        version = known.versions[0]
    found = version.policy.get(name) if version is not None else None
    return DEFAULTS[name] if found is None else int(found)


def short_path(world: World, unit: str) -> bool:
    """Tell whether a recorder and a committee member are enough in `unit`.

    The nearest unit upwards that recorded a policy decides; without any the path is the full one.
    """
    named = ("short_path", unit)
    found = world.memo.get(named)
    if found is None:
        above = [known.short_path for at in path(world, unit) if (known := world.units.get(at))]
        found = world.memo[named] = next((each for each in above if each is not None), False)
    return bool(found)
