"""The routes of the pages: public page, a member's record, a rulebook, and the off-line verifier.

Every page is whole without scripts. Its policy (CSP) allows scripts and styles of this service
only, none inline, and requests to this service only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParam
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from api import problems
from api.answers import NO_CACHE
from api.service import Service, ServiceOf
from api.views import views_of
from api.web import front, notice, record, show, standalone
from api.web.assets import Assets
from api.web.models import LogView
from api.web.register import Known, Register
from api.web.words import Words, language_of
from ledger.domain.days import zone_date
from ledger.entry import parse_entry
from ledger.errors import BusyError, MingzhangError, NotFoundError
from ledger.store.reader import STREAM_PAGE_MAX
from projections.rankings import Ranking
from projections.statements import Line

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_UNCACHED = {"Cache-Control": "no-store"}
_YEAR_S = 365 * 24 * 3600
_SIZES = ("normal", "larger", "largest")

router = APIRouter(tags=["pages"], include_in_schema=False)

MemberId = Annotated[str, PathParam(pattern=r"^[a-z0-9-]{1,64}$")]
Version = Annotated[str, PathParam(pattern=r"^[0-9A-Za-z.-]{1,40}$")]


class Site:
    """What the pages of one service share: templates, files, keys and rulebooks, read models."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.assets = Assets()
        self.register = Register(service.ledger)
        self._environment = Environment(
            loader=PackageLoader("api.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def log(self) -> LogView:
        """Return the newest checkpoint for a page. Raises NotFoundError while there is none."""
        has_policy = self.service.pages.policy is not None
        ledger = self.service.ledger
        return show.log_view(ledger.checkpoint(), ledger.vkey, has_policy=has_policy)

    def render(self, request: Request, name: str, status: int = 200, **given: Any) -> Response:
        """Return a page in the reader's language and size of type."""
        words, size = words_of(request), size_of(request)
        next_size = _SIZES[(_SIZES.index(size) + 1) % len(_SIZES)]
        html = self._environment.get_template(name).render(
            t=words,
            lang=words.lang,
            size=size,
            next_size=next_size,
            style=self.assets.url("style.css"),
            icon=self.assets.url("icon.svg"),
            script=self.assets.url("record.js"),
            other=_with_query(request, lang="en" if words.lang == "zh" else "zh"),
            resize=_with_query(request, size=next_size),
            as_json=_as_json,
            **given,
        )
        answer = Response(html, status, {"Content-Security-Policy": CSP}, "text/html")
        answer.headers["Vary"] = "Accept-Language, Cookie"
        answer.headers["Cache-Control"] = "no-store" if status != 200 else "no-cache"
        for cookie, values in (("lang", ("zh", "en")), ("size", _SIZES)):
            asked = request.query_params.get(cookie)
            if asked in values:
                answer.set_cookie(cookie, str(asked), _YEAR_S, httponly=True, samesite="lax")
        return answer


def words_of(request: Request) -> Words:
    """Return the words of the language that a request is answered in."""
    return Words(
        language_of(
            request.query_params.get("lang"),
            request.cookies.get("lang"),
            request.headers.get("accept-language", ""),
        )
    )


def size_of(request: Request) -> str:
    """Return the size of type that a request asks for or that is remembered."""
    for each in (request.query_params.get("size"), request.cookies.get("size")):
        if each in _SIZES:
            return str(each)
    return _SIZES[0]


def site_of(request: Request) -> Site:
    """Return what the pages share, made at the first request for one."""
    state = request.app.state
    if not hasattr(state, "site"):
        state.site = Site(state.service)
    found = state.site
    assert isinstance(found, Site)  # noqa: S101 - made above
    return found


SiteOf = Annotated[Site, Depends(site_of)]


@router.get("/")
def get_front(request: Request, site: SiteOf) -> Response:
    """Answer the public page of the log."""
    return _page(request, site, lambda: _front(request, site))


@router.get("/record/{member}")
def get_record(
    request: Request,
    member: MemberId,
    site: SiteOf,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Answer a member's own record."""
    answer = _page(request, site, lambda: _record(request, site, member, before))
    # It is of one person: no cache on the way keeps it, and no search engine.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@router.get("/notice")
def get_notice(
    request: Request, site: SiteOf, code: Annotated[str | None, Query(max_length=40)] = None
) -> Response:
    """Answer the page that checks papers; `code` is a locator typed by hand."""

    def make() -> Response:
        log, known = site.log(), site.register.read()
        view = notice.notice_view(site.service.ledger, log, known, code)
        return site.render(request, "notice.html", page=view)

    return _page(request, site, make)


@router.get("/rulebook/{ident}/{version}")
def get_rulebook(request: Request, ident: MemberId, version: Version, site: SiteOf) -> Response:
    """Answer the page of a rulebook's version."""

    def make() -> Response:
        known = site.register.read()
        view = front.rulebook_view(words_of(request), known, ident, version, site.log())
        return site.render(request, "rulebook.html", page=view)

    return _page(request, site, make)


@router.get("/policy", responses=problems.documented(404))
async def get_policy(service: ServiceOf) -> Response:
    """Answer the witnesses' policy (C2SP tlog-policy) of this deployment."""
    if service.pages.policy is None:
        raise NotFoundError("no policy of witnesses is configured here")
    return Response(service.pages.policy, headers=NO_CACHE, media_type="text/plain")


@router.get("/verify.html")
async def get_verify_page() -> Response:
    """Answer the page that checks receipts and bundles off line, to be kept."""
    # Its own policy stands in it, so that it holds from a file too.
    headers = NO_CACHE | {"Content-Security-Policy": "frame-ancestors 'none'"}
    return Response(standalone.verify_page(), headers=headers, media_type="text/html")


@router.get("/static/{digest}/{name}")
async def get_asset(request: Request, site: SiteOf) -> Response:
    """Answer a script or the style sheet."""
    return site.assets.answer(request)


def _front(request: Request, site: Site) -> Response:
    words = words_of(request)
    ledger = site.service.ledger
    now = datetime.now(UTC)
    try:
        log = site.log()
    except NotFoundError:
        return site.render(request, "empty.html")
    known = site.register.read()
    newest = ledger.entry(log.size - 1)
    rankings = _rankings(site.service, known, newest) if site.service.publish_rankings else []
    view = front.front_view(words, log, newest, known, rankings, now)
    return site.render(request, "front.html", page=view)


def _rankings(service: Service, known: Known, newest: bytes) -> list[Ranking] | None:
    """Return the first places of the rankings of the year that the newest entry was recorded in.

    None while they are being worked out.
    """
    day = zone_date(known.zone, parse_entry(newest).recorded_at)
    found = []
    try:
        views = views_of(service)
        for ident in sorted({name for name, _ in known.rulebooks}):
            year = front.running_year(known, ident, day)
            if ident in views.rulebooks(front.WHOLE, year):
                page = (front.WHOLE, year, front.STANDINGS_SHOWN)
                found.append(views.ranking_page(*page, rulebook=ident))
    except NotFoundError:
        return []  # no unit is opened yet
    except BusyError:
        return None
    return found


def _record(request: Request, site: Site, member: str, before: int | None) -> Response:
    words = words_of(request)
    ledger = site.service.ledger
    stream = record.read_stream(ledger, member, before)
    views = views_of(site.service)
    statement = views.statement(member, after=stream.after, limit=record.PAGE_ENTRIES)
    oldest = record.oldest_about(stream)
    older: tuple[Line, ...] = ()
    if oldest is not None:
        count = min(stream.start + 1 - oldest, STREAM_PAGE_MAX)
        older = views.statement(member, after=oldest - 1, limit=count).lines
    # The checkpoint is read last, so that it covers every entry above.
    known, log = site.register.read(), site.log()
    contact, now = site.service.pages.contact, datetime.now(UTC)
    view = record.record_view(words, stream, statement, known, log, contact, now, older)
    return site.render(request, "record.html", page=view)


def _page(request: Request, site: Site, make: Callable[[], Response]) -> Response:
    """Return a page, or the page that says why there is none."""
    try:
        return make()
    except MingzhangError as error:
        kind = {404: "not_found", 503: "busy"}.get(error.status, "failed")
        return site.render(request, "error.html", error.status, kind=kind)


def _with_query(request: Request, **changed: str) -> str:
    """Return this page's address with a query member changed."""
    return f"{request.url.path}?{request.url.include_query_params(**changed).query}"


def _as_json(value: Any) -> Markup:
    """Return JSON that can stand in a script element of data."""
    text = orjson.dumps(value).decode().replace("<", "\\u003c").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704 - what could end the element is escaped above
