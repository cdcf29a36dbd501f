"""Makes the three bundles: a member's dossier, a hearing's papers, an auditor's working paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from api.bundles import contents, page, sheet
from api.bundles.gather import FILER, Gathering, Head, head_of
from api.bundles.report import LANGUAGES, Report
from api.web.register import Register
from api.web.standalone import verify_page
from ledger import canonical
from ledger.entry import Entry, parse_entry
from ledger.errors import FormatError, MingzhangError, NotFoundError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, parse_body
from ledger.log.merkle import verify_consistency
from ledger.log.note import VerifierKey
from ledger.state import SEALED, StateProof
from ledger.store import register as intake
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger
from ledger.verify import manifest
from ledger.verify.sample import FORMAT
from projections import commitments
from projections.asof import Wanted
from projections.statements import MemberStatement
from projections.views import Views

VERIFY_PAGE = "verify.html"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
ENVELOPE, TARGET = "application/vnd.dsse+json", "application/json"


class Sources(NamedTuple):
    """Where a bundle comes from; `vkey` and `policy` are files that it carries along."""

    ledger: Ledger
    views: Views
    documents: Documents
    register: intake.Register
    vkey: bytes
    policy: bytes | None


class Opening(NamedTuple):
    """Who opens a confidential case for its hearing, and what for (B9): it is written down."""

    actor: str
    purpose: str


def member_bundle(sources: Sources, member: str, size: int | None = None) -> dict[str, bytes]:
    """Return the files of a member's dossier. Raises NotFoundError for an unknown member."""
    gathering = _begin(sources, size)
    entries = _member_stream(gathering, member)
    gathering.disclose(sources.documents, _bodies(entries), filers=False)
    _add_states(sources, gathering, member)
    gathering.add_rules()
    statement = _statement(sources.views, member, gathering.head)
    gathering.add_signers()
    known = Register(sources.ledger).read()
    reports = [contents.dossier(lang, gathering, statement, known) for lang in LANGUAGES]
    return _end(sources, gathering, manifest.MEMBER, member, reports)


def hearing_bundle(
    sources: Sources, about: str, opening: Opening | None, size: int | None = None
) -> dict[str, bytes]:
    """Return the files for the hearing of a dispute, or of an entry by its statement's id.

    A dispute's names filer and target, so it needs an `opening`, which intake's register keeps.
    Raises NotFoundError where neither is recorded, FormatError without the opening.
    """
    gathering = _begin(sources, size)
    case = gathering.add_stream(f"dispute/{about}")
    if case:
        target = _open_case(sources, gathering, about, opening)
    elif not _UUID(about):
        raise NotFoundError(f"{about[:70]!r} is neither a dispute nor an entry: name one by its id")
    else:
        index, _ = sources.ledger.find(about)
        target = {"stream": gathering.add_entry(index).stream, "entry": about}
    gathering.disclose(sources.documents, _bodies(case), filers=True)
    statement, member = None, ""
    if target.get("stream", "").startswith("member/"):
        member = target["stream"].removeprefix("member/")
        mine = [each for each in _member_stream(gathering, member) if _is_about(each[1], target)]
        gathering.disclose(sources.documents, _bodies(mine), filers=True)
        statement = _statement(sources.views, member, gathering.head)
    elif not case:
        raise NotFoundError(f"{about} is neither a dispute nor an entry of a member")
    gathering.add_rules()
    gathering.add_signers()
    known = Register(sources.ledger).read()
    reports = [
        contents.hearing(lang, gathering, about, case, target, statement, known)
        for lang in LANGUAGES
    ]
    return _end(sources, gathering, manifest.HEARING, about, reports)


def _head(data: bytes, origin: str) -> Checkpoint:
    """Return the checkpoint that a paper's sample was drawn by. Raises FormatError, ProofError.

    A witnessed one has its cosignatures only, since that is what the log records: what it is worth
    is that the bundle's own checkpoint continues it.
    """
    found = parse_body(note.parse(data).text)
    if found.origin != origin:
        raise ProofError(f"the working paper is about the log {found.origin}, not about {origin}")
    return found


def paper_bundle(sources: Sources, paper: bytes, size: int | None = None) -> dict[str, bytes]:
    """Return the files of a working paper: the drawn entries with what they depend on.

    Raises FormatError for what is no working paper, ProofError for one of another log. That its
    sample is the one drawn is checked by `mingzhang audit verify-sample`.
    """
    value = canonical.loads(paper.removesuffix(b"\n"))
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise FormatError(f"it is no working paper of the form {FORMAT}")
    try:
        number, drawn = str(value["index_number"]), [int(each["index"]) for each in value["result"]]
        query, lines = int(value["query"]["index"]), list(value["log_head"])
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"the working paper lacks a part: {error!r}") from None
    key = VerifierKey.parse(sources.vkey.decode().strip())
    seal = _head("\n".join(lines).encode(), key.name)
    gathering = _begin(sources, size)
    signed = gathering.head.checkpoint
    if seal.size > signed.size:
        raise ProofError(f"the working paper is of log size {seal.size}: name a later --size")
    proof = sources.ledger.consistency_proof(seal.size, signed.size)
    verify_consistency(seal.size, signed.size, proof, seal.root, signed.root)
    for index in sorted({query, *drawn}):
        gathering.add_entry(index)
    gathering.add_rules()
    gathering.add_signers()
    known = Register(sources.ledger).read()
    reports = [contents.paper(lang, gathering, value, known) for lang in LANGUAGES]
    gathering.files[manifest.PAPER_FILE] = paper
    return _end(sources, gathering, manifest.PAPER, number, reports)


def _begin(sources: Sources, size: int | None) -> Gathering:
    ledger = sources.ledger
    return Gathering(ledger, head_of(ledger, ledger.cosignatures, ledger.policy, size))


def _end(
    sources: Sources, gathering: Gathering, kind: str, about: str, reports: list[Report]
) -> dict[str, bytes]:
    gathering.add_stamps()
    more: dict[str, bytes] = {
        manifest.VKEY: sources.vkey,
        VERIFY_PAGE: verify_page().encode(),
    }
    if sources.policy is not None:
        more[manifest.POLICY] = sources.policy
    for each in reports:
        more[f"report.{each.lang}.html"] = page.write(each)
        more[f"report.{each.lang}.pdf"] = sheet.write(each)
    return gathering.finish(kind, about, more)


def _member_stream(gathering: Gathering, member: str) -> list[tuple[int, Entry]]:
    entries = gathering.add_stream(f"member/{member}")
    if not entries:
        raise NotFoundError(f"no member {member!r} is recorded: ask for one by its id")
    return entries


def _bodies(entries: list[tuple[int, Entry]]) -> list[Mapping[str, Any]]:
    return [entry.statement.body for _, entry in entries]


def _is_about(entry: Entry, target: Mapping[str, str]) -> bool:
    wanted, body = target.get("entry"), entry.statement.body
    return wanted in (entry.statement.id, body.get("entry"), body.get("reverses"))


def _statement(views: Views, member: str, head: Head) -> MemberStatement:
    """Return a member's whole statement as of the bundle's checkpoint."""
    at = Wanted(size=head.size)
    found = whole = views.statement(member, at)
    while found.more:
        found = views.statement(member, at, after=found.lines[-1].entry.seq)
        whole = MemberStatement(
            whole.member, whole.unit, whole.as_of, whole.figures, whole.lines + found.lines, False
        )
    return whole


def _open_case(
    sources: Sources, gathering: Gathering, about: str, opening: Opening | None
) -> dict[str, str]:
    """Add what the case's commitments stand for, from intake's register; return the target."""
    if opening is None:
        raise FormatError(
            "a dispute's filer and target are confidential: --actor and --purpose say who opens "
            "the case and what for, and intake's register keeps it"
        )
    filed = sources.register.open(about, opening.actor, opening.purpose)
    body = next(iter(gathering.entries.values())).statement.body
    gathering.open(body[FILER], filed.envelope_salt, filed.envelope, ENVELOPE)
    gathering.open(body["target"], filed.target_salt, canonical.dumps(filed.target), TARGET)
    return dict(filed.target)


def _add_states(sources: Sources, gathering: Gathering, member: str) -> None:
    """Add a proof of the member's balance and rank under each state that is sealed by then.

    A state that cannot be proved any more, because what was sealed is not what the log gives, is
    left out, and the report says which.
    """
    ledger, views = sources.ledger, sources.views
    for index, data in ledger.typed([SEALED]):
        if index >= gathering.head.size:
            continue
        entry = parse_entry(bytes(data))
        body = entry.statement.body
        try:
            found = commitments.proof(
                views.state(body["period"], body["as_of"]),
                body["tree"],
                member,
                body,
                gathering.receipt(index, bytes(data)),
            )
        except NotFoundError:
            continue
        except MingzhangError as error:
            gathering.unproved.append(f"{body['period']}, {body['tree']}: {error.message}")
            continue
        if isinstance(found, StateProof):
            gathering.add_stream(entry.stream)
            name = f"{manifest.STATES}{body['period']}-{body['tree']}-{body['as_of']}.json"
            gathering.files[name] = found.data()
