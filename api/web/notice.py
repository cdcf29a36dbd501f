"""The page that checks papers: the root that a locator finds, to be compared with the print."""

from __future__ import annotations

from api.paper import locator
from api.web import show
from api.web.models import LocatedView, LogView, NoticeView
from api.web.register import Known
from ledger.errors import FormatError
from ledger.store.reader import Reader


def notice_view(reader: Reader, log: LogView, known: Known, code: str | None) -> NoticeView:
    """Return the page; `code` is a locator that was typed, None without one."""
    located, fault = None, ""
    root = b""
    if code is not None:
        try:
            size = locator.size_of(code)
        except FormatError:
            fault = "locator_wrong"
        else:
            if size > log.size:
                fault = "locator_beyond"
            else:
                root = reader.root(size)
                located = LocatedView(locator.locator_of(size), size, show.grouped(root))
    return NoticeView(
        log=log,
        located=located,
        fault=fault,
        checked={
            "vkey": log.vkey,
            "member": "",
            "complete": True,
            "folded": log.size,
            "entries": [],
            **known.proofs(()),
            "isNotice": True,
            "located": None if located is None else {"size": located.size, "root": root.hex()},
        },
    )
