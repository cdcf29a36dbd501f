"""`mingzhang ask`: what members, auditors and the committee ask, as over HTTP."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError

from api.cli import console
from api.cli.ask import opened, read_wanted
from api.questions import QUESTIONS, Question, ask
from ledger.errors import FormatError
from projections.questions.ground import Grounds


def register(app: typer.Typer) -> None:
    """Add the commands."""
    questions = typer.Typer(help="Questions of members, auditors and the committee, as JSON.")
    for each in QUESTIONS:
        questions.command(each.name, help=f"{each.words} {_help(each)}")(_command(each))
    app.add_typer(questions, name="ask", no_args_is_help=True)


def _help(question: Question) -> str:
    return question.help.replace("Return", "Show", 1)


def _command(question: Question) -> Any:
    """Return the function of a command whose options are the question's parameters."""

    def run(as_of: str | None, data: Path, **given: Any) -> None:
        wanted = read_wanted(as_of, data)
        try:
            asked = question.model(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = "-".join(str(each) for each in first["loc"]).replace("_", "-")
            raise FormatError(f"--{name}: {first['msg']}") from None
        with opened(data) as (ledger, views), ledger.database.pool(0, 2) as pool:
            found = ask(Grounds(views, pool), question, asked, wanted)
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())

    parameters = []
    for name, field in question.model.model_fields.items():
        option = typer.Option(f"--{name.replace('_', '-')}", help=field.description)
        default = inspect.Parameter.empty if field.is_required() else field.default
        parameters.append(_parameter(name, Annotated[field.annotation, option], default))
    parameters.append(_parameter("as_of", console.AsOf, None))
    parameters.append(_parameter("data", console.DataDir, console.DATA_DIR))
    # inspect reads it from any function; only the type of functions does not know it.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)
