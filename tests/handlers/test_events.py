"""The data of every event, against the fields that the documentation names."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.domain.decision import Event
from chalicelib.domain.mandates import Mandate
from chalicelib.domain.partners import Partner
from chalicelib.domain.statements import Statement
from chalicelib.domain.webhooks import EVENTS as KNOWN
from chalicelib.handlers import encoding, schema
from chalicelib.handlers.events import EVENTS, event_data
from chalicelib.handlers.loans import LoanOut
from chalicelib.handlers.mandates import MandateOut
from chalicelib.handlers.statements import StatementOut
from chalicelib.models.unit import Stored
from chalicelib.usecases.context import Context

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = date(2026, 3, 2)
ID, LOAN = str(uuid4()), str(uuid4())
TRANSACTION = {"id", "provider_transaction_id", "processing_date", "amount", "created_at", "loan"}
FACTS = {
    "id": ID,
    "provider_transaction_id": "PM1",
    "processing_date": DAY,
    "amount": Decimal("12.5"),
    "created_at": NOW,
    "loan": LOAN,
    "status": "failed",
    "repayment": LOAN,
}
CTX: Any = Context(Partner("p"), NOW, DAY, store=None, new_id=lambda: ID)  # type: ignore[arg-type]
TEN = Decimal(10)
STATEMENT = Statement(ID, LOAN, LOAN, LOAN, 1, DAY, DAY, TEN, TEN, TEN, TEN, TEN, TEN, DAY)


def test_there_is_one_for_every_event() -> None:
    assert set(EVENTS) == set(KNOWN) and len(KNOWN) == 12


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("repayment_created", TRANSACTION),
        ("repayment_charged_back", {*TRANSACTION, "repayment"}),
        ("repayment_result", {*TRANSACTION, "status"}),
        ("disbursement_result", {*TRANSACTION, "status"}),
    ],
)
def test_transactions(name: str, fields: set[str]) -> None:
    data = event_data(CTX, Event(name, FACTS), None)
    assert set(data) == fields
    assert str(data["amount"]) == "12.50" and isinstance(data["amount"], Decimal)
    assert (data["processing_date"], data["created_at"]) == ("2026-03-02", "2026-03-02T09:00:00Z")


def test_what_is_due_soon() -> None:
    facts = {"loan": LOAN, "due_date": DAY, "amount": Decimal(7)}
    data = event_data(CTX, Event("repayment_due_day_soon", facts), None)
    assert encoding.encode(data) == (f'{{"loan":"{LOAN}","due_date":"2026-03-02","amount":7.00}}')


def test_an_application() -> None:
    facts = {"id": ID, "status": "declined", "reason": "too young", "processed_at": NOW}
    data = event_data(CTX, Event("application_processing_finished", facts), None)
    assert data == {**facts, "processed_at": "2026-03-02T09:00:00Z"}


@pytest.mark.parametrize("given", [STATEMENT, Stored(STATEMENT, 1, NOW, NOW)], ids=["new", "kept"])
def test_a_statement_is_as_its_resource_shows_it(given: Any) -> None:
    data = event_data(CTX, Event("statement_ready", {"loan": LOAN, "statement": ID}), given)
    shown = schema.show(StatementOut, Stored(STATEMENT, 1, NOW, NOW))
    assert encoding.encode(data) == encoding.encode(shown)


def test_a_mandate_is_as_its_resource_shows_it() -> None:
    stored = Stored(Mandate(ID, LOAN, "https://a.example", "https://b.example"), 1, NOW, NOW)
    data = event_data(CTX, Event("mandate_created", {"mandate": ID}), stored)
    assert encoding.encode(data) == encoding.encode(schema.show(MandateOut, stored))


def test_loans_are_shown_by_their_resource() -> None:
    for name in ("loan_is_late", "loan_is_arrears", "loan_is_default", "loan_closed"):
        assert EVENTS[name].data is LoanOut
