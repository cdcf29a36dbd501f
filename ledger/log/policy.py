"""Trust policies (C2SP tlog-policy): which logs and witnesses are known, and what is a quorum.

Lines of `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> any|all|<k> <name>…`
and exactly one `quorum <name>|none`; blank lines and lines that begin with `#` are ignored. Names
are opaque octets.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.log import note
from ledger.log.cosignature import Cosignature, CosignerKey, find_cosignatures
from ledger.log.note import VerifierKey

NONE = "none"
POLICY_SIZE_MAX = 256 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]").search
_FIELDS = re.compile(r"[^ \t]+").findall
_THRESHOLD = re.compile(r"[1-9][0-9]{0,5}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Log:
    """A known log by its key; `url` is where it is, if the policy says."""

    vkey: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A known witness: its name in the policy, its key, and its submission prefix, if given."""

    name: str
    key: CosignerKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Has witnessed a checkpoint once `threshold` of `members` (witnesses or groups) have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy; groups come after all their members. `quorum` is a name, or `none`."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def keys(self) -> tuple[CosignerKey, ...]:
        """The witnesses' keys."""
        return tuple(each.key for each in self.witnesses)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says of a checkpoint's cosignatures.

    `counted` are the cosignatures by its witnesses under their names in the policy, the newest of
    each; `completed_at` is the POSIX time of the one that completed the quorum, None while none
    is met (and where none is asked for). `renewed_at` is the newest time at which, or after, enough
    of them cosigned: how fresh the quorum is.
    """

    met: bool
    counted: tuple[tuple[str, Cosignature], ...]
    missing: tuple[str, ...]
    completed_at: int | None
    renewed_at: int | None = None


def parse(data: bytes) -> Policy:
    """Read a policy file. Raises FormatError naming the first line that is wrong."""
    if len(data) > POLICY_SIZE_MAX:
        raise FormatError(f"a policy of {len(data)} bytes, at most {POLICY_SIZE_MAX} are read")
    if _CONTROL(data):
        raise FormatError("the policy holds a control character other than tab (a CR, perhaps)")
    if not data.endswith(b"\n"):
        raise FormatError("the policy's last line does not end in a newline")
    reading = _Reading()
    # Names are octets: what is no UTF-8 is carried through unchanged.
    for number, line in enumerate(data[:-1].decode("utf-8", "surrogateescape").split("\n"), 1):
        fields = _FIELDS(line)
        if fields and not fields[0].startswith("#"):
            try:
                reading.take(fields)
            except FormatError as error:
                raise FormatError(f"line {number} of the policy: {error.message}") from None
    return reading.policy()


class _Reading:
    """The lines of a policy that were read so far."""

    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._quorum: str | None = None
        self._names: set[str] = set()
        self._used: set[str] = set()

    def take(self, fields: list[str]) -> None:
        """Take one line's fields. Raises FormatError."""
        keyword, rest = fields[0], fields[1:]
        if keyword == "log" and len(rest) in (1, 2):
            vkey = VerifierKey.parse(rest[0])
            if any(each.vkey.public_key == vkey.public_key for each in self._logs):
                raise FormatError("this log's key stands in the policy already")
            self._logs.append(Log(vkey, *rest[1:]))
        elif keyword == "witness" and len(rest) in (2, 3):
            key = CosignerKey.parse(rest[1])
            if any(each.key.public_key == key.public_key for each in self._witnesses):
                raise FormatError("this witness's key stands in the policy already")
            self._define(rest[0])
            self._witnesses.append(Witness(rest[0], key, *rest[2:]))
        elif keyword == "group" and len(rest) >= 3:
            self._take_group(rest[0], rest[1], rest[2:])
        elif keyword == "quorum" and len(rest) == 1:
            if self._quorum is not None:
                raise FormatError("a policy has exactly one quorum line")
            if rest[0] != NONE and rest[0] not in self._names:
                raise FormatError(f"{rest[0]} is not defined by a line before")
            self._quorum = rest[0]
        else:
            raise FormatError(
                "it is none of `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, "
                "`group <name> any|all|<k> <name>...`, `quorum <name>`"
            )

    def _take_group(self, name: str, wanted: str, members: list[str]) -> None:
        for each in members:
            if each not in self._names:
                raise FormatError(f"{each} is not defined by a line before")
            if each in self._used:
                raise FormatError(f"{each} is a group's member already: it would count twice")
            self._used.add(each)
        if wanted not in ("any", "all") and _THRESHOLD(wanted) is None:
            raise FormatError(f"{wanted} is neither any, nor all, nor a number from 1")
        threshold = {"any": 1, "all": len(members)}.get(wanted) or int(wanted)
        if threshold > len(members):
            raise FormatError(f"{wanted} of {len(members)} members can never be")
        self._define(name)
        self._groups.append(Group(name, threshold, tuple(members)))

    def _define(self, name: str) -> None:
        if name == NONE:
            raise FormatError("the name `none` means that no cosignature is needed")
        if name in self._names:
            raise FormatError(f"{name} is defined already")
        self._names.add(name)

    def policy(self) -> Policy:
        """Return what was read. Raises FormatError where there was no quorum line."""
        if self._quorum is None:
            raise FormatError("the policy has no quorum line; `quorum none` asks for no witness")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)


def satisfied(policy: Policy, witnessed: Collection[str]) -> bool:
    """Tell whether the quorum is met once the witnesses of these names have cosigned."""
    if policy.quorum == NONE:
        return True
    known = {each.name for each in policy.witnesses} & set(witnessed)
    for group in policy.groups:
        if sum(member in known for member in group.members) >= group.threshold:
            known.add(group.name)
    return policy.quorum in known


def judge(policy: Policy, cosignatures: Iterable[Cosignature]) -> Verdict:
    """Say whether cosignatures, which were checked already, meet the quorum, and since when."""
    # Of one key the oldest tells when its word was given first, the newest how fresh it is.
    first: dict[bytes, Cosignature] = {}
    last: dict[bytes, Cosignature] = {}
    for each in sorted(cosignatures, key=lambda one: one.time):
        ident = each.name.encode() + each.key_id
        first.setdefault(ident, each)
        last[ident] = each
    counted, missing, times = [], [], []
    newest: list[tuple[int, str]] = []
    for witness in policy.witnesses:
        ident = witness.key.name.encode() + witness.key.key_id
        if ident in last:
            counted.append((witness.name, last[ident]))
            times.append((first[ident].time, witness.name))
            newest.append((last[ident].time, witness.name))
        else:
            missing.append(witness.name)
    return Verdict(
        satisfied(policy, [name for name, _ in counted]),
        tuple(counted),
        tuple(missing),
        _enough(policy, sorted(times)),
        _enough(policy, sorted(newest, reverse=True)),
    )


def _enough(policy: Policy, given: Iterable[tuple[int, str]]) -> int | None:
    """Return the time of the witness, of those in order, with whom the quorum is met."""
    done: list[str] = []
    for time, name in given:
        done.append(name)
        if policy.quorum != NONE and satisfied(policy, done):
            return time
    return None


def judge_note(policy: Policy, data: bytes) -> Verdict:
    """Say whether a signed note's cosignatures meet the quorum; the log's own is not looked at.

    Raises FormatError, or ProofError at a bad cosignature by a witness of the policy.
    """
    parsed = note.parse(data)
    return judge(policy, find_cosignatures(parsed.text, parsed.signatures, policy.keys))
