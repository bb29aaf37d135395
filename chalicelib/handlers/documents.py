"""``/openapi.json`` and ``/docs``: what the API is, for machines and for people.  No key needed."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib import runtime
from chalicelib.handlers import encoding
from chalicelib.handlers.http import JSON, Raw, here
from chalicelib.handlers.routing import Resource

TAG = "Operations"
document_api = Resource("/openapi.json", tag=TAG, prefix="", public=True)
docs_api = Resource("/docs", tag=TAG, prefix="", public=True)

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
VIEWER = Path(__file__).parent / "viewer"
#: Nothing but this host; styles are made by the viewer's script, its search runs in a worker.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
FRESH = {**SAFE, "Cache-Control": "no-cache"}
KEPT = {**SAFE, "Cache-Control": "public, max-age=86400"}

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Backbone partner API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/docs/page.css">
</head>
<body>
<noscript>This page needs JavaScript; the document itself is <a href="{base}/openapi.json">\
openapi.json</a>.</noscript>
<redoc spec-url="{base}/openapi.json"></redoc>
<script src="{base}/docs/redoc.js"></script>
</body>
</html>
"""


@document_api.get(produces=JSON, summary="This document")
def openapi() -> Raw:
    """OpenAPI 3.1 of every route, with this stage's address."""
    before, after = _document()
    address = runtime.get().config.public_base_url or _root(here(), "/openapi.json")
    return Raw(before + json.dumps(address) + after, JSON, headers=FRESH)


@docs_api.get(produces=HTML, summary="A readable page of this document")
def page() -> Raw:
    """It asks no other host for anything."""
    base = escape(_root(urlsplit(here()).path, "/docs"), quote=True)
    headers = {**FRESH, "Content-Security-Policy": POLICY}
    return Raw(PAGE.format(base=base), HTML, headers=headers)


@docs_api.get("/redoc.js", produces=SCRIPT, summary="The page's viewer")
def viewer() -> Raw:
    """Redoc in one file."""
    return Raw(_file("redoc.standalone.js"), SCRIPT, headers=KEPT)


@docs_api.get("/page.css", produces=CSS, summary="The page's style")
def style() -> Raw:
    """What the viewer's own style leaves open."""
    return Raw(_file("page.css"), CSS, headers=FRESH)


def _root(url: str, path: str) -> str:
    """What stands before ``path`` in ``url``, without a closing slash: a stage's name perhaps."""
    return url.rstrip("/").removesuffix(path)


@cache
def _document() -> tuple[str, str]:
    """The document's text, before and after its server's address; made once a container."""
    from chalicelib.handlers.api import RESOURCES
    from chalicelib.handlers.openapi.document import document

    mark = "https://the-address-of-this-stage.invalid"
    text = encoding.encode(document(RESOURCES, runtime.get().config.version, mark))
    before, _, after = text.partition(json.dumps(mark))
    return before, after


@cache
def _file(name: str) -> str:
    return (VIEWER / name).read_text("utf-8")
