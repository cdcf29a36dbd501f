"""Follows a log: what a monitor does at each look, and how it tells a forgery from a bad line.

A look reads the checkpoint, proves that it continues every one that was seen before, and then
checks the new entries as `whole` does, step by step; the place moves on (`place`) only after all
checks of a step. A step's own tree must be a prefix of what the checkpoint signs, so no entry is
taken for checked that the log's key does not answer for.

Three outcomes are told apart. What the log's key signed, or what does not fit it, is a finding and
stays one. What could not be read, or is not a checkpoint at all (a portal's page, a note that was
cut off), shows nothing about the log. An older checkpoint than one that was seen may come from a
cache for a while; after `STALE_MAX` it is a finding, and at once where it contradicts.

With a policy, each look also hears the witnesses: those who signed what the log shows, and of the
others those that have an address (`hearing`). A checkpoint that one cosigned and that the log does
not continue is a finding. That too few have signed within 7 days is none: it is waiting, and said.

A history that the log itself says was given up (`ledger.recovered`) is a finding, too: others may
hold receipts of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ledger.domain.organisation import STREAM
from ledger.entry import format_instant
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint, parse_body
from ledger.log.cosignature import find_cosignatures
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy, judge
from ledger.log.tiles import TILE_WIDTH
from ledger.signing import encode_base64, keyid
from ledger.verify import chunk, diagnose
from ledger.verify.chunk import LEAF, Chunk, Fault
from ledger.verify.consistency import RewrittenError, compare, prove
from ledger.verify.hearing import ask, not_heard
from ledger.verify.kept import KeptAccounts
from ledger.verify.place import Place, Seen
from ledger.verify.pool import bundles, width_of
from ledger.verify.report import Failure, FaultError
from ledger.verify.semantics import Replay
from ledger.verify.source import Source, SourceError
from ledger.verify.tree import Tree
from ledger.verify.whole import with_names
from ledger.verify.witnessed import Witnessed

STALE_MAX = timedelta(minutes=10)
STEP_BUNDLES = 8
"""After so many bundles the place moves on: what a kill costs at most."""

REREADS_MAX = 3

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A look: entries checked now and in all, new findings, and why it could not check, if so.

    `witnessed` is what the policy says now, None without one; `unheard` says of the witnesses that
    were asked in vain why.
    """

    size: int
    checked: int
    findings: tuple[dict[str, Any], ...]
    trouble: str | None
    witnessed: Witnessed | None = None
    unheard: tuple[tuple[str, str], ...] = ()


class Monitor:
    """Follows the log at `source`, of the key `vkey`, from `place` on. Used by one thread.

    `policy` says which witnesses must stand by it.

    A look stops after a step where `ended` says so. With `reports`, findings and the beginning and
    end of trouble are queued in `place` for a webhook, in the transaction that keeps them.
    """

    def __init__(
        self,
        source: Source,
        vkey: VerifierKey,
        place: Place,
        now: Clock,
        *,
        reports: bool,
        ended: Callable[[], bool] = lambda: False,
        policy: Policy | None = None,
    ) -> None:
        self._ended = ended
        self._policy = policy
        self._source = source
        self._vkey = vkey
        self._place = place
        self._now = now
        self._reports = reports
        self._load()

    def look(self) -> Outcome:
        """Check what is new, keep what was found, and say what it was."""
        before = self._place.size
        found: tuple[dict[str, Any], ...] = ()
        trouble: str | None = None
        unheard: dict[str, str] = {}
        shown = _Shown()
        try:
            self._follow(shown)
            found = self._hear(shown, unheard)
        except FaultError as error:
            found = self._keep(error, shown)
        except SourceError as error:
            trouble = error.message
        self._note_trouble(trouble)
        size = self._place.size
        witnessed = self._judge_witnesses()
        found = shown.given_up + found
        return Outcome(
            size, size - before, found, trouble, witnessed, tuple(sorted(unheard.items()))
        )

    def _follow(self, shown: _Shown) -> None:
        seen = self._read_checkpoint(shown)
        for _ in range(REREADS_MAX):
            try:
                self._accept(seen)
                while self._place.size < seen.checkpoint.size and not self._ended():
                    self._step(shown, seen.checkpoint)
                return
            except FaultError as error:
                if error.failure.kind != "file-missing":
                    raise
                # A partial tile goes when its log grows, perhaps while this one is being read.
                size = seen.checkpoint.size
                seen = self._read_checkpoint(shown)
                if seen.checkpoint.size <= size:
                    raise
        raise SourceError("the log grows faster than it can be read: look again")

    def _read_checkpoint(self, shown: _Shown) -> Seen:
        try:
            data = self._source.checkpoint()
        except NotFoundError as error:
            raise SourceError(error.message) from None
        try:
            shown.note = data
            shown.claimed = parse_body(note.parse(data).text)
            return Seen(open_checkpoint(data, self._vkey), data)
        except FormatError as error:
            raise SourceError(f"what is served is no checkpoint: {error.message}") from None
        except ProofError as error:
            failure = Failure("checkpoint-signature", f"checkpoint: {error.message}")
            raise FaultError(failure) from None

    def _accept(self, seen: Seen) -> None:
        """Show that a checkpoint continues all that were seen before it, and remember it."""
        signed = seen.checkpoint
        same = self._place.seen_at(signed.size)
        if same is not None:
            compare(self._source, same.checkpoint, signed)
        newest = self._place.newest_seen()
        if newest is not None and signed.size < newest.checkpoint.size:
            self._older(signed, newest.checkpoint, known=same is not None)
        if newest is None or signed.size > newest.checkpoint.size:
            if newest is not None:
                prove(self._source, newest.checkpoint, signed)
            self._place.see(seen, self._now())
        if self._place.stale_since is not None:
            self._place.set_stale(None)

    def _older(self, signed: Checkpoint, newest: Checkpoint, *, known: bool) -> None:
        """Raise what an older checkpoint than the newest seen one is worth."""
        if not known:
            try:
                prove(self._source, signed, newest)
            except FaultError as error:
                # Where the newer tiles are gone the two cannot be compared: a cache, or worse.
                if error.failure.kind != "file-missing":
                    raise
        reason = f"the log shows size {signed.size}, after it had signed size {newest.size}"
        now = self._now()
        since = self._place.stale_since
        if since is None:
            self._place.set_stale(now)
        elif now - since > STALE_MAX:
            at = format_instant(since)
            raise FaultError(Failure("rolled-back", f"since {at} {reason}: it was put back"))
        raise SourceError(f"{reason}: a cache between may be old")

    # -- witnesses -----------------------------------------------------------------------------

    def _hear(self, shown: _Shown, unheard: dict[str, str]) -> tuple[dict[str, Any], ...]:
        """Keep what the policy's witnesses say now; return what contradicts the log.

        `unheard` is told of each that was asked in vain. Raises FaultError at a bad cosignature.
        """
        if self._policy is None:
            return ()
        parsed = note.parse(shown.note)
        try:
            words = find_cosignatures(parsed.text, parsed.signatures, self._policy.keys)
        except ProofError as error:
            raise FaultError(Failure("cosignature", f"checkpoint: {error.message}")) from None
        found: tuple[dict[str, Any], ...] = ()
        newest = self._place.newest_seen()
        assert newest is not None  # noqa: S101 - it was followed before
        for each in not_heard(self._policy, shown.note):
            heard = ask(each, self._vkey)
            if isinstance(heard, str):
                unheard[each.name] = heard
                continue
            try:
                compare(self._source, newest.checkpoint, heard.checkpoint)
                words.append(heard.cosignature)
            except FaultError as error:
                if error.failure.kind == "file-missing":
                    unheard[each.name] = (
                        f"it cosigned size {heard.checkpoint.size}, which the log does not show"
                    )
                    continue
                found += self._keep(error, _Shown(heard.note, heard.checkpoint))
        with self._place.transaction():
            for word in words:
                self._place.hear(word)
        return found

    def _judge_witnesses(self) -> Witnessed | None:
        """Say whether a fresh quorum stands by the log, and report where that has changed."""
        policy = self._policy
        if policy is None:
            return None
        now = self._now()
        verdict = judge(policy, self._place.heard())
        witnessed = Witnessed(policy, verdict, now.timestamp())
        waiting = witnessed.waiting
        state = ""
        if waiting is not None or witnessed.silent:
            state = " ".join(["quorum" if waiting is None else "waiting", *witnessed.silent])
        if state != self._place.witnesses_state:
            with self._place.transaction():
                self._place.set_witnesses_state(state)
                if self._reports:
                    report: dict[str, Any] = {
                        "event": "witnessed" if waiting is None else "waiting-for-witnesses",
                        "log": self._vkey.name,
                        "where": self._source.where,
                        "at": format_instant(now),
                        "silent": list(witnessed.silent),
                    }
                    self._place.post(report if waiting is None else report | {"reason": waiting})
        return witnessed

    def _step(self, shown: _Shown, signed: Checkpoint) -> None:
        before = self._place.size
        first = before // TILE_WIDTH
        stop = min(bundles(signed.size), first + STEP_BUNDLES)
        try:
            with self._place.transaction():
                for n in range(first, stop):
                    self._check(n, signed)
                self._bind(signed)
                self._replay.check_claims(self._source, signed, self._policy)
                self._place.move(self._replay.entries, self._replay.recorded_at, self._tree.state)
                given_up = self._tell_recoveries(before, shown)
        except BaseException:
            # Memory is ahead of the place: back to it.
            self._load()
            raise
        shown.given_up += given_up

    def _tell_recoveries(self, before: int, shown: _Shown) -> tuple[dict[str, Any], ...]:
        """Keep which histories were given up by entries from index `before` on."""
        found: tuple[dict[str, Any], ...] = ()
        for each in self._replay.recoveries:
            if each.index >= before:
                failure = Failure("given-up", str(each), each.index, stream=STREAM)
                found += self._put(FaultError(failure), shown)
        return found

    def _check(self, n: int, signed: Checkpoint) -> None:
        width = width_of(n, signed.size)
        raw = chunk.read(self._source, n, width)
        checked = chunk.check(raw, n, width, signed.origin, self._keys)
        start = self._replay.entries
        new = chunk.after(checked, start - n * TILE_WIDTH)
        try:
            self._replay.apply(new)
        except FaultError as error:
            failure = error.failure
            if failure.statement_id is None:
                failure = with_names(self._source, signed, failure)
            raise FaultError(failure) from None
        if checked.fault is not None:
            raise FaultError(self._failure(n, checked.fault, signed))
        self._tree.add(checked.leaves)
        self._remember(new, start)

    def _remember(self, new: Chunk, start: int) -> None:
        for offset, record in enumerate(new.records):
            if Replay.is_kept(record):
                self._place.keep(start + offset, record)
        streams = dict.fromkeys(record[0] for record in new.records)
        self._place.put_heads((stream, self._replay.head(stream)) for stream in streams)

    def _bind(self, signed: Checkpoint) -> None:
        """Show that the checked entries are what the checkpoint signs, up to here."""
        size, root = self._replay.entries, self._tree.root()
        if size < signed.size:
            prove(self._source, Checkpoint(signed.origin, size, root), signed)
            return
        self._tree.finish()
        if root != signed.root:
            reason = f"the {size} entries have the root {root.hex()}, {signed.root.hex()} is signed"
            raise FaultError(Failure("checkpoint-root", reason))

    def _failure(self, n: int, fault: Fault, signed: Checkpoint) -> Failure:
        kind, offset, reason, ident, stream = fault
        index = n * TILE_WIDTH + offset
        if kind == LEAF:
            return diagnose.leaf_failure(self._source, signed, index)
        return Failure(kind, reason, index, ident, stream)

    def _load(self) -> None:
        place = self._place
        self._tree = Tree(self._source, place.tree)
        self._replay = Replay(self._vkey.name, place, KeptAccounts(place))
        self._replay.resume(place.records(), place.heads(), place.recorded_at, place.size)
        self._keys = {keyid(each): each for each in self._replay.keys}

    def _keep(self, fault: FaultError, shown: _Shown) -> tuple[dict[str, Any], ...]:
        with self._place.transaction():
            return self._put(fault, shown)

    def _put(self, fault: FaultError, shown: _Shown) -> tuple[dict[str, Any], ...]:
        """Keep a finding with both signed checkpoints; return it if it is new."""
        failure = fault.failure
        newest = self._place.newest_seen()
        claimed = shown.claimed
        evidence: dict[str, Any] = {
            "event": "finding",
            "log": self._vkey.name,
            "where": self._source.where,
            "found_at": format_instant(self._now()),
            "kind": failure.kind,
            "reason": failure.reason,
            "checked_size": self._place.size,
        }
        known = {
            "index": failure.index,
            "statement": failure.statement_id,
            "stream": failure.stream,
            "seen": None if newest is None else newest.note.decode(),
            "shown": shown.note.decode(),
        }
        evidence |= {name: value for name, value in known.items() if value is not None}
        if isinstance(fault, RewrittenError):
            evidence["proof"] = [encode_base64(each) for each in fault.proof]
            evidence["prefix"] = encode_base64(fault.prefix)
        name = f"{failure.kind} {failure.index}"
        if failure.index is None and claimed is not None and failure.kind != "checkpoint-signature":
            name = f"{failure.kind} {claimed.size} {claimed.root.hex()}"
        new = self._place.find(name, evidence)
        if new and self._reports:
            self._place.post(evidence)
        return (evidence,) if new else ()

    def _note_trouble(self, trouble: str | None) -> None:
        was = self._place.trouble
        if trouble == was:
            return
        with self._place.transaction():
            self._place.set_trouble(trouble)
            if self._reports and (trouble is None) != (was is None):
                report = {
                    "event": "checking-again" if trouble is None else "could-not-check",
                    "log": self._vkey.name,
                    "where": self._source.where,
                    "at": format_instant(self._now()),
                    "checked_size": self._place.size,
                }
                self._place.post(report if trouble is None else report | {"reason": trouble})


@dataclass(slots=True)
class _Shown:
    """What the log showed at this look, as far as it could be read; `given_up` are findings."""

    note: bytes = b""
    claimed: Checkpoint | None = None
    given_up: tuple[dict[str, Any], ...] = ()
