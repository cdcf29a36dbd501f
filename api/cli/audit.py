"""`mingzhang audit`: what an auditor asks of a published log, without its database.

Evidence pictures alone are compared on the ledger's own machine, for they lie outside the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli import console, outside, progress
from api.cli.panel import panel
from api.cli.pictures import pictures
from ledger import canonical
from ledger.log import receipt
from ledger.log.checkpoint import Checkpoint
from ledger.rules.lint import points
from ledger.rules.period import Periods
from ledger.verify.checks.catalogue import CHECKED, all_checks
from ledger.verify.checks.fold import Fold
from ledger.verify.outside import look_outside
from ledger.verify.prefix import Prefix
from ledger.verify.sample import Heading, check_paper, working_paper
from ledger.verify.sightings import covering
from projections.asof import read_as_of
from projections.period import parse_period

Where = Annotated[
    str, typer.Argument(metavar="WHERE", help="An exported log's folder, or a log's URL.")
]
Disclosed = Annotated[
    Path | None,
    typer.Option(
        "--disclosed", help="A JSON object: the SHA-256 of a disclosed file by its commitment."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document, for a program.")]

audit = typer.Typer(no_args_is_help=True, help="Checks, samples and analytics for auditors.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit.command("panel")(panel)
    audit.command("pictures")(pictures)
    app.add_typer(audit, name="audit")


@audit.command()
def checks(
    where: Where,
    vkey: console.MaybeVkey = None,
    as_of: console.AsOf = None,
    cheat: Annotated[
        list[int] | None,
        typer.Option("--cheat", help="Only this cheat of the table; give it once for each."),
    ] = None,
    disclosed: Disclosed = None,
    policy: outside.PolicyFile = None,
    tsa_roots: outside.Roots = None,
    deposit: outside.Deposits = None,
    refusal: outside.Refusals = None,
    as_json: AsJson = False,
) -> None:
    """List what looks like a cheat from inside, by its number, with entries and people.

    With --policy and --tsa-roots notices are measured by the times at which witnesses and TSAs had
    seen them, and draws held against the first witnessed checkpoint; with --deposit and --refusal
    statements that were handed in are sought in the log.

    A finding is something to look at, no verdict: exit status 0 whether there are any or not. What
    the rules forbid is for `mingzhang verify log`.
    """
    unknown = sorted(set(cheat or ()) - set(CHECKED))
    if unknown:
        raise console.CommandError(
            f"no check shows cheat {unknown[0]} here: choose among {', '.join(map(str, CHECKED))}"
        )
    digests = _digests(disclosed) if disclosed is not None else None
    given = outside.evidence(policy, tsa_roots, deposit, refusal)
    if given.trust is not None and vkey is None:
        raise console.CommandError("--tsa-roots needs --vkey: the log's own signature is stamped")
    prefix = Prefix(where, console.verifier_key(vkey) if vkey is not None else None)
    known, seen = look_outside(prefix, given)
    with Fold(all_checks(digests, known)) as fold:
        head = _folded(prefix, fold, as_of, vkey)
        found = [each for each in fold.findings() if not cheat or each.cheat in cheat]
    _unverified(prefix)
    if as_json:
        rows = [
            {
                "cheat": each.cheat,
                "index": each.index,
                "entries": each.entries,
                "people": each.people,
                "reason": each.reason,
            }
            for each in found
        ]
        _echo_json({"log": head.origin, "size": head.size, "root": head.root.hex(), "found": rows})
        return
    typer.echo(f"log         {head.origin}")
    typer.echo(f"as of       size {head.size:,}, root {head.root.hex()}")
    for line in covering(seen):
        typer.echo(line)
    for each in found:
        typer.echo(str(each))
    typer.echo(f"{len(found)} to look at; a finding is no verdict")


@audit.command()
def sample(
    where: Where,
    vkey: console.Vkey,
    query: Annotated[
        Path,
        typer.Option(
            "--query",
            help="The receipt of the recorded audit.queried: its checkpoint gives the seed.",
        ),
    ],
    index_number: Annotated[str, typer.Option("--index-number", help="Such as A-3.")],
    preparer: Annotated[str, typer.Option("--preparer", help="Who draws the sample.")],
    out: Annotated[Path, typer.Option("--out", help="A new file for the working paper (JSON).")],
    reviewer: Annotated[str, typer.Option("--reviewer", help="Who reviews the paper.")] = "",
    title: Annotated[str, typer.Option("--title", help="The paper's title.")] = "抽样 Sample",
    procedure: Annotated[
        str, typer.Option("--procedure", help="What is done with each entry drawn.")
    ] = "",
    policy: outside.PolicyFile = None,
) -> None:
    """Draw the sample of a recorded query, and write its working paper.

    Record the query first: `mingzhang sign audit.queried unit/<unit> …`, then submit it. What is
    drawn from are the entries before it; the seed is of the first witnessed checkpoint after it,
    in a log without witnesses of the first signed one, which its receipt carries. Another auditor
    recomputes all of it with `mingzhang audit verify-sample`.
    """
    console.need_free(out)
    key = console.verifier_key(vkey)
    given = receipt.parse(console.read_file(query))
    receipt.verify_receipt(given, key)
    heading = Heading(title, index_number, preparer, reviewer, procedure)
    with progress.bar("folding entries") as told:
        paper = working_paper(
            where, key, given.index, given.checkpoint, heading, told, outside.policy_of(policy)
        )
    console.write_file(out, canonical.dumps(paper) + b"\n")
    for line in _paper_lines(paper):
        typer.echo(line)


@audit.command()
def compare(
    where: Where,
    vkey: console.Vkey,
    published: Annotated[
        list[Path] | None,
        typer.Option(
            "--published",
            help="A file that was published: a tree's leaves (`mingzhang seal`), or the JSON of "
            "`mingzhang ranking` or `statement`. Give it once for each.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute what was published again, from the log alone, and say what differs.

    Every sealed root and count; of each file the members who differ, and which entry makes the
    difference. Exit status 0 only if all is what the log gives, 1 if something is not, 2 if it
    could not be tried.
    """
    # The read models take a while to load, and no other command here needs them.
    from projections import compare as comparing  # noqa: PLC0415
    from projections import compare_text  # noqa: PLC0415

    key = console.verifier_key(vkey)
    files = [(str(each), console.read_file(each)) for each in published or ()]
    try:
        with progress.bar("folding entries") as told:
            found = comparing.compare(where, key, files, told)
    except comparing.PublishedError as error:
        raise console.CommandError(error.message) from None
    if as_json:
        _echo_json(compare_text.as_json(found))
    else:
        for line in compare_text.lines(found):
            typer.echo(line)
    if not found.ok:
        raise typer.Exit(console.FAILED)


@audit.command("verify-sample")
def verify_sample(
    file: Annotated[Path, typer.Argument(help="A working paper of `audit sample`.")],
    where: Where,
    vkey: console.Vkey,
    policy: outside.PolicyFile = None,
) -> None:
    """Recompute another auditor's sample from the log alone.

    Exit status 0 only if the log gives the same paper, 1 if it does not, 2 if it could not be read.
    """
    data, key = console.read_file(file), console.verifier_key(vkey)
    with progress.bar("folding entries") as told:
        paper = check_paper(data, where, key, told, outside.policy_of(policy))
    for line in _paper_lines(paper):
        typer.echo(line)
    typer.echo("OK          query, seed and result are what the log gives")


@audit.command()
def fairness(
    where: Where,
    period: Annotated[str, typer.Option("--period", help="2025, 2025-Q1 or 2025-03: act dates.")],
    vkey: console.MaybeVkey = None,
    as_of: console.AsOf = None,
    disclosed: Disclosed = None,
    as_json: AsJson = False,
) -> None:
    """Flag what looks unfair in a period's entries, with the test and the figures behind it.

    A flag is something to look at, no verdict. Of all flags of a run at most one in twenty is to be
    expected by chance (Benjamini–Hochberg); too small a sample says nothing.
    """
    # Loading the statistics takes as long as most of the other commands.
    from projections.fairness.acts import Acts  # noqa: PLC0415
    from projections.fairness.flags import TITLES  # noqa: PLC0415
    from projections.fairness.report import analyse  # noqa: PLC0415

    asked = parse_period(period)
    digests = _digests(disclosed) if disclosed is not None else {}
    prefix = Prefix(where, console.verifier_key(vkey) if vkey is not None else None)
    acts = Acts(*asked.days(Periods()))
    with Fold((acts,)) as fold:
        head = _folded(prefix, fold, as_of, vkey)
        fold.findings()
    found = analyse(acts.found, digests)
    _unverified(prefix)
    if as_json:
        flags = [{**asdict(each.question), "q": each.q} for each in found.flags]
        of = {"log": head.origin, "size": head.size, "root": head.root.hex(), "period": asked.text}
        _echo_json({**of, "acts": len(acts.found), "asked": found.asked, "flags": flags})
        return
    typer.echo(f"log         {head.origin}")
    typer.echo(f"as of       size {head.size:,}, root {head.root.hex()}")
    typer.echo(
        f"looked at   {len(acts.found):,} entries for acts of {asked.text}; asked {found.asked:,}"
    )
    for each in found.flags:
        one = each.question
        chance = "" if each.q is None else f", p {one.p:.2g}, adjusted {each.q:.2g}"
        typer.echo(f"{TITLES[one.kind]} · {', '.join(one.subject)}")
        typer.echo(
            f"    {one.explanation} ({one.test}, n {'/'.join(map(str, one.sample))}{chance})"
        )
    typer.echo(f"{len(found.flags)} to look at; a flag is no verdict")


def _paper_lines(paper: dict[str, Any]) -> Iterator[str]:
    query, population = paper["query"], paper["population"]
    asked = ", ".join(f"{name} {value}" for name, value in sorted(query["query"].items()))
    yield f"{paper['title']} · {paper['index_number']}"
    yield f"编制 prepared  {paper['preparer'] or '–'}"
    yield f"复核 reviewed  {paper['reviewer'] or '–'}"
    yield f"程序 procedure {paper['procedure'] or '–'}"
    yield (
        f"查询 query     entry {query['index']} by {query['auditor']}, {query['recorded_at']}: "
        f"unit {query['unit']}, {asked or 'all credits and debits'}; {query['count']} by "
        f"{query['weighting']}"
    )
    yield f"日志 log head  {paper['log_head'][0]}, size {paper['log_head'][1]}"
    yield f"种子 seed      {paper['seed']}"
    yield (
        f"总体 population {population['entries']} entries, weight {population['weight']}; drawn "
        f"{len(paper['result'])}"
    )
    for number, each in enumerate(paper["result"], 1):
        risks = f" · {', '.join(each['risks'])}" if each["risks"] else ""
        yield (
            f"{number:>4}  entry {each['index']}  {each['member']}  {each['item'] or '–'}  "
            f"{each['act_date']}  {points(each['points'])}  {each['state']}{risks}"
        )


def _folded(prefix: Prefix, fold: Fold, as_of: str | None, vkey: str | None) -> Checkpoint:
    size, proving = _wanted(prefix, as_of, vkey)
    with progress.bar("folding entries") as told:
        return prefix.fold(fold.apply, size=size, proving=proving, progress=told)


def _wanted(
    prefix: Prefix, as_of: str | None, vkey: str | None
) -> tuple[int | None, Checkpoint | None]:
    """Return the size that --as-of asks for, and the checkpoint that proves it if it gives one."""
    if as_of is None:
        return None, None
    wanted = read_as_of(as_of, console.verifier_key(vkey) if vkey is not None else None)
    if wanted.checkpoint is not None:
        return None, wanted.checkpoint
    return wanted.resolve(prefix.newest.size, prefix.entry), None


def _unverified(prefix: Prefix) -> None:
    if not prefix.signed:
        typer.echo("the checkpoint's signature was not verified: give --vkey", err=True)


def _digests(path: Path) -> dict[str, str]:
    try:
        found = orjson.loads(console.read_file(path))
    except orjson.JSONDecodeError as error:
        raise console.CommandError(f"{path} is no JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise console.CommandError(f"{path} is no JSON object of digests by commitment")
    return found


def _echo_json(value: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())
