"""Every read model there is."""

from __future__ import annotations

from projections.fold import ReadModel
from projections.rankings import RANKINGS
from projections.statements import STATEMENTS

MODELS: tuple[ReadModel, ...] = (RANKINGS, STATEMENTS)
