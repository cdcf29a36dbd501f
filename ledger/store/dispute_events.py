"""Events of disputes."""

from __future__ import annotations

from ledger.store.recorded import Recorded


class DisputeFiled(Recorded):
    """What a filer signs and intake keeps: a type with a schema, which the log itself refuses."""

    topic = "dispute.filed"


class DisputeReceived(Recorded):
    """Intake received a dispute."""

    topic = "dispute.received"


class DisputeAcknowledged(Recorded):
    """Intake acknowledged a dispute."""

    topic = "dispute.acknowledged"


class DisputeAccepted(Recorded):
    """A dispute was accepted."""

    topic = "dispute.accepted"


class DisputeTransferred(Recorded):
    """A dispute went to another unit."""

    topic = "dispute.transferred"


class DisputeDeclined(Recorded):
    """A dispute was not accepted."""

    topic = "dispute.declined"


class DisputeChecked(Recorded):
    """A dispute was talked over, checked, held or closed."""

    topic = "dispute.checked"


class DisputeEvidenced(Recorded):
    """Evidence was added to a dispute."""

    topic = "dispute.evidenced"


class DisputeHeard(Recorded):
    """A hearing was held."""

    topic = "dispute.heard"


class DisputeDecided(Recorded):
    """A dispute was decided."""

    topic = "dispute.decided"


class DisputeNotified(Recorded):
    """Those concerned were told."""

    topic = "dispute.notified"


class DisputeAnnounced(Recorded):
    """A decision was announced."""

    topic = "dispute.announced"


class DisputeAppealed(Recorded):
    """A decision on a dispute was appealed."""

    topic = "dispute.appealed"


class DisputeDrawn(Recorded):
    """People were drawn for a re-examination."""

    topic = "dispute.drawn"


class DisputeReexamined(Recorded):
    """A dispute was decided again, for good."""

    topic = "dispute.reexamined"


class DisputeWithdrawn(Recorded):
    """A filer withdrew a dispute."""

    topic = "dispute.withdrawn"


class DisputeContinued(Recorded):
    """A withdrawn dispute goes on."""

    topic = "dispute.continued"


class DisputeLapsed(Recorded):
    """A term of a dispute ran out."""

    topic = "dispute.lapsed"


class DisputeExtended(Recorded):
    """A term of a dispute was lengthened."""

    topic = "dispute.extended"


DISPUTE_EVENTS: tuple[type[Recorded], ...] = (
    DisputeFiled,
    DisputeReceived,
    DisputeAcknowledged,
    DisputeAccepted,
    DisputeTransferred,
    DisputeDeclined,
    DisputeChecked,
    DisputeEvidenced,
    DisputeHeard,
    DisputeDecided,
    DisputeNotified,
    DisputeAnnounced,
    DisputeAppealed,
    DisputeDrawn,
    DisputeReexamined,
    DisputeWithdrawn,
    DisputeContinued,
    DisputeLapsed,
    DisputeExtended,
)
