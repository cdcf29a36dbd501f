"""`mingzhang tasks` and `mingzhang where`: what waits for whom, and where an entry is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import httpx
import typer

from api.cli import console
from api.cli.submit import TIMEOUT_S
from projections.asof import as_of_value

STEPS = {
    "points.checked": "初审 check",
    "points.reviewed": "审定 review",
    "points.published": "公示 open publicity",
    "points.revised": "修改 revise",
    "points.acknowledged": "受理 accept the objection",
    "points.reconsidered": "复核 reconsider",
    "points.corrected": "更正 correct as decided",
    "points.reexamined": "复查 re-examine",
    "points.filed": "备案 file",
    "points.returned": "退回 return",
    "points.rejected": "驳回 reject",
    "points.withdrawn": "撤回 withdraw",
    "points.objected": "异议 object",
    "points.appealed": "申诉 appeal",
    "points.extended": "延期 extend",
}
"""What each statement does, in the words of `domain`."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(tasks)
    app.command()(where)


def tasks(
    actor: Annotated[str, typer.Option("--actor", help="The id of the actor who asks.")],
    as_of: console.AsOf = None,
    data: console.MaybeData = None,
    url: console.Url = None,
) -> None:
    """Show what waits for you.

    Every step that you may take, the ones whose turn is yours first (*), each with its last day,
    the entry, and who else may take it. With --as-of, what waited on the day on which that
    position was recorded.
    """
    with asking(data, url, as_of) as ask:
        answer = ask.tasks(actor)
    found = answer["tasks"]
    if not found:
        typer.echo("nothing waits 没有待办")
    for each in found:
        mine = "*" if each["turn"] == actor else " "
        others = ", ".join(name for name in each["people"] if name != actor) or "–"
        more = f" ({each['wanted']} must sign)" if each["wanted"] > 1 else ""
        month = f"  review of {each['month']}" if each["month"] else ""
        typer.echo(
            f"{mine} {each['due'] or 'no term  '}  {STEPS[each['statement']]}{more}  "
            f"{each['member']}  {each['entry']}{month}  others: {others}"
        )
    if answer["more"]:
        typer.echo("there may be more: these are the first that were found", err=True)
    _say_position(answer)


def where(
    entry: Annotated[str, typer.Argument(help="The id of the statement that brought it in.")],
    as_of: console.AsOf = None,
    data: console.MaybeData = None,
    url: console.Url = None,
) -> None:
    """Show where an entry is.

    Its state, the steps so far with who took them, what it waits for and until when; with --as-of
    what was so on the day on which that position was recorded.
    """
    with asking(data, url, as_of) as ask:
        found = ask.way(entry)
    typer.echo(
        f"{found['entry']}  member {found['member']}  {found['item']} of {found['act_date']}"
    )
    typer.echo(f"state {found['state']}" + (f", until {found['due']}" if found["due"] else ""))
    for step in found["steps"]:
        typer.echo(f"  {step['recorded_at'][:16]}Z  {step['name']}  {', '.join(step['people'])}")
    for each in found["waits"]:
        people = ", ".join(each["people"]) or "nobody who may: ask the unit above"
        turn = f", it is {each['turn']}'s turn" if len(each["people"]) > 1 else ""
        typer.echo(f"  waits for: {STEPS[each['statement']]} by {people}{turn}")
    _say_position(found)


def _say_position(answer: dict[str, Any]) -> None:
    at = answer["as_of"]
    typer.echo(f"as of log size {at['size']} ({at['recorded_at']})")


class Questions(NamedTuple):
    """The two questions, each from an id to the answer as the HTTP routes give it."""

    tasks: Callable[[str], dict[str, Any]]
    way: Callable[[str], dict[str, Any]]


@contextmanager
def asking(data: Path | None, url: str | None, as_of: str | None = None) -> Iterator[Questions]:
    """Give the questions, over HTTP or on the ledger's own machine."""
    data = console.ledger_at(data, url)
    if url is not None:
        then = {} if as_of is None else {"as_of": as_of_value(as_of)}
        with httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT_S) as client:
            yield Questions(
                lambda actor: _answer(client, "/v1/tasks", {"actor": actor} | then),
                lambda entry: _answer(client, f"/v1/way/{quote(entry)}", then),
            )
        return
    # A question over HTTP needs nothing of a ledger, whose imports take long.
    from api.cli.ask import read_wanted  # noqa: PLC0415
    from api.desk import Desk  # noqa: PLC0415
    from api.duties import shown_tasks, shown_way  # noqa: PLC0415
    from ledger.store.ledger import Ledger, Options  # noqa: PLC0415
    from projections.entries import ENTRIES  # noqa: PLC0415
    from projections.runner import Runner  # noqa: PLC0415
    from projections.terms import TERMS  # noqa: PLC0415

    assert data is not None  # noqa: S101 - one of the two is given
    wanted = read_wanted(as_of, data)
    models = (TERMS,) if wanted is None else (TERMS, ENTRIES)
    with Ledger.open(data, options=Options(append=False)) as ledger, closing(Desk(ledger)) as desk:
        Runner(ledger.database.connect, ledger.size, models).catch_up()
        yield Questions(
            lambda actor: shown_tasks(actor, desk.tasks(actor, as_of=wanted)),
            lambda entry: shown_way(desk.where(entry, wanted)),
        )


def _answer(client: httpx.Client, path: str, asked: dict[str, str]) -> dict[str, Any]:
    try:
        answer = client.get(path, params=asked)
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise console.CommandError(f"no answer from {client.base_url}: {error}") from None
    if answer.status_code != httpx.codes.OK:
        raise console.CommandError(f"{client.base_url} answered: {found.get('detail', found)}")
    return found
