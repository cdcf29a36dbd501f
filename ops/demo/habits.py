"""How often things happen in the demo's branches: one line an item, in an ordinary month.

The figures follow what branches publish: some 150 entries a month for 40 members, most of them
credits for everyday service, roll calls where a rulebook rewards presence, few debits, and rare
honours.
"""

from __future__ import annotations

from typing import NamedTuple

EVERY_MONTH = tuple(range(1, 13))
QUARTER_ENDS = (3, 6, 9, 12)
DECEMBER = (12,)


class Habit(NamedTuple):
    """`times` a month (a fraction is a chance), for `people_min` to `people_max` members each time.

    Quantities are in hundredths of the item's unit; `months` are those in which it happens at all.
    """

    item: str
    times: float
    people_min: int = 1
    people_max: int = 1
    quantity_min: int = 100
    quantity_max: int = 100
    months: tuple[int, ...] = EVERY_MONTH


_RURAL = (
    Habit("R-C2-01", 7, 4, 8, 100, 300),
    Habit("R-C3-01", 3, 7, 12),
    Habit("R-C2-03", 22, quantity_min=100, quantity_max=300),
    Habit("R-C3-04", 12, quantity_min=200, quantity_max=600),
    Habit("R-C3-05", 7, 2, 2),
    Habit("R-C2-04", 8),
    Habit("R-C2-02", 5),
    Habit("R-C1-01", 1, 14, 20, months=(4, 10)),
    Habit("R-C1-02", 0.7),
    Habit("R-C1-03", 1, 22, 30, months=QUARTER_ENDS),
    Habit("R-C2-05", 0.25),
    Habit("R-C3-02", 2, 3, 6, months=(6, 7, 8)),
    Habit("R-C3-02", 1, 2, 4, months=(2, 3, 4, 11)),
    Habit("R-C3-03", 0.3),
    Habit("R-C3-06", 2, months=(7, 8, 9, 10, 11, 12)),
    Habit("R-C4-01", 0.8),
    Habit("R-C4-02", 0.5),
    Habit("R-C4-04", 0.08),
    Habit("R-C5-01", 0.4, months=(1, 6, 7, 12)),
    Habit("R-C5-02", 0.4, months=(7, 12)),
    Habit("R-C5-03", 0.15, months=(7, 12)),
    Habit("R-C6-01", 1.2),
    Habit("R-C6-02", 3),
    Habit("R-C6-03", 0.04),
    Habit("R-C6-04", 1, 3, 5),
    Habit("R-B1-01", 2.5),
    Habit("R-B1-02", 2),
    Habit("R-B1-03", 1.5),
    Habit("R-B1-04", 0.8, months=(4, 10)),
    Habit("R-B1-05", 1, 1, 2, months=DECEMBER),
    Habit("R-B2-01", 1, 0, 2),
    Habit("R-B2-03", 0.5),
    Habit("R-B2-04", 0.03),
    Habit("R-B2-05", 1, 0, 2, months=QUARTER_ENDS),
    Habit("R-B2-06", 1, 1, 3, months=DECEMBER),
    Habit("R-B3-01", 0.3),
    Habit("R-B3-03", 0.05),
    Habit("R-B4-01", 1),
    Habit("R-B5-01", 0.2),
    Habit("R-B5-02", 0.05),
    Habit("R-B5-03", 0.02),
    Habit("R-B5-04", 0.6, months=(6, 10)),
    Habit("R-B6-03", 1, 1, 4, months=QUARTER_ENDS),
    Habit("R-B6-04", 0.2),
    Habit("R-B6-05", 0.1),
    Habit("R-X-01", 0.02),
)
_OFFICE = (
    Habit("O-A-01", 1, 28, 33),
    Habit("O-A-03", 1, 27, 33),
    Habit("O-A-02", 1, 29, 34, months=(1, 7, 12)),
    Habit("O-A-04", 2),
    Habit("O-A-05", 2, 1, 2),
    Habit("O-A-06", 0.3),
    Habit("O-A-07", 0.1),
    Habit("O-B-01", 1, 22, 31, months=(1, 3, 4, 5, 7, 9, 11)),
    Habit("O-B-02", 1, 24, 31, months=QUARTER_ENDS),
    Habit("O-B-03", 1, 14, 22, months=QUARTER_ENDS),
    Habit("O-B-04", 0.8),
    Habit("O-B-05", 0.2),
    Habit("O-B-06", 1),
    Habit("O-B-07", 0.3),
    Habit("O-C-01", 1.5, 4, 8, 100, 300),
    Habit("O-C-02", 1, 8, 14, months=QUARTER_ENDS),
    Habit("O-C-03", 5),
    Habit("O-C-04", 3, 1, 3),
    Habit("O-C-05", 1, 2, 4, months=(6, 7, 8)),
    Habit("O-C-06", 1, 3, 6, months=(5, 11)),
    Habit("O-D-01", 1, 29, 34),
    Habit("O-D-02", 0.1),
    Habit("O-D-03", 0.7),
    Habit("O-D-04", 0.6),
    Habit("O-D-05", 1, 4, 6, months=DECEMBER),
    Habit("O-E-01", 0.5, months=(1, 7, 12)),
    Habit("O-E-02", 0.3, months=(7, 12)),
    Habit("O-E-03", 0.1, months=(7, 12)),
    Habit("O-E-05", 1, 5, 6, months=DECEMBER),
    Habit("O-F-01", 1.2),
    Habit("O-F-02", 1.5),
    Habit("O-F-03", 1, 0, 1),
    Habit("O-F-04", 1, 0, 3, months=QUARTER_ENDS),
    Habit("O-F-05", 0.6),
    Habit("O-F-06", 0.1),
    Habit("O-F-07", 0.1),
    Habit("O-F-09", 0.1),
    Habit("O-F-10", 0.02),
    Habit("O-F-12", 0.02),
)
_COMMUNITY = (
    Habit("C-S-01", 7, 4, 8, 50, 250),
    Habit("C-S-02", 8, 2, 2),
    Habit("C-S-03", 3, 5, 8),
    Habit("C-S-04", 6),
    Habit("C-S-05", 4),
    Habit("C-S-06", 11, quantity_min=100, quantity_max=300),
    Habit("C-S-07", 5, quantity_min=50, quantity_max=200),
    Habit("C-S-08", 4),
    Habit("C-S-09", 1, 3, 6, months=(1, 6, 7, 8)),
    Habit("C-S-10", 8),
    Habit("C-S-11", 6, quantity_min=100, quantity_max=200),
    Habit("C-S-12", 1, 1, 2, 100, 200),
    Habit("C-S-13", 3),
    Habit("C-S-14", 1, 4, 7),
    Habit("C-S-15", 1.5),
    Habit("C-P-01", 1, 8, 10),
    Habit("C-P-02", 1, 8, 13),
    Habit("C-P-03", 0.7),
    Habit("C-P-04", 0.8),
    Habit("C-P-05", 0.4, months=(1, 7, 12)),
    Habit("C-P-06", 0.3, months=(7, 12)),
    Habit("C-P-08", 0.03),
    Habit("C-P-09", 0.4),
    Habit("C-P-10", 1, 17, 25, months=QUARTER_ENDS),
    Habit("C-P-11", 1.5),
    Habit("C-P-12", 1, 2, 3, months=DECEMBER),
    Habit("C-D-01", 1.2),
    Habit("C-D-02", 1.5),
    Habit("C-D-03", 1),
    Habit("C-D-04", 1, 0, 1),
    Habit("C-D-05", 0.4),
    Habit("C-D-06", 0.02),
    Habit("C-D-07", 0.05),
    Habit("C-D-08", 0.6),
    Habit("C-D-09", 1.2),
    Habit("C-D-10", 0.3),
    Habit("C-D-11", 0.3),
    Habit("C-D-12", 0.02),
    Habit("C-D-14", 0.1),
    Habit("C-D-15", 0.02),
    Habit("C-D-16", 1, 0, 2, months=DECEMBER),
)
HABITS = {"rural": _RURAL, "office": _OFFICE, "community": _COMMUNITY}
