"""Scripts and the style sheet, under addresses that name their bytes: they never go stale."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from api.answers import IMMUTABLE
from api.web import standalone
from ledger.errors import NotFoundError

_DIGEST_CHARS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the pages: where it is served, its bytes, plain and gzipped, and its type."""

    url: str
    data: bytes
    packed: bytes
    media_type: str


class Assets:
    """The files that the pages load, made when the service starts."""

    def __init__(self) -> None:
        self._by_name = {
            "icon.svg": _asset("icon.svg", standalone.static_text("icon.svg"), "image/svg+xml"),
            "style.css": _asset("style.css", standalone.static_text("style.css"), "text/css"),
            "record.js": _asset(
                "record.js", standalone.bundle("verifier/record-page.js"), "text/javascript"
            ),
        }
        self._by_url = {each.url: each for each in self._by_name.values()}

    def url(self, name: str) -> str:
        """Return where a file is served."""
        return self._by_name[name].url

    def answer(self, request: Request) -> Response:
        """Answer a request for a file. Raises NotFoundError."""
        asset = self._by_url.get(request.url.path)
        if asset is None:
            raise NotFoundError("the pages have no such file: load the page again")
        headers = IMMUTABLE | {"Vary": "Accept-Encoding"}
        data = asset.data
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            data = asset.packed
        return Response(data, headers=headers, media_type=asset.media_type)


def _asset(name: str, text: str, media_type: str) -> Asset:
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()[:_DIGEST_CHARS]
    return Asset(f"/static/{digest}/{name}", data, gzip.compress(data, 9, mtime=0), media_type)
