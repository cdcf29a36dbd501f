"""A month that is over with its table published, and the sealing of its state, as people run it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger import keyfile
from ledger.store.ledger import Ledger, initialise
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation, key_of
from tests.support.server import mingzhang

STREAM = "period/p"


class Young(Organisation):
    """An organisation whose rulebook's year begins on the first day on which it holds."""

    def rulebook(
        self, version: str = "1.0.0", effective_from: str | None = None, **more: Any
    ) -> bytes:
        return super().rulebook(
            version, effective_from, period={"start": self.first_day[5:]}, **more
        )


def done(result: subprocess.CompletedProcess[str], status: int = 0) -> str:
    """Assert a command's exit status, and return what it printed."""
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


def published_month(
    folder: Path, url: str, record: Callable[[Ledger, Organisation], None]
) -> tuple[Organisation, str]:
    """Fill the ledger `folder/data` with a month whose table is published today.

    `record` records what happens in it. People sign at this moment: the keys of `sec-1` and `com-1`
    are written beside. Returns the organisation, and the month as YYYY-MM.
    """
    now = datetime.now(UTC)
    last = now.replace(day=1) - timedelta(1)
    first = last.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = first - timedelta(1)
    organisation, clock = Young(start=start), SteadyClock(start)
    days = {"start": first.date().isoformat(), "end": last.date().isoformat()}
    body = {"unit": "root", "rulebook": "rules", "kind": "month"} | days
    initialise(folder / "data", ORIGIN)
    with Ledger.open(folder / "data", url=url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
        record(ledger, organisation)
        clock.pass_days((now - start).days - 1)
        ledger.append(organisation.statement("period.opened", STREAM, "sec-1", body))
        ledger.append(organisation.statement("period.cut_off", STREAM, "sec-1", {}))
        size = {"as_of": ledger.size()}
        ledger.append(
            organisation.statement("period.published", STREAM, "sec-1", size, also=("com-1",))
        )
    for name in ("sec-1", "com-1"):
        keyfile.save(folder / f"{name}.key", key_of(name), None)
    return organisation, days["start"][:7]


def seal(folder: Path, env: dict[str, str], tree: str, body: Path) -> None:
    """Sign a body as the secretary, cosign it as the committee, and submit it."""
    envelope = folder / f"{tree}.envelope"
    done(
        mingzhang(
            *("sign", "state.sealed", STREAM, "--log", ORIGIN),
            *("--body", f"@{body}", "--actor", "sec-1", "--key", folder / "sec-1.key"),
            *("--out", envelope),
        )
    )
    done(mingzhang("cosign", envelope, "--key", folder / "com-1.key"))
    where = ("--data", folder / "data", "--receipts", folder / "receipts")
    done(mingzhang("submit", envelope, *where, env=env))
