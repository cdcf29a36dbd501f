"""Brings each recorded checkpoint to the policy's witnesses, beside the recording.

Nothing waits for a witness: a checkpoint is published at once, and its quorum is pending until
enough of them have cosigned it. Under load the newest recorded checkpoint of every round is
brought; an idle log's is brought again now and then, so that its cosignatures stay fresh.

A witness that contradicts this log is shown, and its word counts for nothing more than that, for
it may lie. Where so many do that the quorum can no longer be met, nothing more is signed: this is
a copy, or history was put back under a running process.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from ledger import schema
from ledger.domain.organisation import STREAM
from ledger.domain.witnessed import WITNESSED
from ledger.entry import format_instant, new_id, parse_entry, parse_envelope, statement_payload
from ledger.errors import BusyError, ConflictError, MingzhangError
from ledger.log.policy import NONE, Policy, Verdict, judge, satisfied
from ledger.log.submission import Answer, Kind
from ledger.signing import PrivateKey, sign_envelope
from ledger.store.ledger import Ledger
from ledger.store.port import SystemClock
from ledger.store.start import CLOCK_OFFSET_MAX_S, clock_offsets
from ledger.store.witnesses import Witnesses

ROUND_S = 1.0
RETRY_S_MAX = 60.0
RENEW_S = 6 * 3600
ENTRY_INTERVAL_S = 300.0
"""A starting process reads all such entries, for they tell when publicity began."""
LINES_BYTES_MAX = 24 * 1024
"""Of cosignature lines in one entry: a statement is base64 twice, and an entry has 65,535 bytes."""

_logger = structlog.stdlib.get_logger("mingzhang.witnesses")


@dataclass(slots=True)
class _Place:
    """Where one witness is: its last answer, and when (monotonic) it is asked again after none."""

    answer: Answer | None = None
    cosigned_size: int = -1
    cosigned_s: float = 0.0
    offset_s: float = 0.0
    failures: int = 0
    not_before_s: float = 0.0


class Witnessing:
    """Runs rounds in a thread of its own from `start` to `close`; `round` runs one.

    With `service_key` an entry `checkpoint.witnessed` is recorded when a checkpoint first has its
    quorum, at most one in `entry_interval_s`.
    """

    def __init__(
        self,
        ledger: Ledger,
        policy: Policy,
        witnesses: Witnesses,
        service_key: PrivateKey | None = None,
        *,
        round_s: float = ROUND_S,
        entry_interval_s: float = ENTRY_INTERVAL_S,
    ) -> None:
        self._ledger = ledger
        self._policy = policy
        self._witnesses = witnesses
        self._service_key = service_key
        self._round_s = round_s
        self._entry_interval_s = entry_interval_s
        self._places = {name: _Place() for name in witnesses.names}
        self._entry_not_before_s = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to bring checkpoints to the witnesses."""
        self._thread = threading.Thread(target=self._run, name="witnesses", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, after the round under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._witnesses.close()

    def last_answers(self) -> dict[str, Answer]:
        """Return the last answer of each witness that was asked by this process."""
        return {
            name: place.answer for name, place in self._places.items() if place.answer is not None
        }

    def round(self) -> None:
        """Bring the newest recorded checkpoint to who has not cosigned it lately."""
        newest = self._ledger.recorded()
        if newest is None:
            return
        size, note = newest
        now_s = time.monotonic()
        asked = [name for name, place in self._places.items() if _due(place, size, now_s)]
        if not asked:
            return
        answers = self._witnesses.ask(note, self._prove, asked)
        for each in answers:
            self._take(each)
        self._check_against()
        for at in {each.size for each in answers if each.cosignature is not None}:
            self._record_quorum(at)

    def _run(self) -> None:
        while not self._stop.wait(self._round_s):
            try:
                self.round()
            except BusyError:
                continue  # the database is away: what is recorded there is brought later
            except Exception as error:
                # Publication goes on without witnesses, and the next round may do better.
                _logger.error("round failed", exc_info=error)

    def _prove(self, old: int, new: int) -> tuple[bytes, ...]:
        return tuple(self._ledger.consistency_proof(old, new))

    def _take(self, answer: Answer) -> None:
        place = self._places[answer.witness]
        before, place.answer = place.answer, answer
        if answer.cosignature is not None:
            # Size 0 is asked about at a start only, and no checkpoint of it is recorded.
            self._ledger.cosignatures.put(answer.size, [answer.cosignature])
            (place.offset_s,) = clock_offsets([answer], SystemClock())
            place.cosigned_size = max(place.cosigned_size, answer.size)
            place.cosigned_s, place.failures, place.not_before_s = time.monotonic(), 0, 0.0
        else:
            place.failures += 1
            wait_s = min(RETRY_S_MAX, self._round_s * 2 ** min(place.failures, 10))
            place.not_before_s = time.monotonic() + wait_s
        if before is None or (before.kind, before.reason) != (answer.kind, answer.reason):
            tell = _logger.error if answer.contradicts else _logger.info
            tell(
                "witness",
                witness=answer.witness,
                answer=str(answer.kind),
                size=answer.size,
                reason=answer.reason or None,
            )

    def _check_against(self) -> None:
        """Stop signing where so many witnesses object that no quorum is left without them."""
        recorded = self._ledger.recorded()
        against: dict[str, str] = {}
        for name, place in self._places.items():
            if place.answer is not None and self._contradicts(place.answer, recorded):
                against[name] = place.answer.reason
            elif abs(place.offset_s) > CLOCK_OFFSET_MAX_S:
                against[name] = f"its clock is {place.offset_s:.0f} s ahead of this machine's"
        others = [each.name for each in self._policy.witnesses if each.name not in against]
        if against and not satisfied(self._policy, others):
            said = "; ".join(f"{name}: {reason}" for name, reason in sorted(against.items()))
            self._ledger.halt(
                f"witnesses object, and the quorum cannot be met without them ({said}). This may "
                "be a copy of a ledger, or one that was put back: run `mingzhang doctor`"
            )
            _logger.critical("stopped", reason=said)

    def _contradicts(self, answer: Answer, recorded: tuple[int, bytes] | None) -> bool:
        known = answer.known or 0
        if not answer.contradicts or known <= self._ledger.given_up:
            return False
        # Another process of this ledger may have gone on and have had that witnessed.
        return answer.kind is not Kind.AHEAD or recorded is None or recorded[0] < known

    # -- the entry -----------------------------------------------------------------------------

    def _record_quorum(self, size: int) -> None:
        key = self._service_key
        if key is None or self._policy.quorum == NONE or size == 0:
            return
        if time.monotonic() < self._entry_not_before_s:
            return
        verdict = judge(self._policy, self._ledger.cosignatures.of(size))
        actor = self._ledger.actor_of(key.keyid)
        if not verdict.met or actor is None or not self._is_news(size):
            return
        self._entry_not_before_s = time.monotonic() + self._entry_interval_s
        try:
            self._ledger.append(witnessed_statement(self._ledger.origin, actor, key, size, verdict))
        except ConflictError:
            pass  # another process was first
        except MingzhangError as error:
            _logger.warning("no entry", type=WITNESSED, reason=error.message)

    def _is_news(self, size: int) -> bool:
        """Whether anything but such entries came since the checkpoint of the last such entry."""
        last = self._ledger.last_of_type(STREAM, WITNESSED)
        if last is None:
            return True
        before = int(parse_entry(last[1]).statement.body["size"])
        return before < size and self._ledger.any_but(WITNESSED, before, size)


def witnessed_statement(
    origin: str, actor: str, key: PrivateKey, size: int, verdict: Verdict
) -> bytes:
    """Return the envelope of a `checkpoint.witnessed`; one size has one id.

    It holds the lines that met the quorum, as many as fit an entry, the shortest first.
    """
    lines: list[str] = []
    room = LINES_BYTES_MAX
    for line in sorted((each.line for _, each in verdict.counted), key=len):
        room -= len(line.encode())
        if room < 0:
            break
        lines.append(line)
    completed = datetime.fromtimestamp(verdict.completed_at or 0, UTC)
    ident = new_id(completed, hashlib.sha256(f"{origin}\n{size}\n".encode()).digest()[:10])
    payload = statement_payload(
        type=WITNESSED,
        id=ident,
        log=origin,
        stream=STREAM,
        actor=actor,
        signed_at=format_instant(datetime.now(UTC)),
        body={"size": size, "cosignatures": lines},
    )
    envelope = sign_envelope(payload, [key])
    schema.validate(WITNESSED, parse_envelope(envelope).body)
    return envelope


def open_witnessing(ledger: Ledger, service_key: PrivateKey | None) -> Witnessing | None:
    """Return what brings an open ledger's checkpoints to its witnesses, None without any.

    Raises StartRefusedError.
    """
    policy = ledger.policy
    witnesses = Witnesses.of(policy)
    if policy is None or witnesses is None:
        return None
    return Witnessing(ledger, policy, witnesses, service_key)


def _due(place: _Place, size: int, now_s: float) -> bool:
    if now_s < place.not_before_s:
        return False
    return place.cosigned_size < size or now_s - place.cosigned_s > RENEW_S
