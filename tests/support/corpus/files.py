"""Broken files that people hand on: evidence, bundles and tables."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from ledger import canonical
from ledger.commitment import commit
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.verify import manifest
from ledger.verify.bundle_entries import receipt_name
from tests.support import bundles
from tests.support.archives import many_names, overlapping, repacked, workbook, zipped
from tests.support.corpus.changes import Case, Makers, json_changes, loose_base64
from tests.support.parsers import (
    good_checkpoint,
    seeds,
)
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER


def _evidence() -> Iterator[Case]:
    (good,) = seeds("evidence")
    found = orjson.loads(good)

    def changed(**parts: Any) -> bytes:
        return orjson.dumps(found | parts)

    proof = found["proof"]
    yield "empty", b"", "zero-length"
    yield "array", b"[" + good + b"]", "is a JSON object"
    yield "trailing-bytes", good + b"x", "unexpected content"
    yield "no-shown", orjson.dumps({"seen": found["seen"]}), "no text `shown`"
    yield "number", changed(seen=1), "no text `seen`"
    yield "crlf", changed(seen=found["seen"].replace("\n", "\r\n")), "no blank line"
    yield "twice-the-same", changed(seen=found["shown"]), "prove nothing"
    yield (
        "by-another-key",
        changed(
            seen=checkpoint.sign(Checkpoint(LOG_SIGNER.name, 1, bytes(32)), OTHER_SIGNER).decode()
        ),
        "no known key",
    )
    yield (
        "no-proof",
        orjson.dumps({k: v for k, v in found.items() if k != "proof"}),
        ("holds no proof"),
    )
    yield (
        "no-prefix",
        orjson.dumps({k: v for k, v in found.items() if k != "prefix"}),
        ("no text `prefix`"),
    )
    yield "proof-text", changed(proof=proof[0]), "a list of 63 hashes"
    yield "proof-64-hashes", changed(proof=proof * 64), "a list of 63 hashes"
    yield "proof-number", changed(proof=[1]), "is base64 text"
    yield "proof-short-hash", changed(proof=["AAAA"]), "where 32 are needed"
    yield "proof-too-short", changed(proof=[]), "too short"
    yield "proof-too-long", changed(proof=proof * 2), "too long"
    yield "proof-of-another-tree", changed(proof=[found["prefix"]]), "no common history"
    yield "prefix-bits-set", changed(prefix=loose_base64(found["prefix"])), "unused bits"
    old = Checkpoint(LOG_SIGNER.name, 1, base64.b64decode(found["prefix"]))
    yield (
        "no-contradiction",
        changed(seen=checkpoint.sign(old, LOG_SIGNER).decode()),
        ("do not contradict"),
    )
    yield "oversized", good + b" " * 300_000, "at most 262144"


def _page_evidence() -> Iterator[Case]:
    (good,) = seeds("page-evidence")
    found = orjson.loads(good)

    def changed(**parts: Any) -> bytes:
        made = {k: v for k, v in (found | parts).items() if v is not None}
        return orjson.dumps(made, option=orjson.OPT_SORT_KEYS)

    def note_of(name: str) -> bytes:
        return base64.b64decode(found[name])

    proof = found["proof"]
    other = checkpoint.sign(Checkpoint(LOG_SIGNER.name, 1, bytes(32)), OTHER_SIGNER)
    crlf = note_of("seen").replace(b"\n", b"\r\n")
    yield from json_changes(good, "no `kind`")
    yield "duplicate-key", good.replace(b'"at":', b'"at":"","at":'), "not canonical"
    yield "other-kind", changed(kind="mingzhang.evidence.v2"), "no `kind`"
    yield "unknown-member", changed(odd="x"), "no member odd"
    yield "no-detail", changed(detail=None), "has the texts"
    yield "float", changed(index=1.5), "a float"
    yield "index-negative", changed(index=-1), "no integer from 0"
    yield "seen-no-padding", changed(seen=found["seen"][:-1]), "base64"
    yield "seen-number", changed(seen=1), "no base64 text"
    yield "root-short", changed(root="AAAA"), "where 32 are needed"
    yield "root-bits-set", changed(root=loose_base64(found["root"])), "unused bits"
    yield "proof-text", changed(proof=proof[0]), "no list of at most"
    yield "proof-65-hashes", changed(proof=proof * 65), "no list of at most"
    yield "proof-short-hash", changed(proof=["AAAA"]), "where 32 are needed"
    yield "proof-too-short", changed(proof=[]), "does not belong to the newer tree"
    yield "proof-too-long", changed(proof=proof * 2), "does not belong to the newer tree"
    yield "proof-of-another-tree", changed(proof=[found["root"]]), "not belong to the newer tree"
    yield "no-proof", changed(proof=None), "no proof between the two"
    yield "no-kept", changed(kept=None), "is signed"
    yield "twice-the-same", changed(kept=found["seen"]), "of the same tree"
    yield "note-crlf", changed(seen=base64.b64encode(crlf).decode()), "seen is not the log's"
    yield (
        "by-another-key",
        changed(kept=base64.b64encode(other).decode()),
        "kept is not the log's: ",
    )
    yield "oversized", changed(detail="x" * 600_000), "at most 524288"


def _bundle_zips() -> Iterator[Case]:
    (good,) = seeds("bundle-zip")
    found = bundles.small()
    own = bundles.own_receipts(found)
    (state,) = (each for each in found if each.startswith(manifest.STATES))
    (text,) = (each for each in found if each.startswith(manifest.DISCLOSED))

    def changed(parts: Mapping[str, bytes | None], *, listed: bool = True) -> bytes:
        made = {name: data for name, data in {**found, **parts}.items() if data is not None}
        return bundles.packed(bundles.listed(made) if listed else made)

    def said(**parts: Any) -> bytes:
        told = canonical.dumps(canonical.loads(found[manifest.NAME]) | parts)
        return bundles.packed({**found, manifest.NAME: told})

    def opening(**parts: Any) -> bytes:
        (told,) = canonical.loads(found[manifest.OPENINGS])
        return changed({manifest.OPENINGS: canonical.dumps([told | parts])})

    def proof(**parts: Any) -> bytes:
        return changed({state: canonical.dumps(canonical.loads(found[state]) | parts)})

    yield "empty", b"", "its end is missing"
    yield "cut", good[:-1], "its end is"
    yield "trailing-byte", good + b"x", "end is damaged"
    yield "leading-byte", b"x" + good, "does not end where"
    yield "compressed", zipped(dict(found)), "is compressed"
    yield "twice", good.replace(b"report.zh.html", b"witness.policy"), "twice"
    yield "path-out", good.replace(b"report.zh.html", b"../rt.zh.html/"), "no path inside"
    yield "backslash", good.replace(b"report.zh.html", b"report\\zh.html"), "no path inside"
    yield "overlapping", overlapping(), "overlap"
    yield "no-manifest", changed({manifest.NAME: None}, listed=False), "no whole bundle"
    yield (
        "manifest-newline",
        changed({manifest.NAME: found[manifest.NAME] + b"\n"}, listed=False),
        ("manifest.json: "),
    )
    yield (
        "manifest-duplicate-key",
        changed(
            {manifest.NAME: found[manifest.NAME].replace(b'"kind":', b'"kind":"paper","kind":')},
            listed=False,
        ),
        "manifest.json: ",
    )
    yield "manifest-other-format", said(format="mingzhang.bundle.v2"), "its format is"
    yield "manifest-unsorted", said(streams=["member/m-2", "actor/a"]), "in order"
    yield "manifest-size-zero", said(size=0), "size is a log size"
    yield "manifest-other-size", said(size=99), "names another checkpoint"
    yield "manifest-other-root", said(root="ab" * 32), "names another checkpoint"
    yield "manifest-empty-stream", said(streams=["member/m-9"]), "no entry of member/m-9"
    yield "file-missing", changed({manifest.POLICY: None}, listed=False), "it is missing"
    yield "file-added", changed({"note.txt": b"x"}, listed=False), "it was added later"
    yield "file-altered", changed({"report.zh.html": b"x"}, listed=False), "it was altered"
    yield (
        "checkpoint-crlf",
        changed({manifest.CHECKPOINT: found[manifest.CHECKPOINT].replace(b"\n", b"\r\n")}),
        "checkpoint: ",
    )
    yield (
        "checkpoint-unsigned",
        changed(
            {
                manifest.CHECKPOINT: OTHER_SIGNER.sign(
                    good_checkpoint().split(b"\n\n")[0].decode() + "\n"
                )
            }
        ),
        "checkpoint: ",
    )
    yield "policy-no-quorum", changed({manifest.POLICY: b"\n"}), "no quorum line"
    yield "other-key", changed({manifest.VKEY: OTHER_SIGNER.vkey.text.encode()}), "another key"
    yield "receipt-of-another", changed({own[0]: found[own[1]]}), "under another's name"
    yield "receipt-cut", changed({own[0]: found[own[0]][:99]}), "no blank line"
    yield (
        "receipt-other-checkpoint",
        changed({own[0]: found[own[0]].rpartition("— ".encode())[0]}),
        "all receipts share one",
    )
    yield "receipt-altered", bundles.packed(bundles.altered_entry(dict(found))), "to the root"
    yield "entry-left-out", changed({own[1]: None}), "is left out"
    yield "entries-left-out-at-the-end", changed({own[-1]: None}), "entries are left out"
    yield "no-founding", changed({receipt_name(0): None}), "the registration of the key"
    yield "text-swapped", changed({text: b"x"}), "is not to these bytes"
    yield "text-missing", changed({text: None}), "the text or file is missing"
    yield "openings-no-list", changed({manifest.OPENINGS: b"{}"}), "no list of openings"
    yield "openings-not-json", changed({manifest.OPENINGS: b"["}), "disclosed.json: "
    yield "opening-more", opening(more="x"), "exactly the members"
    yield "opening-number", opening(kind=1), "are text"
    yield "opening-salt-short", opening(salt="ab"), "64 lower-case"
    yield "opening-salt-upper", opening(salt=bundles.SALT.hex().upper()), "64 lower-case"
    yield (
        "opening-of-no-entry",
        opening(commitment=commit(bundles.SALT, found["report.zh.html"]), file="report.zh.html"),
        "no entry of the bundle commits to it",
    )
    yield "state-index-of-another", proof(index=1), "no leaf 1"
    yield "state-proof-too-long", proof(hashes=["A" * 43 + "="]), "longer than the tree is high"
    yield "state-other-tree", proof(tree="ranking"), state
    yield "state-no-tree", proof(tree="x"), state
    yield (
        "state-receipt-of-another",
        proof(receipt=found[own[0]].decode().split("\n")),
        "the receipt is of member.enrolled",
    )
    yield "stamp-no-place", changed({"timestamps/x.tsr": b""}), "lies in timestamps/"
    yield "stamp-no-kind", changed({"timestamps/3/x": b""}), "neither checkpoint"
    yield "stamp-alone", changed({"timestamps/3/consistency": b""}), "checkpoint is missing"
    joined = {"timestamps/5/checkpoint": found[manifest.CHECKPOINT]}
    for name, data, reason in (
        ("empty", b"", "consistency: "),
        ("elsewhere", b"old 5\n\n" + good_checkpoint(), "does not lead to"),
        ("other-size", b"old 4\n\n" + found[manifest.CHECKPOINT], "of another size"),
    ):
        yield f"stamp-{name}", changed(joined | {"timestamps/5/consistency": data}), reason


def _csvs() -> Iterator[Case]:
    yield "empty", b"", "0 bytes of text/csv"
    yield "neither-encoding", b"a,b\n\xff\xff\xff\n", "neither UTF-8 nor GB 18030"
    yield "nul", b"a,b\n\0,1\n", "neither UTF-8 nor GB 18030"
    yield "unclosed-quote", b'a,"b\n1,2\n', "no CSV table"
    yield "text-after-quote", b'a,"b"c\n', "no CSV table"
    yield "huge-cell", b'a\n"' + b"x" * 20_000 + b'"\n', "no CSV table"


def _xlsxs() -> Iterator[Case]:
    good = workbook(["a", 1])
    yield "empty", b"", "0 bytes of"
    yield "text", b"not a workbook", "its end is missing"
    yield "cut", good[: len(good) // 2], "its end is missing"
    yield "trailing-bytes", good + b"x" * 70_000, "its end is missing"
    yield "only-a-zip", zipped({"a.txt": b"a"}), "no Excel workbook"
    yield "overlapping", overlapping(), "overlap"
    yield "many-names", many_names(1_001), "names"
    yield "parent-folder", repacked(good, {"../x.xml": b"<a/>"}), "no path inside the archive"
    yield "bomb", repacked(good, {"xl/b.xml": bytes(70 * 1024 * 1024)}), "once it is inflated"


MAKERS: Makers = {
    "evidence": _evidence,
    "page-evidence": _page_evidence,
    "bundle-zip": _bundle_zips,
    "csv": _csvs,
    "xlsx": _xlsxs,
}
