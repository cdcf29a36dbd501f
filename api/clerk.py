"""The clerk: appends what lapsed with time, and the service's own outages (B2, B21).

It signs as the service actor, with the key in the data folder. What a lapse says follows from the
entry, its term and the term's last day alone, its id and `signed_at` too, so that two clerks, or
one after a crash or after weeks, make the same bytes, which the log records once. It may run in
every serving process.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import psycopg
import structlog

from api.desk import Desk
from ledger.domain import case_terms
from ledger.domain.days import day_end
from ledger.domain.lapses import Due, due_terms
from ledger.domain.organisation import OUTAGE, ROOT_UNIT, STREAM
from ledger.domain.outage import OUTAGE_MIN
from ledger.domain.rights import holds
from ledger.domain.world import World
from ledger.entry import format_instant, new_id, parse_instant, statement_payload
from ledger.errors import BusyError, MingzhangError, NotFoundError, Refused
from ledger.signing import PrivateKey, sign_envelope
from ledger.store.ledger import Ledger
from ledger.store.queue import raised
from projections import disputes, terms
from projections.terms import TERMS, Open

POLL_S = 30.0
PAGE_ENTRIES = 500
_FIRST = ("0001-01-01", "00000000-0000-0000-0000-000000000000")

_logger = structlog.stdlib.get_logger("mingzhang.clerk")


class Clerk:
    """Records what lapsed, on call (`run_once`) or in a thread of its own (`start`).

    The read models must be kept up by somebody.
    """

    def __init__(
        self,
        ledger: Ledger,
        key: PrivateKey,
        desk: Desk,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._ledger = ledger
        self._key = key
        self._desk = desk
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._told = ""

    def start(self) -> None:
        """Record an outage that has just ended, then work in a thread until `close`.

        The outage comes before anything else that this process records, which would speak
        against it.
        """
        self._guarded(self.record_outage)
        self._thread = threading.Thread(target=self._run, name="clerk", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop working, after the page in hand."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def run_once(self) -> int:
        """Record every term that has lapsed by now; return how many.

        Raises BusyError where the database or the read model cannot answer yet, StoppedError.
        """
        recorded, after = 0, _FIRST
        while not self._stop.is_set():
            envelopes, last = self._page(after)
            recorded += self._append(envelopes)
            if last is None:
                break
            after = last
        return recorded + self._append(self._cases())

    def record_outage(self) -> bool:
        """Record the time in which no process served, if it was long; return whether it was.

        It begins with the last heartbeat, or with the log's last entry if that is later: nothing
        is recorded that cannot be shown.
        """
        now, beat = self._desk.clock.now(), self._desk.heartbeat.last()
        if beat is None or now - beat < OUTAGE_MIN:
            return False
        with self._desk.outlook.now() as world:
            actor = self._actor(world, now)
            first = max(format_instant(beat), f"{world.last[:19]}Z")
        if actor is None or now - parse_instant(first) < OUTAGE_MIN:
            return False
        body = {"from": first, "to": format_instant(now)}
        made = _signed(
            self._key, self._ledger.origin, OUTAGE, STREAM, actor, parse_instant(first), body, first
        )
        raised(self._ledger.append_batch([made])[0])
        _logger.warning("outage recorded", **body)
        return True

    # -- one page of what may have lapsed ------------------------------------------------------

    def _page(self, after: tuple[str, str]) -> tuple[list[bytes], tuple[str, str] | None]:
        """Return the lapses among the next entries, and where to go on (None at the end)."""
        now = self._desk.clock.now()
        with self._desk.outlook.now() as world:
            actor = self._actor(world, now)
            if actor is None:
                return [], None
            today = world.today(format_instant(now))
            found = self._desk.views.read(
                TERMS, lambda at: terms.due(at, today, after, PAGE_ENTRIES)
            )
            made = [
                lapse(self._key, self._ledger.origin, actor, zone_of(world), member, due)
                for member, due in self._lapsed(world, [each for _, each in found], today)
            ]
        if len(found) < PAGE_ENTRIES:
            return made, None
        day, last = found[-1]
        return made, (day, last.entry)

    def _lapsed(
        self, world: World, candidates: list[Open], today: str
    ) -> Iterator[tuple[str, Due]]:
        """Yield what the rules say has lapsed, of entries that the index names."""
        wanted = {each.entry for each in candidates}
        for member, _ in groupby(sorted(candidates, key=_member), key=_member):
            for due in due_terms(world, member, self._desk.outlook.account(member), today):
                if due.entry in wanted:
                    yield member, due

    def _cases(self) -> list[bytes]:
        """Return the lapses of disputes' terms.

        The read model, which knows no outages, names what may have lapsed; the rules decide.
        """
        now = self._desk.clock.now()
        with self._desk.outlook.now() as world:
            actor = self._actor(world, now)
            if actor is None:
                return []
            today = world.today(format_instant(now))
            found = self._desk.views.disputes(today).standings
            passed = [each.case.id for each in found if each.warning == disputes.PASSED]
            return [
                case_lapse(self._key, self._ledger.origin, actor, zone_of(world), case.id, due)
                for case in map(world.disputes.get, passed)
                if case is not None
                for due in [case_terms.due_term(world, case)]
                if due is not None and today > due.due
            ]

    def _append(self, envelopes: list[bytes]) -> int:
        if not envelopes:
            return 0
        recorded = 0
        for outcome in self._ledger.append_batch(envelopes):
            if isinstance(outcome, bytes):
                recorded += 1
            elif isinstance(outcome, Refused):
                # Somebody acted, or the term was extended, since it was looked at.
                _logger.info("lapse refused", rule=outcome.rule, reason=outcome.message)
            else:
                raise outcome
        _logger.info("terms lapsed", count=recorded)
        return recorded

    def _actor(self, world: World, now: datetime) -> str | None:
        """Return the actor that the key is registered for, None while it may not sign lapses."""
        if world.organisation is None:
            return None
        known = world.keys.get(self._key.keyid)
        today = world.today(format_instant(now))
        if known is None:
            self._tell("the service key is not registered: run `mingzhang key service`")
        elif known.revoked is not None:
            self._tell(f"the service key was revoked ({known.revoked}): register another")
        elif not holds(world, known.actor, "service", ROOT_UNIT, today):
            self._tell(f"{known.actor} lacks the role `service` over root: grant it")
        else:
            return known.actor
        return None

    def _tell(self, reason: str) -> None:
        """Log once why nothing lapses."""
        if reason != self._told:
            self._told = reason
            _logger.warning("no term lapses", reason=reason)

    # -- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            self._guarded(self._work)
            self._stop.wait(self._poll_s)

    def _work(self) -> None:
        self._desk.heartbeat.beat(self._desk.clock.now())
        self.run_once()

    def _guarded(self, work: Any) -> None:
        """Do it; what goes wrong is logged, and tried again at the next turn."""
        try:
            work()
        except (BusyError, NotFoundError) as error:
            _logger.info("clerk waits", reason=error.message)
        except (MingzhangError, psycopg.Error) as error:
            _logger.error("clerk failed", error=type(error).__name__, reason=str(error))
        except Exception as error:
            # A bug in one turn must not end the thread: then nothing would ever lapse again.
            _logger.critical("clerk failed", error=type(error).__name__, exc_info=error)


def _member(each: Open) -> str:
    return each.member


def zone_of(world: World) -> str:
    """Return the time zone of a founded organisation."""
    assert world.organisation is not None  # noqa: S101 - asked of founded ones only
    return world.organisation.time_zone


def lapse(key: PrivateKey, origin: str, actor: str, time_zone: str, member: str, due: Due) -> bytes:
    """Return the envelope of a lapse: the same bytes whenever and wherever it is made (B21).

    It is signed at the end of the term's last day, and its id follows from entry, term and day.
    """
    ended = day_end(time_zone, due.due)
    body = {"entry": due.entry, "term": due.term, "due": due.due}
    return _signed(key, origin, "points.lapsed", f"member/{member}", actor, ended, body, *due)


def case_lapse(
    key: PrivateKey, origin: str, actor: str, time_zone: str, dispute: str, due: case_terms.Due
) -> bytes:
    """Return the envelope of the lapse of a dispute's term: always the same bytes, as `lapse`."""
    ended = day_end(time_zone, due.due)
    body = {"term": due.term, "due": due.due}
    stream = f"dispute/{dispute}"
    return _signed(key, origin, "dispute.lapsed", stream, actor, ended, body, dispute, *due)


def _signed(
    key: PrivateKey,
    origin: str,
    kind: str,
    stream: str,
    actor: str,
    at: datetime,
    body: dict[str, Any],
    *named: str,
) -> bytes:
    seed = hashlib.sha256("\n".join((origin, kind, *named)).encode()).digest()
    payload = statement_payload(
        type=kind,
        id=new_id(at, seed),
        log=origin,
        stream=stream,
        actor=actor,
        signed_at=format_instant(at),
        body=body,
    )
    return sign_envelope(payload, [key])
