"""Events of what frames entries: rulebooks, calendar, periods, reviews, funds, standing."""

from __future__ import annotations

from ledger.store.recorded import Recorded


class CalendarPublished(Recorded):
    """A year of the working-day calendar was published."""

    topic = "calendar.published"


class RulebookPart(Recorded):
    """Items of a document that is larger than an entry."""

    topic = "rulebook.part"


class RulebookDrafted(Recorded):
    """A version of a rulebook was drafted."""

    topic = "rulebook.drafted"


class RulebookConsulted(Recorded):
    """A draft was laid open for talks."""

    topic = "rulebook.consulted"


class RulebookPiloted(Recorded):
    """A draft is tried in some units."""

    topic = "rulebook.piloted"


class RulebookExtended(Recorded):
    """The unit above lengthened a pilot."""

    topic = "rulebook.extended"


class RulebookRevised(Recorded):
    """A draft was revised under a number of its own."""

    topic = "rulebook.revised"


class RulebookPublished(Recorded):
    """A version of a rulebook was published."""

    topic = "rulebook.published"


class RulebookErratum(Recorded):
    """The upper body named a figure that was wrong."""

    topic = "rulebook.erratum"


class UnitClosed(Recorded):
    """A unit ended by merger or split."""

    topic = "unit.closed"


class MemberMerged(Recorded):
    """A member's second id was closed into the first."""

    topic = "member.merged"


class MemberExempted(Recorded):
    """A member is exempt for some days."""

    topic = "member.exempted"


class MemberTyped(Recorded):
    """A member is of another type from a day on."""

    topic = "member.typed"


class VetoConfirmed(Recorded):
    """A decision from outside makes a member's grade unqualified."""

    topic = "veto.confirmed"


class VetoLifted(Recorded):
    """A veto was lifted, for the decision was annulled."""

    topic = "veto.lifted"


class PointsImported(Recorded):
    """A balance was taken over from paper."""

    topic = "points.imported"


class PeriodOpened(Recorded):
    """A month, quarter or year of a unit's tables was opened."""

    topic = "period.opened"


class PeriodCutOff(Recorded):
    """Later entries go to the next review."""

    topic = "period.cut_off"


class PeriodPublished(Recorded):
    """The period's table was shown."""

    topic = "period.published"


class PeriodClosed(Recorded):
    """Objections to the table are closed."""

    topic = "period.closed"


class PeriodSealed(Recorded):
    """The period was sealed."""

    topic = "period.sealed"


class StateSealed(Recorded):
    """The root of a state tree at a size was signed."""

    topic = "state.sealed"


class RosterConfirmed(Recorded):
    """The unit above signed how many members a unit has."""

    topic = "roster.confirmed"


class ReviewOpened(Recorded):
    """A democratic review began, with who was present."""

    topic = "review.opened"


class ReviewRecorded(Recorded):
    """The sheets for one member were recorded."""

    topic = "review.recorded"


class ReviewClosed(Recorded):
    """The review's figures count from here on."""

    topic = "review.closed"


class VoteRecorded(Recorded):
    """The committee voted among the tied."""

    topic = "vote.recorded"


class FundOpened(Recorded):
    """A unit's reward fund was opened."""

    topic = "fund.opened"


class FundEndowed(Recorded):
    """Points came into a fund."""

    topic = "fund.endowed"


class FundRedeemed(Recorded):
    """A member redeemed service points."""

    topic = "fund.redeemed"


class FundReversed(Recorded):
    """An endowment or a redemption was taken back."""

    topic = "fund.reversed"


class AuditQueried(Recorded):
    """An auditor said what a sample will be drawn from."""

    topic = "audit.queried"


FRAME_EVENTS: tuple[type[Recorded], ...] = (
    CalendarPublished,
    RulebookPart,
    RulebookDrafted,
    RulebookConsulted,
    RulebookPiloted,
    RulebookExtended,
    RulebookRevised,
    RulebookPublished,
    RulebookErratum,
    UnitClosed,
    MemberMerged,
    MemberExempted,
    MemberTyped,
    VetoConfirmed,
    VetoLifted,
    PointsImported,
    PeriodOpened,
    PeriodCutOff,
    PeriodPublished,
    PeriodClosed,
    PeriodSealed,
    StateSealed,
    RosterConfirmed,
    ReviewOpened,
    ReviewRecorded,
    ReviewClosed,
    VoteRecorded,
    FundOpened,
    FundEndowed,
    FundRedeemed,
    FundReversed,
    AuditQueried,
)
