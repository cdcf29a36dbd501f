"""A small organisation with keys of its own, whose statements tests sign and append.

Every key is derived from its owner's name and ids are counted, so that the same calls give the
same bytes. Nothing here needs a database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.domain.days import zone_date
from ledger.entry import format_instant, new_id, statement_payload
from ledger.rules.period import following
from ledger.signing import PrivateKey, encode_base64, sign_envelope

ORIGIN = "test.example/points"
ZONE = "Asia/Shanghai"
START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
COMMITMENT = "ab" * 32

Envelope = bytes


def key_of(name: str) -> PrivateKey:
    """Return the key that belongs to `name` in every test."""
    return PrivateKey.from_seed(hashlib.sha256(b"test key of " + name.encode()).digest())


class Organisation:
    """Makes signed statements of an organisation; ids and `signed_at` are of the instant `start`.

    What it sets up is of the day `today`. Its rulebook holds from the day after, `first_day`, since
    a version is published before the first day that it prices (rule A2), and acts are of that day:
    record the set-up, let a day pass on the ledger's clock, then record acts.

    Its people: registrars `reg-1` and `reg-2` (the founders), `rec-1` and `rec-2` (recorders),
    `com-1` and `com-2` (committee) and `sec-1` (secretary), all over `root`. Its units: `root` and
    the branch `east`; the policy of `root` allows the short path.
    Its members: `m-1` … `m-<members>` in `east`; `rec-2` is member `m-1`.
    """

    def __init__(self, *, origin: str = ORIGIN, members: int = 4, start: datetime = START) -> None:
        self.origin = origin
        self.members = [f"m-{n}" for n in range(1, members + 1)]
        self.now = start
        self.today = zone_date(ZONE, format_instant(start))
        self.first_day = following(self.today)
        self._count = 0

    def statement(
        self,
        kind: str,
        stream: str,
        actor: str,
        body: dict[str, Any],
        *,
        also: tuple[str, ...] = (),
        ident: str | None = None,
        after: str | None = None,
        signed_at: datetime | None = None,
    ) -> Envelope:
        """Return an envelope signed by the keys of `actor` and of everyone in `also`."""
        payload = statement_payload(
            type=kind,
            id=ident or self.new_id(),
            log=self.origin,
            stream=stream,
            actor=actor,
            signed_at=format_instant(signed_at or self.now),
            body=body,
            after=after,
        )
        return sign_envelope(payload, [key_of(name) for name in (actor, *also)])

    def new_id(self) -> str:
        """Return the next statement id."""
        self._count += 1
        random = hashlib.sha256(self.origin.encode() + self._count.to_bytes(8, "big")).digest()
        return new_id(self.now + timedelta(milliseconds=self._count), random[:10])

    def founding(self) -> Envelope:
        """Return the founding statement, signed by both founders."""
        keys = [
            {
                "actor": name,
                "suite": "ed25519",
                "public_key": encode_base64(key_of(name).public_key),
            }
            for name in ("reg-1", "reg-2")
        ]
        body = {"time_zone": ZONE, "threshold": 2, "keys": keys}
        return self.statement("ledger.founded", "ledger/root", "reg-1", body, also=("reg-2",))

    def set_up(self) -> Iterator[Envelope]:
        """Yield everything up to the first points: founding, units, keys, roles, rules, members."""
        yield self.founding()
        yield self.unit("root", None)
        yield self.unit("east", "root")
        for name, role in (
            ("rec-1", "recorder"),
            ("rec-2", "recorder"),
            ("com-1", "committee"),
            ("com-2", "committee"),
            ("sec-1", "secretary"),
        ):
            yield self.key(name)
            yield self.role(name, role)
        yield self.policy()
        yield self.rulebook()
        for number, member in enumerate(self.members):
            yield self.enrolment(member, actor="rec-2" if number == 0 else None)

    def unit(self, ident: str, parent: str | None) -> Envelope:
        """Return the opening of a unit."""
        body: dict[str, Any] = {"name_zh": ident, "name_en": ident, "start": self.today}
        if parent is not None:
            body["parent"] = parent
        return self.statement("unit.opened", f"unit/{ident}", "reg-1", body)

    def key(self, name: str, key: PrivateKey | None = None) -> Envelope:
        """Return the registration of a key, signed by it and by `reg-1`."""
        new = key or key_of(name)
        payload = statement_payload(
            type="key.registered",
            id=self.new_id(),
            log=self.origin,
            stream=f"actor/{name}",
            actor="reg-1",
            signed_at=format_instant(self.now),
            body={"suite": "ed25519", "public_key": encode_base64(new.public_key)},
        )
        return sign_envelope(payload, [new, key_of("reg-1")])

    def role(self, name: str, role: str, unit: str = "root") -> Envelope:
        """Return the grant of a role by `reg-1` (by both registrars for `registrar`)."""
        also = ("reg-2",) if role == "registrar" else ()
        return self.statement(
            "role.granted", f"actor/{name}", "reg-1", {"role": role, "unit": unit}, also=also
        )

    def policy(self, unit: str = "root", *, short_path: bool = True) -> Envelope:
        """Return a policy: whether a recorder and a committee member are enough in a unit."""
        return self.statement(
            "policy.adopted",
            f"unit/{unit}",
            "sec-1",
            {"short_path": short_path},
            also=("com-1",),
        )

    def rulebook(
        self, version: str = "1.0.0", effective_from: str | None = None, **more: Any
    ) -> Envelope:
        """Return the publication of `rules`: a credit `C-1` and a debit `D-1`, any points.

        `more` are members of the document beside these.
        """
        items = [
            {
                "code": code,
                "category": "A",
                "name_zh": code,
                "name_en": code,
                "act_type": "test.act",
                "kind": kind,
                "unit": "occurrence",
                "min": 1,
                "max": 1_000_000,
            }
            for code, kind in (("C-1", "credit"), ("D-1", "debit"))
        ]
        body = {
            "unit": "root",
            "version": version,
            "effective_from": effective_from or self.first_day,
            "title_zh": "细则",
            "title_en": "Rules",
            "member_types": [{"code": "ordinary", "name_zh": "普通党员"}],
            "items": items,
        } | more
        return self.statement(
            "rulebook.published", "rulebook/rules", "sec-1", body, also=("com-1",)
        )

    def enrolment(self, member: str, unit: str = "east", actor: str | None = None) -> Envelope:
        """Return a member's enrolment."""
        body: dict[str, Any] = {"unit": unit, "member_type": "ordinary"}
        if actor is not None:
            body["actor"] = actor
        return self.statement("member.enrolled", f"member/{member}", "reg-1", body)

    def award(
        self,
        member: str,
        points: int = 100,
        *,
        kind: str = "points.awarded",
        signers: tuple[str, ...] = ("rec-1", "com-1"),
        ident: str | None = None,
        after: str | None = None,
        **changed: Any,
    ) -> Envelope:
        """Return an award (with `kind` a deduction); `changed` replaces members of the body."""
        body = self.act(points, item="C-1" if kind == "points.awarded" else "D-1", **changed)
        return self.statement(
            kind,
            f"member/{member}",
            signers[0],
            body,
            also=signers[1:],
            ident=ident,
            after=after,
        )

    def correction(
        self,
        member: str,
        reverses: str,
        points: int | None = None,
        *,
        signers: tuple[str, ...] = ("rec-1", "com-1"),
    ) -> Envelope:
        """Return a correction: a reversal of a statement id, with a replacement if `points`."""
        body: dict[str, Any] = {"reverses": reverses, "reason": COMMITMENT}
        if points is not None:
            body["replacement"] = {"type": "points.awarded", **self.act(points)}
        return self.statement(
            "points.corrected", f"member/{member}", signers[0], body, also=signers[1:]
        )

    def act(self, points: int = 100, item: str = "C-1", **changed: Any) -> dict[str, Any]:
        """Return the body of an award."""
        return {
            "rulebook": "rules",
            "version": "1.0.0",
            "item": item,
            "points": points,
            "act_date": self.first_day,
            "reason": COMMITMENT,
            "evidence": [{"kind": "photo", "commitment": COMMITMENT}],
        } | changed
