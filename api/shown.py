"""Answers to the committee as JSON values, the same over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

from ledger.entry import format_instant
from ledger.store.register import Filed, Opened
from projections.disputes import CaseFile, Cases, Standing
from projections.finding import Found, Page
from projections.fold import AsOf

_INTERNAL = {"packed", "fixed"}


def as_of(found: AsOf) -> dict[str, Any]:
    """Return the position that an answer holds for."""
    said: dict[str, Any] = {"size": found.size, "recorded_at": found.recorded_at}
    return said | ({"parked": list(found.parked)} if found.parked else {})


def page(found: Page) -> dict[str, Any]:
    """Return a page of entries; `after` is for the next page, null at the end."""
    return {
        "as_of": as_of(found.as_of),
        "entries": [_entry(each) for each in found.found],
        "after": found.after,
    }


def _entry(found: Found) -> dict[str, Any]:
    row = {k: v for k, v in found.entry._asdict().items() if k not in _INTERNAL}
    return row | {"steps": [each._asdict() for each in found.hands]}


def cases(found: Cases) -> dict[str, Any]:
    """Return disputes with what is due, the nearest first."""
    listed = [_standing(each) for each in found.standings]
    return {"as_of": as_of(found.as_of), "today": found.today, "disputes": listed}


def _standing(found: Standing) -> dict[str, Any]:
    due = {"term": found.term, "due": found.due, "warning": found.warning}
    return found.case._asdict() | due


def case_file(found: CaseFile) -> dict[str, Any]:
    """Return a dispute with its steps."""
    parts = [each._asdict() for each in found.parts]
    return {"as_of": as_of(found.as_of)} | _standing(found.standing) | {"parts": parts}


def filed(found: Filed, debits: Page | None) -> dict[str, Any]:
    """Return what the register holds of a case, with debits on the filer soon after filing.

    `retaliation` is None where no member is known: nothing was looked at then. It flags, and
    judges nothing. `as_of` is the position that it holds for.
    """
    return {
        "as_of": None if debits is None else as_of(debits.as_of),
        "dispute": found.dispute,
        "envelope": found.envelope.decode(errors="replace"),
        "envelope_salt": found.envelope_salt.hex(),
        "target": found.target,
        "target_salt": found.target_salt.hex(),
        "filer": found.filer,
        "member": found.member,
        "stored_at": format_instant(found.stored_at),
        "retaliation": None if debits is None else [_entry(each) for each in debits.found],
    }


def access(found: Opened) -> dict[str, Any]:
    """Return a line of the access log."""
    return found._asdict() | {"opened_at": format_instant(found.opened_at)}
