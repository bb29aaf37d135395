"""The official client through our transport: what is sent, what is understood, what fails how."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.integrations.gocardless.client import Customer, GoCardless, pence_of
from chalicelib.integrations.gocardless.errors import TABLE, ProviderTrouble, remedy_of
from chalicelib.integrations.transport import Limits, Transport
from tests.integrations.server import Says, Told, provider

QUICK = Limits(connect_seconds=0.5, read_seconds=0.3, attempts=2)
PAYMENT = {
    "id": "PM1",
    "status": "pending_submission",
    "amount": 10001,
    "charge_date": "2026-03-12",
    "metadata": {"transaction": "t"},
    "links": {"mandate": "MD1"},
}


def client(told: Told) -> GoCardless:
    return GoCardless(told.url, "not-a-token", Transport(QUICK, sleep=lambda _: None, uniform=max))


def problem(kind: str, reason: str, code: int, **links: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"reason": reason, "message": "words"}
    if links:
        entry["links"] = links
    return {"error": {"type": kind, "code": code, "message": "words", "errors": [entry]}}


INVALID = {
    "error": {
        "type": "validation_failed",
        "code": 422,
        "message": "Validation failed",
        "errors": [{"field": "email", "message": "borrower@example is bad"}],
    }
}
CONFLICT = problem(
    "invalid_state", "idempotent_creation_conflict", 409, conflicting_resource_id="PM1"
)
#: What is answered → what is to be done.
ANSWERS: list[tuple[str, Says, str, str]] = [
    ("429", Says(429, problem("invalid_api_usage", "rate_limit_exceeded", 429)), "retry",
     "rate_limit_exceeded"),
    ("500", Says(500, problem("gocardless", "internal_error", 500)), "retry", "internal_error"),
    ("503 without our shape", Says(503, {"oh": "no"}), "retry", "malformed_answer"),
    ("html 502", Says(502, "<html>"), "retry", "malformed_answer"),
    ("html 200", Says(200, "<html>"), "retry", "malformed_answer"),
    ("200 of another shape", Says(200, {"payments": {"id": "PM1"}}), "retry", "malformed_answer"),
    ("a list", Says(200, []), "retry", "malformed_answer"),
    ("html 403", Says(403, "<html>"), "person", "malformed_answer"),
    ("cut off", Says(cut=True), "retry", "ConnectionError"),
    ("silence", Says(after=0.6, body={}), "retry", "ReadTimeout"),
    ("401", Says(401, problem("invalid_api_usage", "unauthorized", 401)), "person", "unauthorized"),
    ("403", Says(403, problem("invalid_api_usage", "insufficient_permissions", 403)), "person",
     "insufficient_permissions"),
    ("400", Says(400, problem("invalid_api_usage", "invalid_document_structure", 400)), "person",
     "invalid_document_structure"),
    ("404", Says(404, problem("invalid_api_usage", "resource_not_found", 404)), "permanent",
     "resource_not_found"),
    ("422 values", Says(422, INVALID), "permanent", "validation_failed"),
    ("mandate gone", Says(422, problem("invalid_state", "mandate_is_inactive", 422)), "permanent",
     "mandate_is_inactive"),
    ("unknown state", Says(422, problem("invalid_state", "novelty", 422)), "permanent", "novelty"),
    ("no errors", Says(422, {"error": {"type": "invalid_state", "code": 422, "message": "m"}}),
     "person", "malformed_answer"),
    ("unknown type", Says(422, problem("novelty", "novelty", 422)), "person", "malformed_answer"),
    ("there already", Says(409, problem("validation_failed", "bank_account_exists", 409,
                                        customer_bank_account="BA1")), "conflict",
     "bank_account_exists"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("says", "remedy", "reason"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_what_an_answer_means(says: Says, remedy: str, reason: str) -> None:
    with provider(says) as told, pytest.raises(ProviderTrouble) as trouble:
        client(told).payment("PM1")
    assert (trouble.value.remedy, trouble.value.reason) == (remedy, reason)
    assert "borrower@example" not in str(trouble.value), "no value of a request is in an error"
    assert "not-a-token" not in repr(trouble.value.__dict__)
    tried_again = says.cut or says.after or says.status == 429 or says.status >= 500
    assert len(told.asked) == (2 if tried_again else 1)


def test_the_table_ends_with_a_row_for_everything() -> None:
    assert (TABLE[-1].kind, TABLE[-1].reason, TABLE[-1].status) == (None, None, None)
    assert remedy_of("never heard of") == "person"


def test_a_payment_as_it_is_sent() -> None:
    with provider(Says(201, {"payments": PAYMENT})) as told:
        made = client(told).create_payment(
            "the-message",
            mandate="MD1",
            amount=Decimal("100.01"),
            metadata={"transaction": "t"},
            charge_date=date(2026, 3, 12),
            reference="LOAN000123",
        )
    [asked] = told.asked
    assert (asked.method, asked.path) == ("POST", "/payments")
    assert asked.headers["Idempotency-Key"] == "the-message"
    assert asked.headers["Authorization"] == "Bearer not-a-token"
    assert asked.headers["GoCardless-Version"] == "2015-07-06"
    assert asked.json == {
        "payments": {
            "amount": 10001,
            "currency": "GBP",
            "charge_date": "2026-03-12",
            "metadata": {"transaction": "t"},
            "reference": "LOAN000123",
            "retry_if_possible": False,
            "links": {"mandate": "MD1"},
        }
    }
    assert (made.amount, made.charge_date) == (Decimal("100.01"), date(2026, 3, 12))


MAKES: dict[str, tuple[Callable[[GoCardless], Any], dict[str, Any]]] = {
    "/payments": (
        lambda c: c.create_payment("k", mandate="MD1", amount=Decimal(1), metadata={}),
        {"payments": PAYMENT},
    ),
    "/billing_requests": (
        lambda c: c.create_billing_request("k", {"mandate": "m"}),
        {"billing_requests": {"id": "PM1", "status": "pending", "links": {}}},
    ),
}


@pytest.mark.parametrize("path", MAKES)
def test_what_the_same_key_made_before_is_fetched(path: str) -> None:
    make, there = MAKES[path]
    with provider(Says(cut=True), Says(409, CONFLICT), Says(200, there)) as told:
        assert make(client(told)).id == "PM1"
    assert [(one.method, one.path) for one in told.asked] == [
        ("POST", path),
        ("POST", path),
        ("GET", f"{path}/PM1"),
    ]
    assert {one.headers.get("Idempotency-Key") for one in told.asked[:2]} == {"k"}


def test_a_forms_conflict_is_for_the_caller() -> None:
    with provider(Says(409, CONFLICT)) as told, pytest.raises(ProviderTrouble) as trouble:
        client(told).create_flow("k", "BRQ1", "https://a.example", "https://b.example", Customer())
    assert (trouble.value.remedy, trouble.value.resource) == ("conflict", "PM1")


@pytest.mark.parametrize("reason", ["cancellation_failed", "retry_failed"])
def test_an_action_that_was_done_before_gives_the_payment_as_it_is(reason: str) -> None:
    done = {"payments": {**PAYMENT, "status": "cancelled"}}
    with provider(Says(422, problem("invalid_state", reason, 422)), Says(200, done)) as told:
        out = client(told)
        act = out.cancel_payment if reason == "cancellation_failed" else out.retry_payment
        assert act("k", "PM1").status == "cancelled"


def test_a_retry_names_its_date_in_the_envelope_of_actions() -> None:
    with provider(Says(200, {"payments": PAYMENT})) as told:
        client(told).retry_payment("k", "PM1", date(2026, 3, 17))
        client(told).cancel_payment("k", "PM1")
    assert told.asked[0].json == {"data": {"charge_date": "2026-03-17"}}
    assert told.asked[1].body == b"null"


def test_events_page_by_page() -> None:
    said = {"id": "EV1", "resource_type": "mandates", "action": "active", "links": {}}
    pages = [{"events": [said, {"no": "id"}], "meta": {"cursors": {"after": "EV1"}}},
             {"events": [], "meta": {}}]  # fmt: skip
    with provider(*[Says(200, page) for page in pages]) as told:
        first = client(told).events(since=datetime(2026, 3, 2, tzinfo=UTC))
        second = client(told).events(after=first.after)
    assert [event.id for event in first.events] == ["EV1"] and second.after is None
    assert told.asked[0].path.endswith("created_at%5Bgte%5D=2026-03-02T00%3A00%3A00.000Z")


def test_the_form_is_filled_in_for_a_person_or_a_company_not_both() -> None:
    person = Customer(given_name="A", family_name="B", email="a@example.com")
    assert person.details() == {
        "given_name": "A", "family_name": "B", "email": "a@example.com"}  # fmt: skip
    assert Customer(given_name="A", company_name="C Ltd").details() == {"company_name": "C Ltd"}
    assert "a@example.com" not in repr(person)


@pytest.mark.parametrize("amount", ["0", "-1", "1.001"])
def test_only_whole_pence_are_collected(amount: str) -> None:
    with pytest.raises(ValueError):
        pence_of(Decimal(amount))


def test_long_references_and_metadata_are_our_mistake() -> None:
    with provider(Says()) as told:
        for more in ({"reference": "12345678901"}, {"metadata": dict.fromkeys("abcd", "")}):
            with pytest.raises(ValueError):
                given: dict[str, Any] = {"metadata": {}, **more}
                client(told).create_payment("k", mandate="MD1", amount=Decimal(1), **given)
    assert told.asked == []
