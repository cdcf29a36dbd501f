"""Every command that reads answers for the past too, or there is a reason why it does not."""

from __future__ import annotations

from collections.abc import Iterator

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from api.cli.main import command_line

WITHOUT = {
    "audit compare": "recomputes what was published, each as of its own size",
    "audit panel": "is drawn by the first witnessed checkpoint after the appeal",
    "audit sample": "is drawn from the prefix that the recorded query names",
    "audit verify-sample": "draws a sample again",
    "bundle hearing": "is proved by the newest checkpoint",
    "bundle member": "is proved by the newest checkpoint",
    "bundle paper": "sets a working paper, which names its own position",
    "dispute access": "who opened cases is kept beside the log",
    "dispute draw": "is drawn by the first witnessed checkpoint after the appeal",
    "dispute open": "is written down, and says the position of what it flags",
    "doctor": "looks at the installation as it is",
    "document": "is kept beside the log, by its digest",
    "key show": "shows a file",
    "lag": "tells how far the read models are now",
    "proof state": "proves the sealed position",
    "rulebook diff": "compares two files",
    "rulebook lint": "looks at a file",
    "rulebook score": "scores the cases of a file",
    "rulebook show": "shows a file",
    "status": "tells what witnesses say of the newest checkpoint",
    "verify bundle": "verifies a file against its own checkpoint",
    "verify case": "verifies a file against its own checkpoint",
    "verify evidence": "verifies a file against its own checkpoint",
    "verify log": "verifies up to the log's checkpoint",
    "verify receipt": "verifies a file against its own checkpoint",
    "verify refusal": "verifies a file",
    "verify state": "verifies a file against its own checkpoint",
    "verify timestamp": "verifies a file",
    "verify-page": "makes a page that holds no answer",
}
"""Commands that read and take no --as-of, each with the reason."""

WRITING = {
    "clerk",
    "commit",
    "cosign",
    "deposit",
    "dispute file",
    "erase",
    "export",
    "import",
    "init",
    "key new",
    "key replace",
    "key rotate",
    "key service",
    "monitor",
    "rebuild",
    "record",
    "repair tiles",
    "rulebook convert",
    "seal",
    "serve",
    "sign",
    "submit",
    "take",
    "template",
    "timestamp",
    "unpark",
    "witness key",
    "witness serve",
}
"""Commands that make, record or run something."""


def commands(command: TyperGroup | TyperCommand, name: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield each command's words and options."""
    if isinstance(command, TyperGroup):
        for word, inner in command.commands.items():
            assert isinstance(inner, TyperGroup | TyperCommand)
            yield from commands(inner, f"{name} {word}".strip())
    else:
        yield name, {option for each in command.params for option in each.opts}


def test_every_command_that_reads_takes_as_of_or_has_a_reason_not_to() -> None:
    found = get_command(command_line([]))
    assert isinstance(found, TyperGroup)
    lacking = {name for name, options in commands(found) if "--as-of" not in options}
    assert lacking == WITHOUT.keys() | WRITING, "add --as-of, or give the reason in WITHOUT"
