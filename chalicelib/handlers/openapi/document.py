"""The whole document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from chalicelib.handlers import encoding, problems, requests
from chalicelib.handlers.openapi import operations as one
from chalicelib.handlers.openapi import text, webhooks
from chalicelib.handlers.openapi.schemas import Json, Schemas
from chalicelib.handlers.routing import Also, Operation, Resource, operations

#: Where the API is, in the committed document; a served one says it in full.
ROOT = "/"
INDENT = 1


def document(resources: Iterable[Resource], version: str, base_url: str = ROOT) -> Json:
    """OpenAPI 3.1 of everything that ``resources`` declare, as plain data."""
    rows = operations(resources)
    schemas = Schemas(_models(rows))
    paths: Json = {}
    for row in rows:
        item = paths.setdefault(one.documented_path(row), {})
        item[row.method.lower()] = one.described(row, schemas, rows)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": text.TITLE,
            "version": version,
            "summary": "An open, self-hostable lending platform.",
            "description": text.DESCRIPTION,
        },
        "servers": [{"url": base_url}],
        "security": [{"ApiKey": []}],
        "tags": _tags(rows),
        "paths": paths,
        "webhooks": webhooks.described(),
        "components": _components(schemas),
    }


def rendered(found: Json) -> str:
    """The document's text: a line for each member, so that a change can be read."""
    return encoding.encode(found, indent=INDENT) + "\n"


def _models(rows: Iterable[Operation]) -> Iterator[type[BaseModel]]:
    for row in rows:
        yield from (model for model in (row.body, row.query, row.answer) if model is not None)
        yield from (also.answer for also in row.also.values() if isinstance(also, Also))
    for event in webhooks.EVENTS.values():
        yield event.data


def _tags(rows: Iterable[Operation]) -> list[Json]:
    used = {row.tag for row in rows} | {webhooks.TAG}
    known = [
        {"name": name, "description": said} for name, said in text.TAGS.items() if name in used
    ]
    return known + [{"name": name} for name in sorted(used - set(text.TAGS))]


def _components(schemas: Schemas) -> Json:
    named = {
        **schemas.shown(),
        **webhooks.components(schemas),
        "Problem": PROBLEM,
        "Flaw": FLAW,
    }
    return {
        "schemas": dict(sorted(named.items())),
        "responses": {
            name: one.problem_response(problems.CODES[code][0], [code])
            for code, name in one.USUAL.items()
        },
        "parameters": {**PARAMETERS, **webhooks.PARAMETERS},
        "headers": HEADERS,
        "securitySchemes": {
            "ApiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Api-Key",
                "description": "A partner's key; several may be valid at once.",
            }
        },
    }


FLAW: Json = {
    "type": "object",
    "description": "One bad field.",
    "required": ["field", "code", "message"],
    "properties": {
        "field": {
            "type": "string",
            "description": "Its path; empty for the body as a whole.",
            "examples": ["rules[1].weight"],
        },
        "code": {"type": "string", "examples": ["too_small"]},
        "message": {"type": "string"},
    },
}
PROBLEM: Json = {
    "type": "object",
    "description": "What went wrong (RFC 9457). A refused request changes nothing.",
    "required": ["type", "title", "status", "code", "detail", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {
            "type": "string",
            "enum": [*problems.CODES],
            "description": "What to decide by; it never changes.",
        },
        "detail": {"type": "string", "description": "What happened, with the figures."},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Flaw"}},
    },
}

_KEY_SCHEMA: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[!-~]([ -~]*[!-~])?$",
}
PARAMETERS: Mapping[str, Any] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Your own id of this request: up to 64 letters, digits, `.`, `_`, `-`. "
        "Another is made where it is missing or not sane.",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "name": requests.KEY_HEADER,
        "in": "header",
        "description": "Makes this request at most once for the next 24 hours: 1 to 255 printable "
        "ASCII characters.",
        "schema": _KEY_SCHEMA,
    },
    "OwnIdempotencyKey": {
        "name": requests.KEY_HEADER,
        "in": "header",
        "description": "Required, here or in the body; where both are given they agree. It is "
        "kept for ever: 1 to 255 printable ASCII characters.",
        "schema": _KEY_SCHEMA,
    },
}
HEADERS: Mapping[str, Any] = {
    "X-Request-Id": {
        "description": "This request's id, in every log line of it.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "`true` where this is the first answer to the same key again.",
        "schema": {"type": "string", "const": "true"},
    },
    "X-Count": {
        "description": "`at-least` where `count` is only what has been found so far.",
        "schema": {"type": "string", "const": "at-least"},
    },
    "Content-Disposition": {
        "description": "The CSV's file name.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "A link that is good for a short time and needs no key.",
        "required": True,
        "schema": {"type": "string", "format": "uri"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the same request is sent again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
}
