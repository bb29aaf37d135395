"""What is sent to partners: the events, their data, and how a message is signed."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.handlers.events import EVENTS, Event
from chalicelib.handlers.openapi.schemas import Json, Schemas

__all__ = ["EVENTS", "components", "described"]

TAG = "Webhook events"


def described() -> Json:
    """OpenAPI's ``webhooks``: one path item an event."""
    return {name: {"post": _operation(name, event)} for name, event in EVENTS.items()}


def components(schemas: Schemas) -> Json:
    """A schema for each event's message."""
    return {component(name): _message(name, event, schemas) for name, event in EVENTS.items()}


def component(name: str) -> str:
    """``loan_is_late`` -> ``LoanIsLateEvent``."""
    return "".join(part.title() for part in name.split("_")) + "Event"


def _message(name: str, event: Event, schemas: Schemas) -> Json:
    return {
        "type": "object",
        "description": event.summary + ".",
        "required": ["id", "event", "timestamp", "data"],
        "properties": {
            "id": {
                "type": "string",
                "format": "uuid",
                "description": "The webhook; the same at every attempt.",
            },
            "event": {"type": "string", "const": name},
            "timestamp": {
                "type": "integer",
                "description": "When it happened, in Unix seconds.",
                "examples": [1772442000],
            },
            "data": schemas.ref(event.data),
        },
    }


def _operation(name: str, event: Event) -> Json:
    return {
        "operationId": f"webhook_{name}",
        "tags": [TAG],
        "summary": event.summary,
        "description": "\n\n".join(filter(None, [event.description, f"Event `{name}`."])),
        "security": [],
        "parameters": [
            {"$ref": f"#/components/parameters/{each}"}
            for each in ("WebhookId", "WebhookTimestamp", "WebhookSignature")
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": f"#/components/schemas/{component(name)}"}}
            },
        },
        "responses": {
            "2XX": {"description": "Taken, if it comes within 15 seconds."},
            "410": {"description": "The endpoint is no more: it is disabled."},
            "default": {"description": "Not taken: sent again later, redirects included."},
        },
    }


#: The headers of every message (Standard Webhooks).
PARAMETERS: Mapping[str, Json] = {
    "WebhookId": {
        "name": "webhook-id",
        "in": "header",
        "required": True,
        "description": "The message's id, the same at every attempt: what was seen is done.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "WebhookTimestamp": {
        "name": "webhook-timestamp",
        "in": "header",
        "required": True,
        "description": "When this attempt was made, in Unix seconds; refuse what is old.",
        "schema": {"type": "integer"},
    },
    "WebhookSignature": {
        "name": "webhook-signature",
        "in": "header",
        "required": True,
        "description": (
            "`v1,` and the base64 HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{raw body}` "
            "under the endpoint's secret (`whsec_…`, base64 after the prefix); several with "
            "blanks between while a secret is being rotated."
        ),
        "schema": {
            "type": "string",
            "examples": ["v1,bm90IGEgc2lnbmF0dXJlLCBidXQgYXMgbG9uZyBhcyA="],
        },
    },
}
