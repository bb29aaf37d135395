"""Reading a request: its id, body, query, path values and idempotency key, or a refusal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalice.app import Request

from chalicelib.domain.criteria import Criteria
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.handlers import encoding, filters, schema
from chalicelib.handlers.problems import Rejected
from chalicelib.handlers.routing import PREFIX, UUID_VARIABLES, Operation
from chalicelib.handlers.values import uuid_text
from chalicelib.usecases.context import Idempotency

MAX_BODY_BYTES = 1_000_000
KEY_HEADER = "Idempotency-Key"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}", re.ASCII)
_JSON_TYPE = re.compile(r"application/([a-z0-9.!#$&^_-]+\+)?json", re.ASCII)


def sane_request_id(given: Any) -> str | None:
    """The caller's own request id, if it can be repeated in headers and logs."""
    if isinstance(given, str) and _REQUEST_ID.fullmatch(given):
        return given
    return None


def path_values(operation: Operation, values: Mapping[str, str]) -> dict[str, str]:
    """The path's ids in canonical form; what is no UUID names nothing (:class:`NotFound`)."""
    known: dict[str, str] = {}
    for name in operation.variables:
        value: str | None = values[name]
        if name in UUID_VARIABLES:
            value = uuid_text(values[name])
        if value is None:
            raise NotFound("resource")
        known[name] = value
    return known


def query(operation: Operation, request: Request) -> schema.Query:
    """The query as the operation's model, or :class:`Invalid` with every bad parameter."""
    given: dict[str, Any] = {}
    repeated: list[Flaw] = []
    for name in request.query_params or ():
        values = request.query_params.getlist(name)  # type: ignore[union-attr]
        if len(values) > 1:
            repeated.append(Flaw(encoding.shown_name(name), "repeated", "Give this only once."))
        given[name] = values[-1] if values else ""
    if repeated:
        raise Invalid(*repeated)
    if operation.collection:
        return _page_query(operation, given)
    return schema.read(operation.query, given)


def _page_query(operation: Operation, given: Mapping[str, str]) -> schema.PageQuery:
    """A collection's query: its own parameters, and its filters and order as criteria."""
    assert operation.answer is not None and issubclass(operation.query, schema.PageQuery)
    known = filters.all_fields(operation.answer, operation.related)
    own = set(operation.query.model_fields)
    asked = {
        name: text
        for name, text in given.items()
        if name not in own and (name in filters.RESERVED or name.partition("__")[0] in known)
    }
    flaws: list[Flaw] = []
    page, criteria = schema.PageQuery(), Criteria()
    try:
        rest = {name: text for name, text in given.items() if name not in asked}
        page = schema.read(operation.query, rest)
    except Invalid as error:
        flaws += error.flaws
    try:
        criteria = filters.read(operation.answer, operation.related, asked)
    except Invalid as error:
        flaws += error.flaws
    if flaws:
        raise Invalid(*flaws)
    return page.asking(criteria, asked.get(filters.FORMAT))


def body(operation: Operation, request: Request) -> schema.Body:
    """The body as the operation's model.

    Raises :class:`Rejected` for size (413) and content type (415), :class:`Invalid` otherwise.
    An empty body is ``{}``.
    """
    assert operation.body is not None
    raw = _raw(request)
    if len(raw) > MAX_BODY_BYTES:
        raise Rejected("payload_too_large", "The body is larger than 1 MB.")
    if not raw:
        return schema.read(operation.body, {})
    _require_json(request.headers.get("content-type"))
    try:
        data = encoding.parse(raw)
    except encoding.Unreadable as error:
        raise Invalid(Flaw("", "malformed", str(error))) from None
    if not isinstance(data, dict):
        raise Invalid(Flaw("", "not_an_object", "The body must be a JSON object."))
    return schema.read(operation.body, data)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came: its bytes and its headers, by names of any case."""

    body: bytes
    headers: Mapping[str, str]


def incoming(request: Request) -> Incoming:
    """The request as it came, :class:`Rejected` if it is too large."""
    raw = _raw(request)
    if len(raw) > MAX_BODY_BYTES:
        raise Rejected("payload_too_large", "The body is larger than 1 MB.")
    return Incoming(raw, request.headers)


def idempotency(
    operation: Operation,
    request: Request,
    values: Mapping[str, str],
    sent_query: schema.Query,
    sent_body: schema.Body | None,
) -> Idempotency | None:
    """The caller's key with a fingerprint of what it asks for; None without a key.

    With ``idempotency="own"`` the key may stand in the body too, both must agree, and one must be
    there.  A preview makes nothing and leaves its key unused.
    """
    if operation.idempotency == "none":
        return None
    key = _header_key(request)
    if isinstance(sent_query, schema.PreviewQuery):
        if sent_query.preview:
            return None
        sent_query = schema.NoQuery()  # as if it had not been said
    asked = dict(schema.given(sent_body)) if sent_body is not None else {}
    if operation.key_field is not None:
        key = _agreed_key(key, asked.pop(operation.key_field, None), operation.key_field)
    if key is None:
        if operation.idempotency == "own":
            name = operation.key_field or KEY_HEADER
            raise Invalid(Flaw(name, "required", f"Give a unique key, here or in {KEY_HEADER}."))
        return None
    content = [operation.method, operation.path, dict(values), schema.given(sent_query), asked]
    return Idempotency(
        key_hash=hashlib.sha256(key.encode()).hexdigest(),
        fingerprint=hashlib.sha256(encoding.canonical(content).encode()).hexdigest(),
        status=operation.status,
        own=operation.idempotency == "own",
    )


def url(request: Request, public_base: str | None) -> str:
    """The absolute URL of the request's path: by configuration, by API Gateway, or by ``Host``.

    It ends in ``/`` as documented.
    """
    path = str(request.context.get("path") or request.path).rstrip("/") + "/"
    if public_base is not None:
        return public_base + path[path.find(PREFIX) :] if PREFIX in path else public_base + path
    domain = request.context.get("domainName")
    if domain:
        return f"https://{domain}{path}"
    return f"http://{request.headers.get('host', 'localhost')}{path}"


def _header_key(request: Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not _PRINTABLE.fullmatch(key) or not key.strip():
        message = "Must be 1 to 255 printable ASCII characters."
        raise Invalid(Flaw(KEY_HEADER, "wrong_form", message))
    return str(key)


def _agreed_key(header: str | None, in_body: Any, name: str) -> str | None:
    if in_body is None:
        return header
    if header is not None and header != in_body:
        raise Invalid(Flaw(name, "keys_differ", f"Must agree with the {KEY_HEADER} header."))
    return str(in_body)


def _raw(request: Request) -> bytes:
    try:
        raw = request.raw_body
    except ValueError:
        raise Invalid(Flaw("", "malformed", "The body could not be decoded.")) from None
    return raw if isinstance(raw, bytes) else raw.encode()


def _require_json(content_type: str | None) -> None:
    """415 unless the type is JSON in UTF-8; a body without a type is taken for JSON."""
    if content_type is None:
        return
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")]
    if not _JSON_TYPE.fullmatch(kind) or any(name not in {"utf-8", "utf8"} for name in charsets):
        raise Rejected("unsupported_media_type", "The body must be JSON in UTF-8.")
