"""The ledger and its read models, opened once for a serving process."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from api.access import read_committee, read_publish_rankings, read_token_digest
from api.bundles.make import Sources
from api.clerk import Clerk
from api.desk import Desk
from api.refusing import Refuser, is_refusal, open_refuser
from api.web.settings import PageSettings, read_page_settings
from api.witnessing import Witnessing, open_witnessing
from ledger.domain.decide import FOUNDED
from ledger.entry import parse_envelope
from ledger.errors import FormatError, MingzhangError, StartRefusedError
from ledger.store.documents import Documents
from ledger.store.ledger import (
    CONFIG_FILE,
    POLICY_FILE,
    VKEY_FILE,
    Ledger,
    Options,
    read_origin,
)
from ledger.store.queue import Outcome
from ledger.store.register import Register
from projections.questions.ground import Grounds
from projections.runner import Runner
from projections.views import Views

DOCUMENT_CONNECTIONS_MAX = 4
VIEW_CONNECTIONS_MAX = 4


class FoundingError(MingzhangError):
    """A founding statement came over HTTP, signed by keys that the configuration does not name."""

    code = "founding-not-allowed"
    status = 403


@dataclass(slots=True)
class Service:
    """The open ledger, who may found it over HTTP (key ids), and what keeps the read models up.

    `views` answers from them, rankings only where `publish_rankings` is on. `refuser` signs
    refusals, `clerk` what lapses; `desk` answers about entries under way; `witnessing` brings
    checkpoints to witnesses. `documents` are open to who has the token of that SHA-256; `cases`,
    intake's register, and the committee's questions to the actors of `committee`; `grounds` answer
    the questions of `api.questions`; `bundles` is what a hearing's papers are made of. `pages` are
    the settings of the pages.
    """

    ledger: Ledger
    founders: frozenset[str] = frozenset()
    runner: Runner | None = None
    refuser: Refuser | None = None
    documents: Documents | None = None
    documents_token: bytes | None = None
    witnessing: Witnessing | None = None
    desk: Desk | None = None
    clerk: Clerk | None = None
    views: Views | None = None
    publish_rankings: bool = False
    committee: dict[str, bytes] = field(default_factory=dict)
    cases: Register | None = None
    grounds: Grounds | None = None
    bundles: Sources | None = None
    pages: PageSettings = field(default_factory=PageSettings)
    _founded: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)

    async def append(self, envelopes: Sequence[bytes]) -> list[Outcome]:
        """Record envelopes in order; a receipt or an error each.

        Raises BusyError or StoppedError (nothing was queued) or OutcomeUnknownError.
        """
        outcomes = await self._append(envelopes)
        if self.refuser is not None and any(map(is_refusal, outcomes)):
            size = await asyncio.to_thread(self.ledger.size)
            self.refuser.sign(envelopes, outcomes, size)
        return outcomes

    async def _append(self, envelopes: Sequence[bytes]) -> list[Outcome]:
        refused = await self._refused_foundings(envelopes)
        if not refused:
            return await self.ledger.append_batch_async(envelopes)
        rest = [each for place, each in enumerate(envelopes) if place not in refused]
        outcomes = iter(await self.ledger.append_batch_async(rest) if rest else ())
        return [
            refused[place] if place in refused else next(outcomes)
            for place in range(len(envelopes))
        ]

    def start(self) -> None:
        """Start what runs in the background."""
        if self.runner is not None:
            self.runner.start()
        if self.witnessing is not None:
            self.witnessing.start()
        if self.clerk is not None:
            self.clerk.start()

    def close(self) -> None:
        """Finish what is queued and let go of the database; a second call does nothing."""
        if not self._closed:
            self._closed = True
            if self.witnessing is not None:
                self.witnessing.close()
            if self.clerk is not None:
                self.clerk.close()
            if self.desk is not None:
                self.desk.close()
            if self.runner is not None:
                self.runner.close()
            if self.documents is not None:
                self.documents.close()
            if self.views is not None:
                self.views.close()
            self.ledger.close()

    async def _refused_foundings(self, envelopes: Sequence[bytes]) -> dict[int, FoundingError]:
        """Return the founding statements, by place, that may not come over HTTP.

        Only an empty log can be founded, so that nothing is parsed twice once it is not.
        """
        if not self._founded:
            self._founded = await asyncio.to_thread(self.ledger.size) > 0
        if self._founded:
            return {}
        refused = {}
        for place, envelope in enumerate(envelopes):
            try:
                statement = parse_envelope(envelope)
            except FormatError:
                continue  # the ledger says what is wrong with it
            if statement.type != FOUNDED:
                continue
            unknown = [s.keyid for s in statement.signatures if s.keyid not in self.founders]
            if unknown:
                refused[place] = FoundingError(
                    f"key {unknown[0][:16]}… is not listed as `founders` in {CONFIG_FILE}: list "
                    "the key id of every signer there, or found the ledger on its own machine "
                    "with `mingzhang submit FILE --data DIR`"
                )
        return refused


def open_service(data_dir: Path, options: Options = Options(), url: str | None = None) -> Service:
    """Open the ledger of `data_dir` for serving. Raises StartRefusedError."""
    read_origin(data_dir)
    founders = read_founders(data_dir)
    token, committee = read_token_digest(data_dir), read_committee(data_dir)
    pages = read_page_settings(data_dir)
    ledger = Ledger.open(data_dir, url=url, options=options)
    try:
        refuser = open_refuser(data_dir, ledger.origin)
        pool = ledger.database.pool(0, DOCUMENT_CONNECTIONS_MAX)
        documents = Documents(pool)
        key = refuser.key if refuser is not None else None
        witnessing = open_witnessing(ledger, key)
        desk = Desk(ledger)
        clerk = Clerk(ledger, key, desk) if key is not None else None
        views_pool = ledger.database.pool(0, VIEW_CONNECTIONS_MAX)
        views, cases = Views(views_pool), Register(pool)
        return Service(
            ledger,
            founders,
            Runner.of(ledger),
            refuser,
            documents,
            token,
            witnessing=witnessing,
            desk=desk,
            clerk=clerk,
            views=views,
            publish_rankings=read_publish_rankings(data_dir),
            committee=committee,
            cases=cases,
            grounds=Grounds(views, views_pool),
            bundles=Sources(
                ledger,
                views,
                documents,
                cases,
                (data_dir / VKEY_FILE).read_bytes(),
                (data_dir / POLICY_FILE).read_bytes() if ledger.policy is not None else None,
            ),
            pages=pages,
        )
    except BaseException:
        ledger.close()
        raise


def read_founders(data_dir: Path) -> frozenset[str]:
    """Return the key ids that `founders` of a ledger's configuration lists.

    Raises StartRefusedError if that is no list of key ids.
    """
    path = data_dir / CONFIG_FILE
    try:
        founders = tomllib.loads(path.read_text()).get("founders", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StartRefusedError(f"cannot read {path}: {error}") from None
    if not isinstance(founders, list) or not all(
        isinstance(each, str) and len(each) == 64 and set(each) <= set("0123456789abcdef")
        for each in founders
    ):
        raise StartRefusedError(
            f"`founders` in {path} must be a list of key ids of 64 lower-case hex digits, as "
            "`mingzhang key show` prints them"
        )
    return frozenset(founders)


def of_request(request: Request) -> Service:
    """Return the service that a request is answered by."""
    found = request.app.state.service
    assert isinstance(found, Service)  # noqa: S101 - create_app puts it there
    return found


ServiceOf = Annotated[Service, Depends(of_request)]
