"""An organisation whose entries walk the full path, and the words for each step of the way.

Beside the people of `tests.support.chronicle`: `lead-1`, group leader over east; `in-1`, intake;
`up-2`, a second `upper`; `clerk`, the service actor. Member m-2 is `mem-2`, m-3 the committee
member `east-com-3`, m-4 the secretary `east-sec`; m-5 and m-6 have no key.
"""

from __future__ import annotations

from typing import Any

from ledger.domain.account import Account, PointsEntry, effective
from ledger.domain.lapses import Due, due_terms
from tests.support.chronicle import Chronicle
from tests.support.organisation import COMMITMENT

CLAIMED_ON = "2026-01-12"
REVIEWERS = ("east-com-1", "east-com-2")
SLIP = [{"kind": "signed_slip", "commitment": COMMITMENT}]
PHOTO = [{"kind": "photo", "commitment": COMMITMENT}]


class Passage(Chronicle):
    """A chronicle of the way; days are given, what is not is what the rules ask for."""

    def __init__(self, **rules: Any) -> None:
        super().__init__()
        for name, role, unit in (
            ("lead-1", "group_leader", "east"),
            ("in-1", "intake", "root"),
            ("up-2", "upper", "root"),
            ("clerk", "service", "root"),
        ):
            self.give(name, role, unit)
        self.envelope(self.organisation.key("mem-2"))
        for member, actor in (("m-2", "mem-2"), ("m-3", "east-com-3"), ("m-4", "east-sec")):
            self.say("member.linked", f"member/{member}", {"actor": actor})
        self.publish(**rules)

    def account(self, member: str = "m-2") -> Account:
        """The account of a member."""
        return self.world.accounts.get(f"member/{member}") or Account()

    def entry(self, ident: str, member: str = "m-2") -> PointsEntry:
        """An entry of a member."""
        return self.account(member).entries[ident]

    def state(self, ident: str, member: str = "m-2") -> str:
        """Where an entry stands."""
        return self.entry(ident, member).state

    def counting(self, member: str = "m-2") -> set[str]:
        """The ids of a member's effective entries."""
        account = self.account(member)
        return {
            each.id
            for each in account.entries.values()
            if effective(account, each, self.world.accounts.get)
        }

    def due(self, day: str, member: str = "m-2") -> list[Due]:
        """What has lapsed by a day."""
        return list(due_terms(self.world, member, self.account(member), day))

    def on(
        self,
        kind: str,
        body: dict[str, Any],
        *signers: str,
        day: str = CLAIMED_ON,
        member: str = "m-2",
    ) -> str:
        """Say something on a member's stream."""
        return self.say(f"points.{kind}", f"member/{member}", body, signers, day)

    def no(
        self,
        rule: str,
        kind: str,
        body: dict[str, Any],
        *signers: str,
        day: str = CLAIMED_ON,
        member: str = "m-2",
    ) -> str:
        """Assert that it is refused by that rule, and return the reason."""
        return self.refused(rule, f"points.{kind}", f"member/{member}", body, signers, day)

    # -- steps ----------------------------------------------------------------------------------

    def claim(
        self, *signers: str, day: str = CLAIMED_ON, member: str = "m-2", **changed: Any
    ) -> str:
        """Claim an act of 10 January under C-1."""
        return self.on("claimed", act(**changed), *(signers or ("mem-2",)), day=day, member=member)

    def check(self, ident: str, *signers: str, **given: Any) -> str:
        """Do the group check, for normal review by two unless told otherwise."""
        where = {key: given.pop(key) for key in ("day", "member") if key in given}
        body = {"entry": ident, "review": "normal", "reviewers": 2} | given
        return self.on("checked", body, *(signers or ("lead-1",)), **where)

    def review(self, ident: str, *signers: str, **given: Any) -> str:
        """Review with the evidence opened."""
        where = {key: given.pop(key) for key in ("day", "member") if key in given}
        body = {"entry": ident, "place": "committee", "opened": [COMMITMENT]} | given
        return self.on("reviewed", body, *(signers or REVIEWERS), **where)

    def reviewed(self, *signers: str, **given: Any) -> str:
        """Claim, check and review, and return the entry's id."""
        member = given.pop("member", "m-2")
        points = {"points": given["points"]} if "points" in given else {}
        ident = self.claim(*signers, member=member, **given)
        self.check(ident, member=member)
        self.review(ident, member=member, **points)
        return ident

    def published(self, *signers: str, **given: Any) -> str:
        """Go on to publicity, which closes on 19 January, five working days later."""
        member = given.get("member", "m-2")
        ident = self.reviewed(*signers, **given)
        body = {"entry": ident, "closes": "2026-01-19"}
        self.on("published", body, "east-sec", member=member)
        return ident

    def lapse(self, ident: str, term: str, due: str, day: str, member: str = "m-2") -> str:
        """Record that a term ran out."""
        return self.on(
            "lapsed", {"entry": ident, "term": term, "due": due}, "clerk", day=day, member=member
        )

    def final(self, *signers: str, **given: Any) -> str:
        """Go on until the entry is final, on 20 January."""
        ident = self.published(*signers, **given)
        self.lapse(ident, "publicity", "2026-01-19", "2026-01-20", given.get("member", "m-2"))
        return ident


def act(**changed: Any) -> dict[str, Any]:
    """The body of a claim."""
    return {
        "rulebook": "rules",
        "version": "1.0.0",
        "item": "C-1",
        "act_date": "2026-01-10",
        "reason": COMMITMENT,
        "evidence": PHOTO,
    } | changed


def why(ident: str, **more: Any) -> dict[str, Any]:
    """A body that names an entry and a reason."""
    return {"entry": ident, "reason": COMMITMENT} | more
