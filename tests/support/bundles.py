"""Bundles of a small log, without a database, and ways to tamper with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from ledger import canonical
from ledger.archive import write_stored
from ledger.commitment import commit
from ledger.entry import parse_entry
from ledger.log import receipt
from ledger.log.checkpoint import Checkpoint, sign
from ledger.log.merkle import Edge, inclusion_proof, leaf_hash
from ledger.log.note import Signer
from ledger.log.receipt import Receipt
from ledger.state import SEALED, MemberLeaf, prove, root
from ledger.verify import manifest
from ledger.verify.bundle_entries import receipt_name
from ledger.verify.manifest import Manifest
from tests.support.lying import WITNESSES, policy_text
from tests.support.organisation import ORIGIN, Organisation
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER, Recorder, small_log

TEXT = "三月里做了两天志愿服务".encode()
SALT = bytes(range(32))
MEMBER = "m-2"
COSIGNED_AT = 1_900_000_000
"""Far enough ahead that no run of a test calls it stale."""


@cache
def files(signer: Signer = LOG_SIGNER) -> Mapping[str, bytes]:
    """Return the files of a dossier of `m-2`, with a text and a sealed balance."""
    return _dossier(_entries(), signer)


@cache
def small() -> Mapping[str, bytes]:
    """Return the files of a dossier of few entries, that a founder signed alone, unasked for."""
    organisation, recorder = Organisation(), Recorder()
    recorder.record(organisation.founding())
    for each in (
        organisation.enrolment(MEMBER),
        organisation.award(MEMBER, signers=("reg-1",), reason=commit(SALT, TEXT)),
        organisation.award(MEMBER, signers=("reg-1",)),
    ):
        recorder.record(each, checked=False)
    _seal(organisation, recorder, "reg-1")
    return _dossier(recorder.entries, LOG_SIGNER)


def _dossier(entries: list[bytes], signer: Signer) -> dict[str, bytes]:
    leaves = [leaf_hash(each) for each in entries]
    nodes: dict[tuple[int, int], bytes] = {}
    edge = Edge.empty().extend(leaves, nodes)
    note = sign(Checkpoint(ORIGIN, edge.size, edge.root()), signer)
    for each in WITNESSES[:2]:
        note = each.cosign(note, COSIGNED_AT)
    found: dict[str, bytes] = {
        manifest.CHECKPOINT: note,
        manifest.VKEY: signer.vkey.text.encode() + b"\n",
        manifest.POLICY: policy_text(signer.vkey.text).encode(),
        "report.zh.html": "<!doctype html><p>档案</p>".encode(),
    }
    streams = set()
    for index, data in enumerate(entries):
        entry = parse_entry(data)
        kind = entry.stream.partition("/")[0]
        if entry.stream == f"member/{MEMBER}" or kind in ("actor", "ledger", "rulebook", "period"):
            proof = inclusion_proof(index, edge.size, nodes.__getitem__)
            found[receipt_name(index)] = receipt.encode(Receipt(data, index, tuple(proof), note))
            if kind != "ledger":
                streams.add(entry.stream)
    (sealed,) = [n for n, each in enumerate(entries) if parse_entry(each).statement.type == SEALED]
    members = _leaves(entries[:sealed])
    place = [each.member for each in members].index(MEMBER)
    state = prove(members, place, found[receipt_name(sealed)])
    found[f"{manifest.STATES}p-members-{sealed}.json"] = state.data()
    commitment = commit(SALT, TEXT)
    name = f"{manifest.DISCLOSED}{commitment}"
    found[name] = TEXT
    opening = {"commitment": commitment, "file": name, "kind": "text/plain", "salt": SALT.hex()}
    found[manifest.OPENINGS] = canonical.dumps([opening])
    return listed(found, streams=tuple(streams), head=(edge.size, edge.root().hex()))


def listed(
    found: Mapping[str, bytes], *, streams: tuple[str, ...] = (), head: tuple[int, str] = (0, "")
) -> dict[str, bytes]:
    """Return files with a manifest that lists them as they are now: what a forger would write."""
    rest = {name: data for name, data in found.items() if name != manifest.NAME}
    if manifest.NAME in found:
        old = manifest.parse(found[manifest.NAME])
        streams, head = old.streams, (old.size, old.root)
    made = Manifest.of(manifest.MEMBER, MEMBER, ORIGIN, *head, streams, rest)
    return {**rest, manifest.NAME: made.data()}


def packed(found: Mapping[str, bytes] | None = None) -> bytes:
    """Return a bundle's bytes, of the good one unless told otherwise."""
    return write_stored(files() if found is None else found)


def own_receipts(found: Mapping[str, bytes]) -> list[str]:
    """Return the names of the receipts of the member's stream, in order."""
    return [
        name
        for name in sorted(found)
        if name.endswith(".tlog-proof")
        and parse_entry(receipt.parse(found[name]).entry).stream == f"member/{MEMBER}"
    ]


def _entries() -> list[bytes]:
    """Return a small log with a disclosed reason and a sealed state of `m-1` to `m-3`."""
    organisation = Organisation(members=4)
    recorder = small_log(organisation, 9)
    recorder.record(organisation.award(MEMBER, reason=commit(SALT, TEXT)))
    _seal(organisation, recorder, "rec-1", "com-1")
    recorder.record(organisation.award(MEMBER))
    return recorder.entries


def _seal(organisation: Organisation, recorder: Recorder, actor: str, *also: str) -> None:
    leaves = _leaves(recorder.entries)
    body = {
        "as_of": len(recorder.entries),
        "tree": "members",
        "period": "p",
        "unit": "root",
        "rulebook": "rules",
        "count": len(leaves),
        "root": root(leaves).hex(),
    }
    sealing = organisation.statement(SEALED, "period/p", actor, body, also=also)
    # Nobody opened the period: what is sealed is what a bundle is asked about, not when.
    recorder.record(sealing, checked=False)


def _leaves(entries: list[bytes]) -> list[MemberLeaf]:
    """Return the leaves of the members that the entries enrol, with the heads of their streams."""
    heads = {parse_entry(each).stream: each for each in entries}
    found = []
    for stream in sorted(each for each in heads if each.startswith("member/")):
        head, member = heads[stream], stream.partition("/")[2]
        seq = parse_entry(head).seq
        found.append(MemberLeaf(member, seq, leaf_hash(head).hex(), "east", "p", 6500))
    return found


def altered_entry(found: dict[str, bytes]) -> dict[str, bytes]:
    """Change a byte of an entry of the member, and the manifest with it."""
    name = own_receipts(found)[1]
    parsed = receipt.parse(found[name])
    entry = parsed.entry.replace(b'"recorded_at":"20', b'"recorded_at":"30')
    found[name] = receipt.encode(replace(parsed, entry=entry))
    return listed(found)


def dropped_entry(found: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out an entry in the middle of the member's stream."""
    del found[own_receipts(found)[1]]
    return listed(found)


def swapped_text(found: dict[str, bytes]) -> dict[str, bytes]:
    """Put another text in the place of the disclosed one."""
    name = next(each for each in found if each.startswith(manifest.DISCLOSED))
    found[name] = "没有做".encode()
    return listed(found)


def edited_report(found: dict[str, bytes]) -> dict[str, bytes]:
    """Edit the report, and not the manifest."""
    found["report.zh.html"] += b"<p>+5</p>"
    return found


TAMPERED: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "altered entry": altered_entry,
    "dropped entry": dropped_entry,
    "swapped text": swapped_text,
    "edited report": edited_report,
}


def other_key() -> dict[str, bytes]:
    """Return the whole bundle as another key signed it, with that key in it."""
    return dict(files(OTHER_SIGNER))
