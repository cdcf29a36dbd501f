"""Runs `mingzhang audit …` in this process on a log that a test has written."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from api.cli.audit import register
from ledger.errors import MingzhangError
from tests.support.static_log import LOG_SIGNER

VKEY = LOG_SIGNER.vkey.text


def run(*words: object) -> str:
    """Return what the command says; raises the error that it ends in."""
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["audit", *(str(word) for word in words)])
    if isinstance(result.exception, MingzhangError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout
