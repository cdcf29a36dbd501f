"""The bundle for a hearing: what an entry rests on, as files that are checked without the server.

A ZIP with a receipt of every statement of the entry's way and of those that correct it, of its
rulebook's version, and of the keys and roles of all who signed; the evidence and texts that are
kept here, with their salts; the log's key; the page that checks receipts off line; and
`manifest.json` with the SHA-256 of each file. The same position gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile

import orjson

from ledger import canonical
from ledger.domain.event import Event
from ledger.entry import parse_entry
from ledger.errors import MingzhangError
from projections.questions.committee import chain, corrections
from projections.questions.ground import Ground
from projections.questions.members import ABOUT_VERSION, line_of

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP can say: none of the files has one of its own."""


def bundle(ground: Ground, entry: str, vkey: str, page: bytes) -> bytes:
    """Return the ZIP of an entry; `page` is `verify.html`. Raises NotFoundError."""
    member, _ = ground.entry(entry)
    around = corrections(ground, entry=entry)["entries"]
    files: dict[str, bytes] = {"log.vkey": vkey.encode() + b"\n", "verify.html": page}
    files["chain.json"] = orjson.dumps(chain(ground, entry=entry), option=orjson.OPT_INDENT_2)
    statements: dict[str, None] = {}
    signers: dict[str, None] = {}
    texts: dict[str, None] = {}
    for each in around:
        for step in line_of(ground, member, each["entry"]).steps:
            statements[step.row.id] = None
            signers |= dict.fromkeys(signer.actor for signer in step.signers)
        _, found = ground.entry(each["entry"])
        texts |= dict.fromkeys(found.texts)
        if found.item:
            statements |= dict.fromkeys(_of_version(ground, found.rulebook, found.version))
    for actor in signers:
        for event in ground.stream(f"actor/{actor}"):
            if event.proposal.type.startswith(("key.", "role.", "relation.")):
                statements[event.proposal.id] = None
    founding = Event.of(parse_entry(ground.log.entry(0)), 0)
    statements[founding.proposal.id] = None
    for ident in statements:
        index, data = ground.log.find(ident)
        kind = parse_entry(data).statement.type
        files[f"receipts/{index:08}-{kind}.tlog-proof"] = ground.log.receipt(ident)
    salts = []
    for commitment in texts:
        try:
            document = ground.documents.get(commitment)
        except MingzhangError:
            continue  # erased, or never handed in here: the commitment stands in the log
        files[f"documents/{commitment}"] = document.data
        said = {"commitment": commitment, "kind": document.kind}
        salts.append(said | {"salt": document.salt.hex()})
    files["salts.json"] = canonical.dumps(salts)
    manifest = {
        "log": founding.proposal.log,
        "size": ground.as_of.size,
        "entry": entry,
        "member": member,
        "files": [
            {"name": name, "sha256": hashlib.sha256(files[name]).hexdigest()}
            for name in sorted(files)
        ],
    }
    return _zip({"manifest.json": canonical.dumps(manifest), **files})


def _of_version(ground: Ground, rulebook: str, version: str) -> list[str]:
    """Return the statements of a rulebook's version, its parts too."""
    return [
        event.proposal.id
        for event in ground.stream(f"rulebook/{rulebook}")
        if event.proposal.type in (*ABOUT_VERSION, "rulebook.part")
        and event.proposal.body.get("version") == version
    ]


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _WHEN), files[name], zipfile.ZIP_DEFLATED)
    return made.getvalue()
