"""How the demo's story looks on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ops.demo.record import Told

PROGRAM = ".venv/bin/mingzhang"


class Screen:
    """Prints paragraphs, tables and bars to `console`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def title(self, text: str) -> None:
        """Print the title."""
        self._console.print(Rule(text))

    def part(self, number: str, english: str, chinese: str) -> None:
        """Begin a part."""
        self._console.print()
        self._console.print(Text(f"{number}. {english} {chinese}", style="bold"))

    def say(self, text: str) -> None:
        """Print a paragraph."""
        self._indented(Text(text), below=1)

    def note(self, text: str) -> None:
        """Print an aside."""
        self._indented(Text(text, style="dim"), below=1)

    def block(self, lines: Iterable[str]) -> None:
        """Print lines as they are."""
        self._indented(Text("\n".join(lines)))

    def facts(self, *facts: tuple[str, str]) -> None:
        """Print names with what there is to say of each."""
        table = Table.grid(padding=(0, 2, 0, 0))
        for each in facts:
            table.add_row(*map(Text, each))
        self._indented(table)

    def commands(self, *commands: tuple[str, str]) -> None:
        """Print commands with what each is for."""
        for purpose, command in commands:
            self._console.print(Text(f"  # {purpose}", style="dim"))
            # A command is never broken: it is there to be copied.
            self._console.print(Text(f"  {PROGRAM} {command}"), soft_wrap=True)
        self._console.print()

    @contextmanager
    def bar(self, what: str) -> Iterator[Told]:
        """Show progress while the block runs; call what it gives with done and total."""
        columns = (
            TextColumn("  {task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def table(self, table: Table) -> None:
        """Print a table."""
        self._indented(table, below=1)

    def finding(self, check: str, said: str, *, caught: bool) -> None:
        """Print what a check found."""
        mark = Text("caught", style="green") if caught else Text("passes", style="yellow")
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=6)
        table.add_row(mark, Text(check))
        table.add_row("", Text(said, style="dim"))
        self._indented(table)

    def gap(self) -> None:
        """Print an empty line."""
        self._console.print()

    def _indented(self, what: RenderableType, below: int = 0) -> None:
        self._console.print(Padding(what, (0, 0, 0, 2), expand=False))
        if below:
            self._console.print()
