"""Every read model there is."""

from __future__ import annotations

from projections.fold import ReadModel
from projections.rankings import RANKINGS
from projections.statements import STATEMENTS
from projections.terms import TERMS

MODELS: tuple[ReadModel, ...] = (RANKINGS, STATEMENTS, TERMS)
