"""A comparison of what was published with the log, as lines for a reader or as JSON's types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from projections.compare import Checked, Compared, Comparison, Difference
from projections.explain import ADDED, LEFT_OUT, TWICE, UNCORRECTED, Change, Side
from projections.render import points, points_total

_HOW = {
    LEFT_OUT: "未计入 as if it did not count",
    ADDED: "多计入 as if it counted",
    TWICE: "重复计入 as if it counted twice",
    UNCORRECTED: "未更正 as if it corrected nothing",
}
_FIGURES = frozenset({"merit", "service", "score"})


def lines(found: Comparison) -> Iterator[str]:
    """Yield a comparison as lines: each seal, each file with what differs, and the verdict."""
    log = found.log
    yield f"log         {log.origin}"
    yield f"as of       size {log.as_of.size:,}, root {log.root.hex()}"
    for seal in found.seals:
        yield from _seal_lines(seal)
    if not found.seals:
        yield "sealed      nothing: no state is committed to in this log"
    for file in found.files:
        yield from _file_lines(file)
    wrong = sum(not each.ok for each in found.seals) + sum(not each.ok for each in found.files)
    of = f"{len(found.seals)} seals and {len(found.files)} files"
    if wrong:
        yield f"WRONG       {wrong} of {of} are not what the log gives"
    else:
        yield f"OK          {of} are what the log gives"


def _seal_lines(checked: Checked) -> Iterator[str]:
    seal, body = checked.seal, checked.seal.body
    mark = "ok" if checked.ok else "WRONG"
    yield (
        f"sealed      {mark}: entry {seal.index}, the {body['tree']} tree of period "
        f"{body['period']} as of log size {body['as_of']:,}, {body['count']:,} leaves, root "
        f"{body['root']}"
    )
    if checked.parked:
        yield f"            not in it, for it cannot be folded: {', '.join(checked.parked)}"
    if checked.ok:
        return
    yield f"            {checked.wrong}; signed by {', '.join(seal.signers)}"
    log = checked.log
    if log is not None:
        yield f"            the log gives {log['count']:,} leaves, root {log['root']}"


def _file_lines(file: Compared) -> Iterator[str]:
    mark = "ok" if file.ok else "WRONG"
    yield f"published   {mark}: {file.name}, {file.kind}, {file.of}, as of log size {file.size:,}"
    if file.wrong:
        yield f"            {file.wrong}"
    for each in file.differences:
        yield f"  {each.member}"
        yield f"    published {_values(each.published)}"
        yield f"    log       {_values(each.log)}"
        yield from _why_lines(each)
    for change in file.entries:
        yield from _change_lines(change)


def _why_lines(each: Difference) -> Iterator[str]:
    if each.why is None:
        return
    for cause in each.why.causes:
        yield f"    the published {each.explained}, with entry {cause.entry} {_HOW[cause.how]}:"
        for change in cause.changes:
            yield from _change_lines(change)
    if not each.why.causes:
        yield f"    no single entry explains the published {each.explained}"


def _change_lines(change: Change) -> Iterator[str]:
    yield f"    entry {change.entry}"
    yield f"      published {_side(change.published)}"
    yield f"      log       {_side(change.log)}"


def _side(side: Side | None) -> str:
    if side is None:
        return "不计 does not count"
    clipped = "".join(f", {stage} {points(-by)}" for stage, by in side.clipped)
    return f"分值 worth {points(side.worth)}, 计入 counted {points(side.counted)}{clipped}"


def _values(values: Mapping[str, Any] | None) -> str:
    if values is None:
        return "无 none"
    said = (
        f"{name} {points_total(each) if name in _FIGURES else each}"
        for name, each in values.items()
    )
    return ", ".join(said)


def as_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON's types; points are signed hundredths."""
    return {
        "log": found.log.origin,
        "size": found.log.as_of.size,
        "root": found.log.root.hex(),
        "ok": found.ok,
        "seals": [
            {
                "index": each.seal.index,
                "sealed": each.seal.body,
                "signers": each.seal.signers,
                "log": each.log,
                "wrong": each.wrong,
                "not_counted": each.parked,
            }
            for each in found.seals
        ],
        "published": [_file_json(each) for each in found.files],
    }


def _file_json(file: Compared) -> dict[str, Any]:
    return {
        "name": file.name,
        "kind": file.kind,
        "of": file.of,
        "as_of": file.size,
        "wrong": file.wrong,
        "members": [
            {
                "member": each.member,
                "published": each.published,
                "log": each.log,
                "explained": each.explained,
                "causes": [
                    {
                        "how": cause.how,
                        "entry": cause.entry,
                        "entries": [_change_json(one) for one in cause.changes],
                    }
                    for cause in (each.why.causes if each.why is not None else ())
                ],
            }
            for each in file.differences
        ],
        "entries": [_change_json(each) for each in file.entries],
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "entry": change.entry,
        "published": _side_json(change.published),
        "log": _side_json(change.log),
    }


def _side_json(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    clipped = [{"stage": stage, "by": by} for stage, by in side.clipped]
    return {"worth": side.worth, "counted": side.counted, "clipped": clipped}
