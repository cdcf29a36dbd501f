"""An organisation with a discipline body, and the words for each step of a dispute.

Beside the people of `tests.support.passage`: `disc-1` to `disc-3`, discipline over east;
`high-1` and `high-2`, discipline over root, which is the unit above east.
"""

from __future__ import annotations

from typing import Any

from ledger.commitment import commit
from ledger.domain.dispute import Dispute
from ledger.domain.draw import drawn
from ledger.domain.ruling import target_bytes
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage

FILED_ON = "2026-01-21"
SALT = "5a" * 32
ROOT = "07" * 32
CASE = "d-1"


class Hearing(Passage):
    """A passage with one dispute, `d-1`, unless told otherwise."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(**rules)
        for name, unit in (
            ("disc-1", "east"),
            ("disc-2", "east"),
            ("disc-3", "east"),
            ("high-1", "root"),
            ("high-2", "root"),
        ):
            self.give(name, "discipline", unit)

    @property
    def case(self) -> Dispute:
        """The dispute as it stands."""
        found = self.world.disputes.get(CASE)
        assert found is not None
        return found

    def do(self, said: str, /, *signers: str, day: str = FILED_ON, **body: Any) -> str:
        """Say something on the dispute's stream."""
        return self.say(f"dispute.{said}", f"dispute/{CASE}", body, signers, day)

    def not_(self, rule: str, said: str, /, *signers: str, day: str = FILED_ON, **body: Any) -> str:
        """Assert that it is refused by that rule, and return the reason."""
        return self.refused(rule, f"dispute.{said}", f"dispute/{CASE}", body, signers, day)

    def received(self, entry: str = "", member: str = "m-2", **more: Any) -> None:
        """Receive a dispute about an entry, or about the period `y` without one."""
        target = {"stream": f"member/{member}", "entry": entry} if entry else {"period": "y"}
        self.do(
            "received",
            "in-1",
            unit=more.pop("unit", "east"),
            kind="entry" if entry else "ranking",
            filer=COMMITMENT,
            target=commit(bytes.fromhex(SALT), target_bytes(target)),
            **more,
        )

    def accepted(self, entry: str = "", **more: Any) -> None:
        """Go on until it is accepted."""
        self.received(entry, **more)
        self.do("acknowledged", "in-1")
        self.do("accepted", "disc-1")

    def heard(self, entry: str = "", **more: Any) -> None:
        """Go on until it is heard, on the same day."""
        self.accepted(entry, **more)
        self.do("checked", "disc-1", step="preliminary", reason=COMMITMENT)
        self.do("heard", "disc-1", "disc-2", held_on=FILED_ON, bundle=COMMITMENT)

    def decided(self, entry: str = "", outcome: str = "dismissed", member: str = "m-2") -> str:
        """Go on until it is decided, on the 22nd."""
        self.heard(entry, member=member)
        return self.decide(entry, outcome, member=member)

    def decide(self, entry: str, outcome: str, *signers: str, **more: Any) -> str:
        """Decide on the 22nd, with the target opened where something changes."""
        body = self.deciding(entry, outcome, **more)
        day = "2026-01-22"
        return self.do("decided", *(signers or ("disc-1", "disc-2")), day=day, **body)

    def deciding(self, entry: str, outcome: str, member: str = "m-2") -> dict[str, Any]:
        """The body of a decision."""
        body: dict[str, Any] = {"outcome": outcome, "reason": COMMITMENT}
        if outcome != "dismissed":
            target = {"stream": f"member/{member}", "entry": entry} if entry else {"period": "y"}
            body["about"] = target | {"salt": SALT}
        return body

    def appealed(self, day: str = "2026-01-23", **more: Any) -> None:
        """Appeal, with everybody of the unit above on the list."""
        pool = ["high-1", "high-2", "up-1", "up-2"]
        self.do("appealed", "in-1", day=day, filer=COMMITMENT, pool=pool, **more)

    def draw(self, day: str = "2026-01-24", **changed: Any) -> tuple[str, ...]:
        """Draw by the checkpoint that covers the appeal, and return who was drawn."""
        assert self.case.index is not None
        chosen = drawn(bytes.fromhex(ROOT), CASE, self.case.pool, 2)
        body = {"size": self.case.index + 1, "root": ROOT, "chosen": list(chosen)} | changed
        self.do("drawn", "in-1", day=day, **body)
        return chosen
