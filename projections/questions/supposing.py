"""What would be if: the next band, an entry taken back, a rulebook's version that never came.

Reckoned anew by the scoring engine from the acts at the ground's position, with one thing changed.
Points are signed hundredths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.domain.account import CREDIT, DIRECT, PENDING
from ledger.domain.rulebook import Rulebook, whole
from ledger.errors import FormatError, NotFoundError
from ledger.rules.rulebook import MERIT, Item, Version
from projections import rankings
from projections.acts import ACT, ActRow
from projections.frame import Frame, rows_of
from projections.loading import members_with_acts
from projections.period import parse_period
from projections.questions.ground import Answer, Ground
from projections.rankings import Ranking
from projections.reckoning import ScoreRow, reckon, segments
from projections.roster import MEMBER, MemberRow, history_of
from projections.scope import Asked, Scope, scope_of
from projections.snapshot import Snapshot
from projections.whatif import Move, WhatIf, what_if

_ONE_MORE = "00000000-0000-7000-8000-000000000000"
_ONE = 100


def next_band(
    ground: Ground, *, member: str, period: str | None = None, rulebook: str | None = None
) -> Answer:
    """Return a member's figure and band, what the next band asks, and what one more act would add.

    `would_count` is by how much one unit of an item, at its highest points, would raise the figure
    today: caps that are full already leave less of it, or nothing.
    """
    known = ground.world.members.get(member)
    if known is None:
        raise NotFoundError(f"no member {member!r} is recorded: ask for one by its id")
    text = period if period is not None else ground.today[:4]
    today = ground.today

    def answer(at: Snapshot, frame: Frame) -> Answer:
        scope = scope_of(frame, Asked(known.unit, parse_period(text), rulebook))
        held = members_with_acts(at.connection, at.build, at.as_of.size, [known.unit])
        row = next((each for each in held[0] if each.id == member), None)
        if row is None:
            raise NotFoundError(f"member {member} is in no unit at that position")
        acts = held[1].get(member, [])
        now = _row(frame, scope, row, acts)
        figure = _figure(now)
        if now is None or figure is None:
            raise NotFoundError(f"{member} has no figure under {scope.book.id} in {text}")
        version = scope.book.version_on(min(today, scope.last), frame.path(known.unit, scope.last))
        assert version is not None  # noqa: S101 - who has a figure has a version
        above = [each for each in version.bands if each.min > figure]
        following = min(above, key=lambda each: each.min, default=None)
        lacking = following.min - figure if following is not None else 0
        items: list[Answer] = []
        for item in version.items.values():
            if _open_to(item, known.member_type):
                more = _act(row, scope, version, item, min(today, scope.last))
                after = _row(frame, scope, row, [*acts, more])
                added = (_figure(after) or 0) - figure if after is not None else 0
                items.append(
                    {
                        "item": item.code,
                        "names": [item.name_zh, item.name_en],
                        "points": [item.min, item.max] if item.points is None else item.points,
                        "would_count": added,
                        "enough": following is not None and 0 < lacking <= added,
                    }
                )
        items.sort(key=lambda each: (-each["would_count"], each["item"]))
        return {
            "member": member,
            "period": text,
            "rulebook": scope.book.id,
            "version": version.version,
            "figure": figure,
            "band": now.band if now.annual is None else now.grade,
            "veto": now.veto,
            "next": following
            and {"band": following.code, "name": following.name_zh, "from": following.min},
            "lacking": lacking,
            "items": items,
        }

    return ground.views.of_rankings(answer, ground.wanted)


def _figure(row: ScoreRow | None) -> int | None:
    """Return the figure that is ranked: the year's, once it can be known (A21)."""
    if row is None:
        return None
    return row.daily if row.annual is None else row.annual


def _open_to(item: Item, member_type: str) -> bool:
    return (
        item.kind == CREDIT
        and item.account == MERIT
        and (not item.applies_to or member_type in item.applies_to)
    )


def _act(row: MemberRow, scope: Scope, version: Version, item: Item, day: str) -> ActRow:
    points = item.max if item.points is None else None
    named = (row.id, scope.book.id, version.version, CREDIT, DIRECT, None, item.code, day)
    return ActRow(
        _ONE_MORE, *named, _ONE, points, _ONE_MORE, None, "final", True, None, None, None, None
    )


def _row(frame: Frame, scope: Scope, row: MemberRow, acts: Iterable[ActRow]) -> ScoreRow | None:
    reckoned = reckon(frame, frame.member(row.id, history_of(row)), acts, scope.book)
    month = scope.asked.period.month
    found = segments(frame, reckoned, scope.year)
    return next((each for each in found if each.from_month <= month < each.until_month), None)


def effect(ground: Ground, *, entry: str) -> Answer:
    """Return what taking an entry back would change: figure, band, rank, and what can be redeemed.

    `others` are members whose rank would change with it. What was redeemed already is not undone by
    a reversal: `overdrawn` says by how much the wallet would then lie below it.
    """
    member, found = ground.entry(entry)
    row = ground.row(entry)
    book = ground.world.rulebooks.get(found.rulebook)
    if book is None:
        raise NotFoundError(f"no rulebook {found.rulebook!r} is published in this log")
    unit = book.unit

    def answer(at: Snapshot, frame: Frame) -> Answer:
        scored = frame.book(found.rulebook)
        if scored is None:
            raise NotFoundError(f"no version of {found.rulebook} is published in this log")
        period = parse_period(scored.periods.of(found.act_date).first[:4])
        scope = scope_of(frame, Asked(unit, period, found.rulebook))
        members, acts = members_with_acts(at.connection, at.build, at.as_of.size, scope.units)
        without = {name: [each for each in mine if each.id != entry] for name, mine in acts.items()}
        before = _table(frame, scope, at, members, acts)
        after = _table(frame, scope, at, members, without)
        was, then = _of(before, member), _of(after, member)
        mine = next((each for each in members if each.id == member), None)
        figures = [
            _row(frame, scope, mine, each.get(member, ())) if mine is not None else None
            for each in (acts, without)
        ]
        earned = [each.service if each is not None else None for each in figures]
        spent = sum(
            move.points
            for ident in ground.world.funds
            if (fund := ground.world.funds.get(ident)) is not None
            for move in fund.moves.values()
            if move.member == member and not move.reversed
        )
        ranks = {each.member: each.rank for each in before.standings}
        others = [
            {"member": each.member, "was": ranks.get(each.member), "would_be": each.rank}
            for each in after.standings
            if each.member != member and ranks.get(each.member) != each.rank
        ]
        left = earned[1]
        return {
            "entry": entry,
            "member": member,
            "state": found.state,
            "counts_now": found.state not in PENDING and not row.reversed,
            "unit": unit,
            "period": period.text,
            "was": was,
            "would_be": then,
            "others": others,
            "service": {
                "earned": earned[0],
                "would_be": left,
                "redeemed": spent,
                "overdrawn": max(0, spent - left) if left is not None else 0,
            },
        }

    return ground.views.of_rankings(answer, ground.wanted)


def _table(
    frame: Frame,
    scope: Scope,
    at: Snapshot,
    members: list[MemberRow],
    acts: dict[str, list[ActRow]],
) -> Ranking:
    rows = rankings.reckoned_rows(frame, scope, members, acts)
    return rankings.table(frame, scope, at.as_of, rows)


def _of(ranking: Ranking, member: str) -> Answer | None:
    for each in ranking.standings:
        if each.member == member:
            return {"rank": each.rank, "score": each.score, "band": each.band}
    return None


def rule_moves(
    ground: Ground, *, rulebook: str, period: str | None = None, version: str | None = None
) -> Answer:
    """Return which ranks a change of a rulebook moved: the table as it is, and without the change.

    Without it the acts of the period's year are priced by the version before `version`, which is
    the newest published one unless named. `causes` say which items make the difference.
    """
    known = ground.world.rulebooks.get(rulebook)
    if known is None or not known.versions:
        listed = ", ".join(sorted(ground.world.rulebooks)) or "none"
        raise NotFoundError(f"no rulebook {rulebook!r} is published in this log: it has {listed}")
    number = version if version is not None else known.versions[-1].version
    older, published = _before(known, number), []
    documents: dict[str, Mapping[str, Any]] = {}
    for event in ground.stream(f"rulebook/{rulebook}"):
        if event.proposal.type in ("rulebook.published", "rulebook.erratum"):
            body = event.proposal.body
            said = {"type": event.proposal.type, "version": body["version"]}
            said |= {"log_index": event.index, "recorded_at": event.recorded_at}
            published.append(said | {"effective_from": body.get("effective_from")})
            if event.proposal.type == "rulebook.published":
                documents[body["version"]] = whole(known.parts, body)

    def answer(at: Snapshot, frame: Frame) -> WhatIf:
        units = frame.covered(known.unit, ground.today)
        members, acts = members_with_acts(at.connection, at.build, at.as_of.size, units)
        rows = rows_of(frame, (MEMBER, ACT))
        for member in members:
            rows.put(MEMBER, member)
        for act in (each for mine in acts.values() for each in mine):
            rows.put(ACT, act)
        days = parse_period(period) if period is not None else None
        return what_if(rows, at.as_of, rulebook, documents[older.version], days)

    found = ground.views.of_rankings(answer, ground.wanted)
    return {
        "rulebook": rulebook,
        "version": number,
        "instead_of": older.version,
        "unit": known.unit,
        "period": found.period.text,
        "changes": published,
        "members": found.members,
        "moves": [_moved(each) for each in found.moves],
        "without_it_missing": [each._asdict() for each in found.missing],
    }


def _before(known: Rulebook, number: str) -> Version:
    """Return the published version before another one, which may have been a pilot."""
    this = known.find(number)
    if this is None and number in known.trials:
        pilot = known.trials[number].version.pilot
        found = known.in_force(pilot.first) if pilot is not None else None
    elif this is not None:
        earlier = [e for e in known.versions if e.effective_from < this.effective_from]
        found = earlier[-1] if earlier else None
    else:
        listed = ", ".join([*(each.version for each in known.versions), *known.trials])
        raise NotFoundError(f"{known.id} has no version {number!r}: it has {listed}")
    if found is None:
        raise FormatError(f"{number} is the first version of {known.id}: nothing was before it")
    return found


def _moved(move: Move) -> Answer:
    return {
        "member": move.member,
        "unit": move.unit,
        "rank": move.rank_before,
        "rank_without": move.rank_after,
        "score": move.before,
        "score_without": move.after,
        "causes": [
            {"item": each.item, "with": each.before, "without": each.after} for each in move.causes
        ],
    }
