"""What webhooks say: the model of each event's data, and how it is built.

The same models describe the events in the OpenAPI document.  Use cases and jobs reach
:func:`event_data` through ``Context.event_data``, which ``app.py`` composes, so that money and
dates look in a webhook as they do in the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from chalicelib.handlers import encoding, schema
from chalicelib.handlers.loans import LoanOut, loan_out
from chalicelib.handlers.mandates import MandateOut
from chalicelib.handlers.schema import Out
from chalicelib.handlers.statements import StatementOut
from chalicelib.handlers.values import Instant, MoneyOut
from chalicelib.models.unit import Stored

if TYPE_CHECKING:
    from chalicelib.domain.decision import Event as Fact
    from chalicelib.usecases.context import Context


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


class ChargebackEventOut(TransactionEventOut):
    """A chargeback; ``repayment`` is the transaction whose money was taken back."""

    repayment: str


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


Build = Callable[["Context", "Fact", Any], Any]


def _facts(_: Context, fact: Fact, __: Any) -> Any:
    """The event's own facts."""
    return fact.data


def _loan(ctx: Context, _: Fact, subject: Any) -> Any:
    """The loan as its resource shows it."""
    return loan_out(ctx, subject)


def _subject(_: Context, __: Fact, subject: Any) -> Any:
    """What the event is about, as the store has it."""
    return subject


def _statement(ctx: Context, _: Fact, subject: Any) -> Any:
    """A statement: a stored one, or the one that this commit closes."""
    return subject if isinstance(subject, Stored) else Stored(subject, 1, ctx.now, ctx.now)


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when it is sent, the model of its ``data``, and what that is read from."""

    summary: str
    data: type[Out]
    description: str = ""
    build: Build = _facts


#: Every event by its name, in the order of the documentation.
EVENTS: Mapping[str, Event] = {
    "repayment_created": Event(
        "An automatic repayment was created with the provider",
        TransactionEventOut,
        "It has its `provider_transaction_id` by then. Not sent for repayments made by hand.",
    ),
    "repayment_result": Event(
        "A repayment was applied or failed",
        TransactionResultEventOut,
        "Sent once more, as `applied`, when a chargeback of it is withdrawn.",
    ),
    "disbursement_result": Event("A disbursement was applied or failed", TransactionResultEventOut),
    "statement_ready": Event("A statement was closed", StatementOut, build=_statement),
    "loan_is_late": Event("A loan became late", LoanOut, build=_loan),
    "loan_is_arrears": Event("A loan came into arrears", LoanOut, build=_loan),
    "repayment_due_day_soon": Event("A repayment is due in five days", RepaymentDueEventOut),
    "application_processing_finished": Event(
        "An application was approved or declined", ApplicationEventOut
    ),
    "mandate_created": Event("A mandate became active", MandateOut, build=_subject),
    "loan_is_default": Event("A loan came into default", LoanOut, build=_loan),
    "loan_closed": Event("A loan was closed", LoanOut, build=_loan),
    "repayment_charged_back": Event(
        "A repayment was taken back by the payer's bank",
        ChargebackEventOut,
        "`id` is the chargeback, a transaction of its own; `repayment` the one that it takes back.",
    ),
}


def event_data(ctx: Context, fact: Fact, subject: Any) -> dict[str, Any]:
    """The ``data`` of a webhook: plain JSON data with exact numbers, printed as the API prints."""
    event = EVENTS[fact.name]
    shown = schema.show(event.data, event.build(ctx, fact, subject))
    data: dict[str, Any] = json.loads(encoding.encode(shown), parse_float=Decimal)
    return data
