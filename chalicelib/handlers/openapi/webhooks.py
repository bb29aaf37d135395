"""What is sent to partners: the events, their data, and how a message is signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chalicelib.handlers.loans import LoanOut
from chalicelib.handlers.mandates import MandateOut
from chalicelib.handlers.openapi.schemas import Json, Schemas
from chalicelib.handlers.schema import Out
from chalicelib.handlers.statements import StatementOut
from chalicelib.handlers.values import Instant, MoneyOut


class TransactionEventOut(Out):
    """What happened to a transaction."""

    id: str
    provider_transaction_id: str | None
    processing_date: date
    amount: MoneyOut
    created_at: Instant
    loan: str


class TransactionResultEventOut(TransactionEventOut):
    """What came of a transaction."""

    status: Literal["applied", "failed"]


class ApplicationEventOut(Out):
    """How an application was decided."""

    id: str
    status: Literal["approved", "declined"]
    reason: str
    processed_at: Instant


class RepaymentDueEventOut(Out):
    """What will be due, and when."""

    loan: str
    due_date: date
    amount: MoneyOut


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when it is sent, and the model of its ``data``."""

    summary: str
    data: type[Out]
    description: str = ""


TAG = "Webhook events"

#: Every event by its name, in the order of the documentation.
EVENTS: Mapping[str, Event] = {
    "repayment_created": Event(
        "An automatic repayment was created with the provider",
        TransactionEventOut,
        "It has its `provider_transaction_id` by then. Not sent for repayments made by hand.",
    ),
    "repayment_result": Event("A repayment was applied or failed", TransactionResultEventOut),
    "disbursement_result": Event("A disbursement was applied or failed", TransactionResultEventOut),
    "statement_ready": Event("A statement was closed", StatementOut),
    "loan_is_late": Event("A loan became late", LoanOut),
    "loan_is_arrears": Event("A loan came into arrears", LoanOut),
    "repayment_due_day_soon": Event("A repayment is due in five days", RepaymentDueEventOut),
    "application_processing_finished": Event(
        "An application was approved or declined", ApplicationEventOut
    ),
    "mandate_created": Event("A mandate became active", MandateOut),
    "loan_is_default": Event("A loan came into default", LoanOut),
    "loan_closed": Event("A loan was closed", LoanOut),
    "repayment_charged_back": Event(
        "A repayment was taken back by the payer's bank", TransactionEventOut
    ),
}


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
