"""The demo from the founding to the restored log, as it is told on the terminal."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rich.console import Console, JustifyMethod
from rich.table import Table

from ledger import keyfile
from ledger.entry import Statement, parse_entry
from ledger.log import receipt
from ledger.log.note import Signer, VerifierKey
from ledger.log.tiles import TILE_WIDTH
from ledger.signing import PrivateKey
from ledger.store.ledger import KEY_FILE, SERVICE_KEY_FILE, VKEY_FILE, Ledger, Options, initialise
from ledger.store.publish import export
from ledger.verify.receipt import verify_receipt_file
from ledger.verify.report import Report
from ledger.verify.whole import verify_log
from ops.demo import case, cast, checks, school, seals, sign, year
from ops.demo.checks import Finding, Kept
from ops.demo.clock import SetClock
from ops.demo.folders import Folders
from ops.demo.outcomes import Outcomes
from ops.demo.outcomes import recorded as recorded_in
from ops.demo.record import Recorded, record
from ops.demo.screen import Screen
from ops.demo.sign import ORIGIN
from ops.demo.tamper import Insider
from ops.demo.whole import Year
from projections import compare_text, rankings, render
from projections.period import parse_period
from projections.rankings import Ranking
from projections.replay import replay
from projections.runner import Runner
from projections.scores import RANKINGS
from projections.statements import Line, MemberStatement
from projections.views import Views

# How much of a long table is shown.
RANKS_SHOWN = 5
STEPS_SHOWN = 8
EACH = (
    "signed, checked against the rules, chained to its stream, put into the Merkle log and "
    "answered with a receipt"
)
# The forger knows the rules: one debit becomes many of the same item (A5).
_FORGED_TIMES = 10


class DemoError(Exception):
    """Something did not come out as it must: the demo has found a bug."""


class Debit(NamedTuple):
    """A deduction of a member, at `log_index` in the log."""

    member: str
    log_index: int
    statement: Statement


@dataclass(frozen=True, slots=True)
class Target:
    """The entry to forge: with `forged` points taken its member falls from `rank`.

    `receipt_file` is the member's receipt of it; points are in hundredths.
    """

    member: str
    index: int
    statement: Statement
    rank: int
    points: int
    forged: int
    receipt_file: Path


class Story:
    """Tells one run into `console`; `year_number` is a calendar year that has ended."""

    def __init__(self, console: Console, folders: Folders, year_number: int) -> None:
        self._screen = Screen(console)
        self._folders = folders
        self._year = year_number
        self._people: dict[str, PrivateKey] = {}
        self._named: Mapping[str, tuple[str, str]] = {}
        self._quarter = ""
        self._started_s = time.monotonic()

    def tell(self) -> Target:
        """Run the whole demo and return the entry that was forged and restored.

        Raises DemoError where a proof fails or a check is silent that must not be, and
        MingzhangError where the ledger cannot work here.
        """
        self._opening()
        recorded = self._record()
        self._walk(recorded)
        ranked, statement, debit = self._read(recorded)
        self._save_receipts(recorded, statement)
        target = self._target(ranked[0], debit)
        self._show_receipt(target)
        self._verify()
        self._replay(ranked)
        self._seals()
        self._tamper(target)
        self._next(target)
        return target

    def _opening(self) -> None:
        self._screen.title("明账 Mingzhang · demo")
        self._screen.say(
            f"An organisation of four branches records its year {self._year}. The clock is "
            "injected: it walks through that year, so what took twelve months is recorded in "
            "seconds. Only this demo and the tests can do that; a ledger that is served uses the "
            "machine's clock. People, units and entries are made up, drawn with a fixed seed; "
            "keys are new in every run."
        )

    def _record(self) -> Recorded:
        self._screen.part("1", "A year of signed statements", "一年的账")
        self._people = sign.make_keys(self._folders.keys)
        initialise(self._folders.data, ORIGIN)
        self._people[school.SERVICE] = keyfile.load(self._folders.data / SERVICE_KEY_FILE)
        shutil.copytree(year.RULEBOOKS, self._folders.rulebooks)
        shutil.copyfile(self._folders.data / VKEY_FILE, self._folders.vkey)
        clock = SetClock(sign.begin(self._year))
        planned = Year(self._year, self._people)
        statements = list(planned.statements())
        self._named = planned.way.named
        with Ledger.open(self._folders.data, clock=clock) as ledger:
            began_s = time.monotonic()
            with self._screen.bar("recording") as told:
                recorded = record(ledger, clock, statements, told)
            took_s = time.monotonic() - began_s
            self._quarter = planned.script.quarter
            seals.seal(ledger, clock, self._people, self._quarter, self._folders.seals, recorded)
            case.hear(ledger, clock, self._people, self._named["debit"], recorded)
            with self._screen.bar("exporting") as told:
                export(ledger, self._folders.exported, self._vkey, told)
        self._show_recorded(recorded, took_s)
        return recorded

    def _show_recorded(self, recorded: Recorded, took_s: float) -> None:
        people, types, count = school.everyone(), recorded.types, len(recorded.receipts)
        corrected = types["points.corrected"]
        points = sum(each for kind, each in types.items() if kind.startswith("points."))
        rulebooks = [
            f"{rulebook.body['title_zh']} {rulebook.body['title_en']}, {rulebook.body['version']}"
            for rulebook in year.published(self._year)
        ]
        self._screen.facts(
            ("units", f"{len(people.units)}, four branches and their groups under one root"),
            ("people", f"{len(people.members)} members, {len(self._people)} actors with own keys"),
            ("rulebooks 细则", "\n".join(rulebooks)),
            ("entries", f"{count:,}, of them points {points:,}, corrections 更正 {corrected}"),
            ("each one", EACH),
            ("checkpoints", f"{recorded.batches:,}, each signed by the log's key"),
            ("time", f"{took_s:.1f} s, {count / took_s:,.0f} entries/s"),
        )

    def _walk(self, recorded: Recorded) -> None:
        """Tell how the entries of the school branch walked, as the log bears it out."""
        self._screen.part("2", "From claim to final", "从申报到定案")
        self._screen.say(
            "Three branches record on a short path: a recorder and a committee member sign. The "
            f"school takes the full one: {recorded.types['points.claimed']} claims by members with "
            "own keys, checked by their group's leader, reviewed by two of the committee, shown "
            "for five working days, final, filed. What each party sees of it:"
        )
        with Ledger.open(self._folders.data, options=Options(append=False)) as ledger:
            outcomes = Outcomes(recorded_in(ledger), self._named, self._year)
        self._screen.facts(*outcomes.told(), outcomes.case())

    def _read(self, recorded: Recorded) -> tuple[list[Ranking], MemberStatement, Debit]:
        """Show the rankings of the branches and the statement of one high in the first."""
        self._screen.part("3", "Rankings", "积分排行")
        with Ledger.open(self._folders.data, options=Options(append=False)) as ledger:
            Runner.of(ledger).catch_up()
            with ledger.database.pool(1, 1) as pool:
                views = Views(pool)
                ranked = [views.ranking(each.unit.id, str(self._year)) for each in cast.BRANCHES]
                debit = self._debited(ranked[0], recorded)
                statement = views.statement(debit.member)
        for each in ranked:
            self._show_ranking(each)
        self._screen.part("4", "One member's statement", "积分明细")
        self._show_statement(statement)
        return ranked, statement, debit

    def _show_ranking(self, ranking: Ranking) -> None:
        unit, count = ranking.units[ranking.unit], len(ranking.standings)
        self._screen.block([f"{unit.name_zh} {unit.name_en}, {count} members:"])
        table = _table(">名次 Rank", "成员 Member", "单位 Unit", ">积分 Points")
        for each in ranking.standings[:RANKS_SHOWN]:
            group = ranking.units[each.unit]
            names = f"{group.name_zh} {group.name_en}"
            table.add_row(str(each.rank), each.member, names, render.points_total(each.score))
        self._screen.table(table)

    def _show_statement(self, statement: MemberStatement) -> None:
        unit = f"{statement.unit.name_zh} {statement.unit.name_en}"
        self._screen.say(
            f"{statement.member.id}, {unit}: {len(statement.lines)} entries, score "
            f"{render.points_total(statement.figures[-1].daily or 0)}. The last {STEPS_SHOWN}:"
        )
        table = _table(">序号 Index", "行为日期 Act", "条目 Item", ">分值 Worth", ">计入 Counted")
        for line in statement.lines[-STEPS_SHOWN:]:
            table.add_row(*_line(line))
        self._screen.table(table)

    def _save_receipts(self, recorded: Recorded, statement: MemberStatement) -> None:
        self._folders.receipts.mkdir(parents=True)
        for ident, data in recorded.receipts.items():
            entry = parse_entry(receipt.parse(data).entry)
            member = f"member/{statement.member.id}"
            kinds = ("ledger.founded", "rulebook.published")
            if entry.stream == member or entry.statement.type in kinds:
                self._receipt_file(recorded.receipts[ident]).write_bytes(data)

    def _receipt_file(self, data: bytes) -> Path:
        parsed = receipt.parse(data)
        entry = parse_entry(parsed.entry)
        name = f"{parsed.index:05}-{entry.statement.type}-{entry.stream.replace('/', '-')}"
        return self._folders.receipts / f"{name}.tlog-proof"

    def _debited(self, ranking: Ranking, recorded: Recorded) -> Debit:
        """Return a debit that stands, of whoever is highest in the ranking and has one.

        It lies in a tile in which nothing but points is recorded: the others are read at start.
        """
        debits: dict[str, list[Debit]] = {}
        reversed_ids, read_at_start = set(), set()
        for data in recorded.receipts.values():
            parsed = receipt.parse(data)
            statement = parse_entry(parsed.entry).statement
            if not statement.type.startswith("points."):
                read_at_start.add(parsed.index // TILE_WIDTH)
            elif statement.type == "points.corrected":
                reversed_ids.add(statement.body.get("reverses"))
            elif statement.type == "points.deducted" and "covers" not in statement.body:
                member = statement.stream.partition("/")[2]
                debits.setdefault(member, []).append(Debit(member, parsed.index, statement))
        for each in ranking.standings:
            found = [
                d
                for d in debits.get(each.member, ())
                if d.statement.id not in reversed_ids
                and d.log_index // TILE_WIDTH not in read_at_start
            ]
            if found:
                return found[len(found) // 2]
        raise DemoError("nobody in the first branch has a debit that stands")

    def _target(self, ranking: Ranking, debit: Debit) -> Target:
        (file,) = self._folders.receipts.glob(f"{debit.log_index:05}-*")
        rank = next(each.rank for each in ranking.standings if each.member == debit.member)
        points = debit.statement.body["points"]
        return Target(*debit, rank, points, points * _FORGED_TIMES, file)

    def _show_receipt(self, target: Target) -> None:
        self._screen.part("5", "A receipt, verified", "收据")
        self._screen.say(
            f"Every append answered with a receipt. This one is {target.member}'s, "
            f"{target.receipt_file}; to check it takes the log's key and nothing else:"
        )
        data = target.receipt_file.read_bytes()
        self._screen.block(verify_receipt_file(data, self._vkey).lines())
        with Ledger.open(self._folders.data, options=Options(append=False)) as ledger:
            if ledger.receipt(target.statement.id) != data:
                raise DemoError("the ledger gives another receipt than it answered with")

    def _verify(self) -> None:
        self._screen.part("6", "The whole log, verified", "全账验证")
        self._screen.block(self._verified().lines())

    def _verified(self) -> Report:
        with self._screen.bar("verifying") as told:
            report = verify_log(str(self._folders.exported), self._vkey, progress=told)
        if report.failure is not None:
            raise DemoError(f"the log does not verify: {report.failure}")
        return report

    def _replay(self, ranked: Sequence[Ranking]) -> None:
        self._screen.part("7", "The same ranking without the database", "重放")
        ours = render.ranking_text(ranked[0]).encode()
        theirs = self._replayed(self._folders.exported).encode()
        if ours != theirs:
            raise DemoError("the ranking by replay is not the one from the database")
        self._screen.say(
            f"Folded again from the files of {self._folders.exported}: {len(theirs):,} bytes, "
            "equal to the ranking from the database to the last byte."
        )

    def _replayed(self, exported: Path) -> str:
        folded = replay(str(exported), RANKINGS, self._vkey)
        unit, period = cast.BRANCHES[0].unit.id, parse_period(str(self._year))
        return render.ranking_text(rankings.from_rows(folded.rows, folded.as_of, unit, period))

    def _seals(self) -> None:
        self._screen.part("8", "A sealed quarter, proved to a member", "封账证明")
        lines, found = seals.shown(
            self._folders.data,
            self._folders.exported,
            self._vkey,
            self._quarter,
            self._folders.seals,
        )
        self._screen.block(lines)
        if not found.ok:
            raise DemoError("what the quarter's seal published is not what the log gives")
        self._screen.block(list(compare_text.lines(found)))

    def _tamper(self, target: Target) -> None:
        kept = Kept(
            target.statement.id,
            target.receipt_file.read_bytes(),
            self._folders.exported,
            self._vkey,
        )
        data = self._folders.data
        before = _files(self._folders.exported)
        was, forged = (render.points(-each) for each in (target.points, target.forged))
        with Insider(data) as insider:
            self._screen.part("9", "One row edited behind the ledger's back", "改一行")
            self._screen.say(
                f"{target.member} is at rank {target.rank}. With the database's superuser and all "
                f"triggers off, entry {target.index} becomes {forged} points instead of {was}. The "
                "checks:"
            )
            insider.edit(target.index, target.forged)
            self._findings(checks.after_edit(data, kept, self._folders.edited))
            self._screen.say(f"The receipt that {target.member} keeps still says: {kept.says()}.")
            insider.restore()
            self._screen.part("10", "History rewritten by an insider", "改整本账")
            self._screen.say(
                "The same forgery, by somebody who has everything: the entry signed anew with the "
                "two signers' stolen keys, its stream chained again, tree and head made anew, and "
                "every later checkpoint signed with the log's own key. Only the anchor file is "
                "forgotten at first:"
            )
            insider.rewrite(target.index, target.forged, self._stolen(), self._log_signer())
            self._findings(checks.after_rewrite(data))
            self._screen.say("Then the anchor file is rewritten too:")
            insider.rewrite_anchor()
            self._findings(checks.after_rewriting_anchor(data, kept, self._folders.rewritten))
            ranks = self._replayed(self._folders.rewritten).splitlines()
            fallen = next(line.split()[0] for line in ranks if target.member in line.split()[1:2])
            if int(fallen) <= target.rank:
                raise DemoError("the forgery did not cost its member the place")
            self._screen.say(
                f"In the rewritten log {target.member} is at rank {fallen}. Nothing inside the "
                "machine can tell; every copy outside it does. So keep receipts, and keep "
                "checkpoints."
            )
            self._screen.part("11", "Restored", "还原")
            insider.restore()
        with Ledger.open(data) as ledger:
            again = self._folders.root / "restored"
            export(ledger, again, self._vkey)
        if _files(again) != before or _files(self._folders.exported) != before:
            raise DemoError("the restored log is not the one that was exported before")
        shutil.rmtree(again)
        report = self._verified()
        self._screen.say(
            f"Every row is as it was: a new export has the same {len(before)} files, byte for "
            f"byte, the ledger starts, and all of {report.entries:,} entries verify."
        )

    def _stolen(self) -> dict[str, PrivateKey]:
        return {each.keyid: each for each in self._people.values()}

    def _log_signer(self) -> Signer:
        return Signer(ORIGIN, keyfile.load(self._folders.data / KEY_FILE))

    @property
    def _vkey(self) -> VerifierKey:
        return VerifierKey.parse(self._folders.vkey.read_text().strip())

    def _next(self, target: Target) -> None:
        self._screen.part("12", "What to try next", "接下来")
        at, vkey = self._folders, self._folders.vkey
        unit = cast.BRANCHES[0].unit.id
        first, revised = (at.rulebooks / each for each in year.SCHOOL)
        sheet = at.root / "claims.xlsx"
        older, period = at.exported / "checkpoint", f"{self._year}-Q3"
        opening = f"dispute open {case.CASE} --actor {cast.DISCIPLINE[0]} --purpose hearing"
        self._screen.commands(
            ("check a receipt", f"verify receipt {target.receipt_file} --vkey {vkey}"),
            ("check the whole log", f"verify log {at.exported} --vkey {vkey}"),
            ("the edited row is named", f"verify log {at.edited} --vkey {vkey}"),
            ("so is a rewriting", f"verify log {at.rewritten} --vkey {vkey} --from {older}"),
            (
                "rank without a database",
                f"replay {at.exported} ranking --unit {unit} --period {period} --vkey {vkey}",
            ),
            ("read a whole statement", f"statement {target.member} --data {at.data}"),
            ("see what the trial changed", f"rulebook diff {first} {revised}"),
            ("take the claims out as a table", f"export-table claims {sheet} --data {at.data}"),
            ("see cases and their terms", f"dispute due --every --data {at.data}"),
            (
                "open one, as its committee does: that is written down",
                f"{opening} --data {at.data}",
            ),
            ("look at a recorder's key", f"key show {at.keys / 'a-rec-rural-1.key'}"),
            ("serve it again later", f"serve --data {at.data}"),
        )
        took_s = time.monotonic() - self._started_s
        self._screen.note(f"Everything is in {at.root}; the demo took {took_s:.0f} s.")

    def _findings(self, findings: Iterator[Finding]) -> None:
        for each in findings:
            self._screen.finding(each.check, each.said, caught=each.caught)
            if each.caught != each.expected:
                raise DemoError(f"{each.check}: this came out otherwise than it must")
        self._screen.gap()


def _table(*names: str) -> Table:
    """Return a table with these columns; `>` puts one's cells to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        justify: JustifyMethod = "right" if name[0] == ">" else "left"
        table.add_column(name.removeprefix(">"), justify=justify, overflow="fold")
    return table


def _line(line: Line) -> tuple[str, ...]:
    entry = line.entry
    return (
        str(entry.log_index),
        entry.act_date,
        " ".join(line.names) or "更正 correction",
        render.points(line.worth),
        render.points(line.counted) if line.counted is not None else "–",
    )


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
