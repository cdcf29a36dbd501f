"""A dispute: a member's complaint about an entry or a published ranking (stream `dispute/<id>`).

    received → acknowledged → accepted → checking ⇄ held → heard → decided → notified → announced
       acknowledged → declined, or back again at another unit; checking and held may end (closed);
       decided, declined and closed → appealed → drawn → decided again, for good; all before
       decided may be withdrawn, and what was accepted may go on all the same

Who filed and about what are salted commitments (B9): the envelope that the member signed, of type
`dispute.filed`, and the target stay with intake. A decision that changes an entry opens the target,
and only that: the correction on the member's stream is public anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ledger.domain.event import Event
from ledger.domain.texts import ERASED, commitments

RECEIVED, ACKNOWLEDGED, ACCEPTED = "received", "acknowledged", "accepted"
CHECKING, HELD, HEARD = "checking", "held", "heard"
DECIDED, NOTIFIED, ANNOUNCED = "decided", "notified", "announced"
APPEALED, DRAWN = "appealed", "drawn"
DECLINED, CLOSED, WITHDRAWN = "declined", "closed", "withdrawn"

UNDER_WAY = (ACCEPTED, CHECKING, HELD, HEARD)
OPEN = frozenset({RECEIVED, ACKNOWLEDGED, *UNDER_WAY, APPEALED, DRAWN})
"""In these states the case is open: nothing about it is erased (B22)."""
SETTLED = frozenset({DECIDED, NOTIFIED, ANNOUNCED})

DISMISSED, REVERSES, CORRECTS = "dismissed", "reversed", "corrected"

WAY: dict[str, dict[str, str]] = {
    "dispute.acknowledged": {RECEIVED: ACKNOWLEDGED},
    "dispute.accepted": {ACKNOWLEDGED: ACCEPTED},
    "dispute.transferred": dict.fromkeys((ACKNOWLEDGED, *UNDER_WAY), ACKNOWLEDGED),
    "dispute.declined": {ACKNOWLEDGED: DECLINED},
    "dispute.checked talk": dict.fromkeys((ACCEPTED, CHECKING, HELD), CHECKING),
    "dispute.checked preliminary": dict.fromkeys((ACCEPTED, CHECKING, HELD), CHECKING),
    "dispute.checked held": dict.fromkeys((ACCEPTED, CHECKING), HELD),
    "dispute.checked closed": dict.fromkeys((ACCEPTED, CHECKING, HELD), CLOSED),
    "dispute.evidenced": {each: each for each in OPEN},
    "dispute.heard": dict.fromkeys((CHECKING, HEARD), HEARD),
    "dispute.decided": {HEARD: DECIDED},
    "dispute.notified": {DECIDED: NOTIFIED, DECLINED: DECLINED, CLOSED: CLOSED},
    "dispute.announced": {NOTIFIED: ANNOUNCED},
    "dispute.appealed": dict.fromkeys((*SETTLED, DECLINED, CLOSED), APPEALED),
    "dispute.drawn": {APPEALED: DRAWN},
    "dispute.reexamined": {DRAWN: DECIDED},
    "dispute.withdrawn": dict.fromkeys((RECEIVED, ACKNOWLEDGED, *UNDER_WAY), WITHDRAWN),
    "dispute.continued": {WITHDRAWN: WITHDRAWN},
    "dispute.lapsed acknowledgement": {RECEIVED: RECEIVED},
    "dispute.lapsed acceptance": {ACKNOWLEDGED: ACKNOWLEDGED},
    "dispute.lapsed decision": {each: each for each in UNDER_WAY},
    "dispute.lapsed reexamination": {APPEALED: APPEALED, DRAWN: DRAWN},
    "dispute.extended": {each: each for each in OPEN},
}
"""Statement (with its outcome or term) → state → state. Who withdrew is continued where it was."""


class Part(NamedTuple):
    """Who signed what of a case: the statement's type and id, its keys, and when."""

    type: str
    id: str
    keyids: tuple[str, ...]
    recorded_at: str


class Disclosed(NamedTuple):
    """The entry that a decision is about, opened from the commitment to the target."""

    stream: str
    entry: str


class Ruling(NamedTuple):
    """What was decided: the statement's id, its outcome, the keys, and the entry if it is open."""

    id: str
    outcome: str
    keyids: tuple[str, ...]
    about: Disclosed | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A case. `unit` is where it is handled; `index` is that of the statement that appealed it.

    `term_at` is when the term that now runs began, `accepted_at` when who may decide was fixed
    (B22); `lapses`, `until` and `extended` are those of the term. `evidence` counts what others
    than the filer brought. `resumes` is the state before a withdrawal.
    """

    id: str
    version: int
    unit: str
    kind: str
    target: str
    filer: str
    anonymous: bool
    state: str
    received_at: str
    term_at: str
    parts: tuple[Part, ...]
    accepted_at: str | None = None
    ended_at: str | None = None
    evidence: int = 0
    ruling: Ruling | None = None
    index: int | None = None
    pool: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    reexamined: bool = False
    resumes: str | None = None
    lapses: int = 0
    until: str | None = None
    extended: bool = False
    texts: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()
    """The commitments in its statements, and those of them that were erased."""

    @property
    def open(self) -> bool:
        """Whether the case is open."""
        return self.state in OPEN

    def keys_of(self, *types: str) -> tuple[str, ...]:
        """Return the key ids that signed statements of these types, or of any if none is named."""
        return tuple(k for part in self.parts if not types or part.type in types
                     for k in part.keyids)  # fmt: skip


def name_of(kind: str, body: dict[str, Any]) -> str:
    """Return a statement's name in `WAY`: its type, with its step or term if it has one."""
    qualifier = body.get("step") if kind == "dispute.checked" else body.get("term")
    return f"{kind} {qualifier}" if qualifier else kind


def evolve(dispute: Dispute | None, event: Event) -> Dispute:
    """Fold an event of `dispute/<id>`."""
    proposal = event.proposal
    kind, body, at = proposal.type, proposal.body, event.recorded_at
    part = Part(kind, proposal.id, proposal.keyids, at)
    held = frozenset(commitments(body))
    if dispute is None:
        return Dispute(
            proposal.stream.partition("/")[2],
            event.seq,
            body["unit"],
            body["kind"],
            body["target"],
            body["filer"],
            body.get("anonymous", False),
            RECEIVED,
            at,
            at,
            (part,),
            texts=held,
        )
    if kind == ERASED:
        erased = dispute.erased | {body["commitment"]}
        return replace(dispute, version=event.seq, erased=erased)
    dispute = replace(
        dispute, version=event.seq, parts=(*dispute.parts, part), texts=dispute.texts | held
    )
    if kind == "dispute.lapsed":
        return replace(dispute, term_at=at, lapses=dispute.lapses + 1, until=None, extended=False)
    if kind == "dispute.extended":
        return replace(dispute, until=body["until"], extended=True)
    if kind == "dispute.evidenced":
        return replace(dispute, evidence=dispute.evidence + len(body["evidence"]))
    if kind == "dispute.continued":
        return replace(dispute, state=dispute.resumes or ACCEPTED, resumes=None)
    return _moved(dispute, event)


_TERM_OPENS = frozenset(
    {"dispute.acknowledged", "dispute.accepted", "dispute.transferred", "dispute.appealed"}
)


def _moved(dispute: Dispute, event: Event) -> Dispute:
    proposal, at = event.proposal, event.recorded_at
    kind, body = proposal.type, proposal.body
    state = WAY[name_of(kind, body)].get(dispute.state, dispute.state)
    if kind == "dispute.withdrawn":
        return replace(dispute, state=state, resumes=dispute.state)
    if kind in _TERM_OPENS:
        dispute = replace(dispute, term_at=at, lapses=0, until=None, extended=False)
    if kind == "dispute.accepted":
        dispute = replace(dispute, accepted_at=at)
    elif kind == "dispute.transferred":
        dispute = replace(dispute, unit=body["unit"], accepted_at=None)
    elif kind == "dispute.appealed":
        dispute = replace(dispute, index=event.index, pool=tuple(body["pool"]))
    elif kind == "dispute.drawn":
        dispute = replace(dispute, drawn=tuple(body["chosen"]))
    elif kind in {"dispute.decided", "dispute.reexamined"}:
        about = body.get("about")
        opened = Disclosed(about["stream"], about["entry"]) if about and "stream" in about else None
        if opened is None and dispute.ruling is not None:
            opened = dispute.ruling.about
        ruling = Ruling(proposal.id, body["outcome"], proposal.keyids, opened)
        dispute = replace(
            dispute, ruling=ruling, ended_at=at, reexamined=kind == "dispute.reexamined"
        )
    elif state in {DECLINED, CLOSED} and kind != "dispute.notified":
        dispute = replace(dispute, ended_at=at)
    return replace(dispute, state=state)
