"""A line of the table of statement types: where it belongs, who decides it, what it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ledger.domain.event import Proposal
from ledger.domain.world import World


def nothing(proposal: Proposal) -> tuple[str, ...]:
    """Name no account: the world is enough."""
    del proposal
    return ()


def own(proposal: Proposal) -> tuple[str, ...]:
    """Name the account of the member whose stream it is."""
    return (proposal.stream,)


class Rule(NamedTuple):
    """The kind of a type's stream, its decision, and the streams of the accounts it reads."""

    kind: str
    decide: Callable[[World, Proposal, str, str], None]
    needs: Callable[[Proposal], tuple[str, ...]] = nothing
    also: str = ""
    """Another kind of stream in which it belongs as well."""
