"""Every read model there is."""

from __future__ import annotations

from projections.disputes import DISPUTES
from projections.dossier import STATEMENTS
from projections.entries import ENTRIES
from projections.fold import ReadModel
from projections.funds import FUNDS
from projections.redactions import REDACTIONS
from projections.scores import RANKINGS
from projections.terms import TERMS

MODELS: tuple[ReadModel, ...] = (
    RANKINGS,
    STATEMENTS,
    TERMS,
    DISPUTES,
    ENTRIES,
    FUNDS,
    REDACTIONS,
)
