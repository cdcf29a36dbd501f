"""Commands of rulebook authors: `mingzhang rulebook lint|diff|show|convert|score|try`.

They read files only and need no ledger; `try` also reads a published log.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer

from api.authoring.cases import books_of, read_cases, work_out
from api.authoring.reader import Authored, load, read
from api.authoring.source import AuthoringError
from api.cli.whatif import try_version
from ledger import schema
from ledger.errors import FormatError, MingzhangError
from ledger.rules.book import Book
from ledger.rules.diff import diff as changes_between
from ledger.rules.lint import lint_change, points

FAILED = 1

app = typer.Typer(
    name="rulebook",
    help="Check, compare, show, convert and try rulebook files (YAML).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Rulebook = Annotated[Path, typer.Argument(help="A rulebook file (YAML).", show_default=False)]


def register(main: typer.Typer) -> None:
    """Add the commands to the main command line."""
    app.command("try")(try_version)
    main.add_typer(app, name="rulebook")


@app.command("lint")
def lint_files(
    files: Annotated[
        list[Path], typer.Argument(help="Rulebook files; versions of one id are compared.")
    ],
) -> None:
    """Say what is wrong, each with its line and reason; exit status 1 if anything is."""
    wrong = said = False
    read_ones: list[Authored] = []
    for path in files:
        try:
            found = read(path)
        except AuthoringError as error:
            typer.echo(error.message)
            wrong = True
            continue
        read_ones.append(found)
        for line, each in sorted(found.findings()):
            wrong, said = wrong or not each.warning, True
            typer.echo(f"{path}:{line}: {each.code}: {each.reason}")
    for old, new in _successions(read_ones):
        for each in lint_change(old.body, new.body):
            said = True
            typer.echo(f"{new.name}:{new.line(each.where)}: warning: {each.code}: {each.reason}")
        try:
            Book(new.id, [old.version(), new.version()])
        except FormatError as error:
            typer.echo(f"{new.name}:1: versions: {error.message}")
            wrong = True
    if wrong:
        raise typer.Exit(FAILED)
    if not said:
        typer.echo("nothing found", err=True)


@app.command("diff")
def diff_files(
    old: Annotated[Path, typer.Argument(help="The version before.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="The version after.", show_default=False)],
) -> None:
    """Show what changed between two versions, field by field, points as people write them."""
    before, after = _load(old), _load(new)
    for change in changes_between(before.body, after.body):
        where = " ".join(change.where)
        said = [_shown(change.where, each) for each in (change.old, change.new)]
        if change.old is None:
            typer.echo(f"+ {where}: {said[1]}")
        elif change.new is None:
            typer.echo(f"- {where}: {said[0]}")
        else:
            typer.echo(f"~ {where}: {said[0]} -> {said[1]}")
    for each in lint_change(before.body, after.body):
        typer.echo(f"! {each.reason}")


@app.command("show")
def show_file(file: Rulebook) -> None:
    """Show a rulebook as people read it: limits, bands, and every item with value and cap."""
    found = _load(file)
    body = found.body
    typer.echo(f"{body['title_zh']} · {body['title_en']}")
    typer.echo(f"{found.id} {body['version']}, from {body['effective_from']}")
    for account in ("merit", "service"):
        figures = [
            f"{key} {points(body[account][key])}"
            for key in ("base", "credit_cap", "floor", "ceiling", "target")
            if key in body.get(account, {})
        ]
        if figures:
            typer.echo(f"{account}: {', '.join(figures)}")
    typer.echo(f"annual: {_annual(body.get('annual', {'kind': 'daily'}))}")
    for band in body.get("bands", ()):
        below = f" up to {points(band['below'])}" if "below" in band else " and more"
        typer.echo(f"band {band['code']} {band['name_zh']}: {points(band['min'])}{below}")
    for category in body["categories"]:
        mine = [each for each in body["items"] if each["category"] == category["code"]]
        if mine:
            typer.echo(
                f"\n{category['code']} {category['name_zh']}{_limits(body, category['code'])}"
            )
        for item in mine:
            typer.echo(f"  {item['code']}  {_value(item)}  {item['name_zh']} · {item['name_en']}")


@app.command()
def convert(
    file: Rulebook,
    unit: Annotated[
        str | None, typer.Option(help="The unit to publish it for: completes the statement's body.")
    ] = None,
) -> None:
    """Print the canonical JSON form: the body of the statement that publishes the rulebook.

    Item codes are kept. Texts for people become `notes`; a key that is not known is refused.
    """
    found = _load(file)
    body = found.body
    if unit is not None:
        body = found.publishable(unit)
        _checked(body)
    typer.echo(orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode())


@app.command()
def score(
    cases: Annotated[Path, typer.Argument(help="Worked cases (YAML).", show_default=False)],
    rulebooks: Annotated[
        Path, typer.Option(help="The folder of the rulebook files.", show_default=False)
    ],
) -> None:
    """Work out cases with the rulebook files of a folder, each version by act date, as JSON.

    Points are hundredths; a debit's worth and counted are negative, amounts clipped positive.
    """
    try:
        found = work_out(read_cases(cases), books_of(rulebooks, skip=cases), cases.name)
    except MingzhangError as error:
        _stop(error)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _load(path: Path) -> Authored:
    try:
        return load(path)
    except MingzhangError as error:
        _stop(error)


def _checked(body: dict[str, Any]) -> None:
    try:
        schema.validate("rulebook.published", body)
    except MingzhangError as error:
        _stop(error)


def _stop(error: MingzhangError) -> NoReturn:
    typer.echo(error.message, err=True)
    raise typer.Exit(FAILED) from None


def _successions(found: list[Authored]) -> list[tuple[Authored, Authored]]:
    """Return each version with the one before it, of every id."""
    pairs = []
    ordered = sorted(
        (each for each in found if not each.problems),
        key=lambda each: (each.id, each.body["effective_from"]),
    )
    for old, new in pairwise(ordered):
        if old.id == new.id:
            pairs.append((old, new))
    return pairs


_POINTS = frozenset(
    {"points", "min", "max", "below", "base", "floor", "ceiling", "credit_cap", "target", "step"}
)


def _shown(where: tuple[str, ...], value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and where[-1] in _POINTS:
        return points(value)
    if isinstance(value, dict) and "act_type" in value:
        return f"{_value(value)}  {value['name_zh']} · {value['name_en']}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(item: dict[str, Any]) -> str:
    sign = "+" if item["kind"] == "credit" else "−"
    value = (
        points(item["points"])
        if "points" in item
        else f"{points(item['min'])}–{points(item['max'])}"
    )
    cap = f", cap {points(item['cap']['points'])} a {item['cap']['per']}" if "cap" in item else ""
    return f"{sign}{value} a {item['unit']}{cap}"


def _annual(annual: dict[str, Any]) -> str:
    if annual["kind"] == "additive":
        most = points(annual["daily_max"])
        return f"daily up to {most} + {annual['review']} % of the democratic review"
    parts = [
        f"{annual[key]} % {name}"
        for key, name in (
            ("last", "last period's annual"),
            ("daily", "daily"),
            ("review", "democratic review"),
        )
        if key in annual
    ]
    return " + ".join(parts) or "daily"


def _limits(body: dict[str, Any], category: str) -> str:
    found = []
    for account in ("merit", "service"):
        for part, says in (("bases", "base"), ("category_caps", "cap")):
            found += [
                f"{says} {points(each['points'])}"
                for each in body.get(account, {}).get(part, ())
                if each["category"] == category
            ]
    return f" ({', '.join(found)})" if found else ""
