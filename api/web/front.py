"""The public page of the log, and the page of a rulebook."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from api.web import show
from api.web.models import (
    FrontView,
    LogView,
    Name,
    RankingView,
    RulebookRow,
    RulebookView,
    StandingRow,
)
from api.web.register import Known
from api.web.words import Words
from ledger.entry import parse_entry
from ledger.errors import NotFoundError
from projections.rankings import Ranking
from projections.render import points_total

STANDINGS_SHOWN = 20
WHOLE = "root"
"""The unit whose rankings are shown: they cover everybody."""


def front_view(
    words: Words,
    log: LogView,
    newest: bytes | None,
    known: Known,
    rankings: list[Ranking] | None,
    now: datetime,
) -> FrontView:
    """Return the public page; `newest` are the bytes of the last signed entry.

    `rankings` have up to STANDINGS_SHOWN places, and None while they are being worked out.
    """
    rows = [
        RulebookRow(
            each.ident,
            each.body["version"],
            show.title_of(each),
            each.body["effective_from"],
            len(each.body["items"]),
            show.rulebook_url(each.ident, each.body["version"]),
        )
        for each in known.rulebooks.values()
    ]
    rows.sort(key=lambda each: each.effective_from, reverse=True)
    recorded = parse_entry(newest).recorded_at if newest else None
    return FrontView(
        log=log,
        newest=show.moment(words, recorded, known.zone, now) if recorded else None,
        given_up=tuple(
            (each.index, words("given_up", each.from_size, each.to_size, words(each.cause)))
            for each in known.recoveries
        ),
        rulebooks=tuple(rows),
        rankings=None
        if rankings is None
        else tuple(_ranking(words, each, known) for each in rankings),
        checked={
            "vkey": log.vkey,
            "member": "",
            "complete": True,
            "folded": log.size,
            "entries": [],
            **known.proofs(()),
        },
    )


def running_year(known: Known, ident: str, day: str) -> str:
    """Return the year of a rulebook's newest version that a day is in, named by its beginning."""
    newest = show.newest_of(known, ident)
    start = newest.body.get("period", {}).get("start", "01-01") if newest is not None else "01-01"
    year = int(day[:4])
    return f"{year if day[5:] >= start else year - 1:04d}"


def rulebook_view(
    words: Words, known: Known, ident: str, version: str, log: LogView
) -> RulebookView:
    """Return the page of one version of a rulebook. Raises NotFoundError."""
    found = known.rulebooks.get((ident, version))
    if found is None:
        raise NotFoundError(f"no version {version!r} of a rulebook {ident!r} is published")
    return RulebookView(
        title=show.title_of(found),
        ident=ident,
        version=version,
        effective_from=found.body["effective_from"],
        index=found.index,
        items=tuple(show.item_row(words, each) for each in found.body["items"]),
        log=log,
    )


def _ranking(words: Words, ranking: Ranking, known: Known) -> RankingView:
    names = {ident: Name(unit.name_zh, unit.name_en) for ident, unit in ranking.units.items()}
    last = show.newest_of(known, ranking.rulebook)
    asked = f"/v1/rankings/{ranking.unit}?period={ranking.period.text}&rulebook={ranking.rulebook}"
    return RankingView(
        names[ranking.unit],
        show.title_of(last) if last is not None else Name(ranking.rulebook, ""),
        f"{ranking.days.first} – {ranking.days.last}",
        ranking.provisional,
        tuple(
            StandingRow(
                each.rank,
                each.member,
                names[each.unit],
                points_total(each.score),
                show.band_of(words, last, each.band) if each.band else "",
            )
            for each in ranking.standings
        ),
        _asides(words, ranking),
        asked if len(ranking.standings) == STANDINGS_SHOWN else "",
    )


def _asides(words: Words, ranking: Ranking) -> str:
    """Say how many are not ranked, and why; empty where everybody is."""
    if not ranking.asides:
        return ""
    counted = Counter(each.why for each in ranking.asides)
    why = words("list_comma").join(
        f"{words.or_else(f'why_{each}', each)} {count}" for each, count in sorted(counted.items())
    )
    return words("asides", len(ranking.asides), why)
