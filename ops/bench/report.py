"""A line of the benchmark's report, and how it is printed."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, its ratio as text, its rate, and the target for `value` if it has one.

    With `at_most` the target is a limit from above.
    """

    name: str
    ratio: str
    rate: str
    target: float | None = None
    value: float = 0.0
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, None where there is none."""
        if self.target is None:
            return None
        return self.value < self.target if self.at_most else self.value >= self.target


def head(console: Console) -> None:
    """Print the column names."""
    console.print(f"{'measured':<58} {'ratio':>9} {'rate':>24}  target", style="bold")


def show(console: Console, row: Row) -> None:
    """Print one result."""
    line = Text(f"{row.name:<58} {row.ratio:>9} {row.rate:>24}  ")
    if row.target is not None:
        sense = "<" if row.at_most else "≥"
        line.append(f"{sense} {row.target:g}  ")
        line.append("met" if row.met else "missed", style="green" if row.met else "red")
    console.print(line, soft_wrap=True)
