"""Events of the way of an entry, of paths and of relations."""

from __future__ import annotations

from ledger.store.recorded import Recorded


class PolicyAdopted(Recorded):
    """A unit may take the short path, or may not."""

    topic = "policy.adopted"


class RelationDeclared(Recorded):
    """An actor declared relations."""

    topic = "relation.declared"


class PointsAwarded(Recorded):
    """Points were awarded on the short path."""

    topic = "points.awarded"


class PointsDeducted(Recorded):
    """Points were deducted on the short path."""

    topic = "points.deducted"


class PointsClaimed(Recorded):
    """An entry was claimed."""

    topic = "points.claimed"


class PointsChecked(Recorded):
    """A group leader checked an entry."""

    topic = "points.checked"


class PointsReviewed(Recorded):
    """Somebody reviewed an entry."""

    topic = "points.reviewed"


class PointsPublished(Recorded):
    """Publicity of an entry opened."""

    topic = "points.published"


class PointsFiled(Recorded):
    """A final entry was filed."""

    topic = "points.filed"


class PointsReturned(Recorded):
    """An entry went back to its claimant."""

    topic = "points.returned"


class PointsRevised(Recorded):
    """A returned entry was put right."""

    topic = "points.revised"


class PointsRejected(Recorded):
    """The committee rejected an entry."""

    topic = "points.rejected"


class PointsWithdrawn(Recorded):
    """A claim or an objection was withdrawn."""

    topic = "points.withdrawn"


class PointsObjected(Recorded):
    """An objection stopped publicity."""

    topic = "points.objected"


class PointsAcknowledged(Recorded):
    """An objection was accepted."""

    topic = "points.acknowledged"


class PointsReconsidered(Recorded):
    """The committee decided an objection."""

    topic = "points.reconsidered"


class PointsAppealed(Recorded):
    """Somebody appealed against a final entry."""

    topic = "points.appealed"


class PointsReexamined(Recorded):
    """The unit above decided an appeal."""

    topic = "points.reexamined"


class PointsCorrected(Recorded):
    """An entry is to be reversed, with or without a replacement."""

    topic = "points.corrected"


class PointsLapsed(Recorded):
    """A term ran out."""

    topic = "points.lapsed"


class PointsExtended(Recorded):
    """The unit above lengthened a term."""

    topic = "points.extended"


WAY_EVENTS: tuple[type[Recorded], ...] = (
    PolicyAdopted,
    RelationDeclared,
    PointsAwarded,
    PointsDeducted,
    PointsClaimed,
    PointsChecked,
    PointsReviewed,
    PointsPublished,
    PointsFiled,
    PointsReturned,
    PointsRevised,
    PointsRejected,
    PointsWithdrawn,
    PointsObjected,
    PointsAcknowledged,
    PointsReconsidered,
    PointsAppealed,
    PointsReexamined,
    PointsCorrected,
    PointsLapsed,
    PointsExtended,
)
