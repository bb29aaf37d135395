"""Resources that have no rows of their own yet: mandates, statements, Blackmoon, events, alarms.

Rows are put into the store as the platform's own work will put them, so that what is shown of them
is tried too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.domain.alarms import Alarm, ProviderEvent
from chalicelib.domain.blackmoon import (
    Cession,
    Collateral,
    Difference,
    Offer,
    Reconciliation,
)
from chalicelib.domain.deliveries import Delivery, Webhook
from chalicelib.domain.hours import Asking
from chalicelib.domain.mandates import Mandate
from chalicelib.domain.statements import Statement
from chalicelib.models import keys
from chalicelib.models.unit import Unit
from tests.served import Served, serve

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = date(2026, 3, 2)
EMPTY = {"count": 0, "next": None, "previous": None, "results": []}
NAMED = ["/mandate/", "/statement/", "/blackmoon/offer/", "/blackmoon/cession/",
         "/blackmoon/collateral/", "/blackmoon/reconciliation/", "/webhook/"]  # fmt: skip


def put(served: Served, kind: Any, value: Any) -> None:
    partner = next(iter(served.world._keys.values()))
    unit = Unit(NOW)
    unit.create(kind, partner.id, value)
    served.world.store.commit(unit)


def test_lists_are_empty_and_ids_unknown() -> None:
    with serve() as served:
        for path in [*NAMED, "/provider_event/", "/alarm/"]:
            assert served.api.get(path).ok() == EMPTY
        for path in NAMED:
            served.api.get(f"{path}{uuid4()}/").refused("not_found", 404)
        for action in ("accept", "decline", "cancel"):
            served.api.post(f"/blackmoon/offer/{uuid4()}/{action}/").refused("not_found", 404)


@pytest.mark.parametrize(
    "query",
    [
        "/mandate/?loan={0}&status=active",
        "/mandate/?product={0}",
        "/mandate/?end_user={0},{0}&is_disabled=false",
        "/statement/?loan={0}&due_date__gte=2026-03-02",
        "/statement/?end_user={0}&product={0}&ordering=-due_date",
        "/blackmoon/offer/?loan={0}&status=offered,accepted&bid_amount__gt=1",
        "/blackmoon/cession/?loan={0}&day__lte=2026-03-02",
        "/blackmoon/collateral/?list=left",
        "/blackmoon/reconciliation/?business_date=2026-03-02",
        "/webhook/?webhook_endpoint={0}&status=failed",
        "/provider_event/?provider=gocardless",
        "/alarm/?name__contains=recon",
    ],
)
def test_the_filters_that_matter(query: str) -> None:
    with serve() as served:
        assert served.api.get(query.format(uuid4())).ok() == EMPTY


def rows() -> list[tuple[str, Any, Any, dict[str, Any]]]:
    """Path, kind, value, and some of what its resource shows."""
    an_id, loan = str(uuid4()), str(uuid4())
    ten = Decimal(10)
    return [
        (
            "/statement/",
            keys.STATEMENT,
            Statement(an_id, loan, loan, loan, 1, DAY, DAY, ten, ten, ten, ten, ten, ten, DAY),
            {"number": 1, "due_date": "2026-03-02", "repaid": Decimal("0.00"), "status": "open"},
        ),
        (
            "/blackmoon/offer/",
            keys.OFFER,
            Offer(an_id, loan, "offered", "12", True, ten, Decimal("0.015"), ten, ten, "24"),
            {"servicing_fee": Decimal("0.015"), "bid_amount": Decimal("10.00"), "offer_id": "12"},
        ),
        (
            "/blackmoon/cession/",
            keys.CESSION,
            Cession(an_id, loan, "topup", DAY, ten),
            {"type": "topup", "price": Decimal("10.00"), "reverse_type": None},
        ),
        (
            "/blackmoon/collateral/",
            keys.COLLATERAL,
            Collateral(an_id, loan, "retained", "12345", "24", DAY),
            {"list": "retained", "flici": "12345", "as_of": "2026-03-02"},
        ),
        (
            "/blackmoon/reconciliation/",
            keys.RECONCILIATION,
            Reconciliation(
                an_id, DAY, "discrepant", Asking(True, 2), Asking(False, 5, error_code="10"), 3, 2,
                (Difference(loan, "direct", DAY, ten, ten, Decimal("0.01"), "24"),), (),
                (Difference(loan, "reverse", DAY, ten, reverse_type="Overdue"),), NOW,
            ),
            {
                "platform_only": [
                    {
                        "loan": loan, "type": "direct", "day": "2026-03-02",
                        "price": Decimal("10.00"), "origination_fee": Decimal("10.00"),
                        "servicing_fee": Decimal("0.01"), "investor_legal_entity_id": "24",
                        "reverse_type": None,
                    },
                    {
                        "loan": loan, "type": "reverse", "day": "2026-03-02",
                        "price": Decimal("10.00"), "origination_fee": None, "servicing_fee": None,
                        "investor_legal_entity_id": None, "reverse_type": "Overdue",
                    },
                ],
                "platform_missing": [], "ready": True, "tries": 2, "reverse_ready": False,
                "reverse_tries": 5, "error_code": "10", "total_count": 3, "correct_count": 2,
                "alarmed_at": "2026-03-02T09:00:00Z",
            },
        ),
        (
            "/mandate/",
            keys.MANDATE,
            Mandate(an_id, loan, "https://a.example/", "https://b.example/", loans=(loan,)),
            {"status": "pending_customer_approval", "loans": [loan], "is_disabled": False},
        ),
        (
            "/webhook/",
            keys.WEBHOOK,
            Webhook(an_id, "loan_closed", loan, 1, {"id": loan}, (Delivery(NOW, 500),)),
            {"data": {"id": loan}, "timestamp": 1, "status": "pending"},
        ),
        (
            "/provider_event/",
            keys.PROVIDER_EVENT,
            ProviderEvent(an_id, "gocardless", "EV1", "payments", "confirmed", "applied", NOW),
            {"event_id": "EV1", "outcome": "applied"},
        ),
        ("/alarm/", keys.ALARM, Alarm(an_id, "reconciliation", NOW), {"detail": ""}),
    ]  # fmt: skip


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_is_shown(row: tuple[str, Any, Any, dict[str, Any]]) -> None:
    path, kind, value, expected = row
    with serve() as served:
        put(served, kind, value)
        [shown] = served.api.get(path).ok()["results"]
        assert {name: shown[name] for name in expected} == expected
        assert shown["created_at"] == shown["updated_at"] == "2026-03-02T09:00:00Z"
        if path in NAMED:
            assert served.api.get(f"{path}{value.id}/").ok() == shown
        assert served.other.get(path).ok() == EMPTY


def test_what_cannot_be_done_without_a_provider_says_so() -> None:
    with serve() as served:
        api = served.api
        person = {"first_name": "Ada", "last_name": "Example"}
        user = api.post("/end_user/", person).ok(201)["id"]
        links = {"success_url": "https://a.example/ok", "failure_url": "https://a.example/no"}
        api.post("/mandate/", {"end_user": user, **links}).refused("collections_not_configured")
        assert api.get("/mandate/").ok() == EMPTY
        for body, field in (
            ({"end_user": str(uuid4()), **links}, "end_user"),
            ({"end_user": user, "success_url": "https://a.example/"}, "failure_url"),
            ({"end_user": user, **links, "success_url": "a.example"}, "success_url"),
            ({"end_user": user, **links, "failure_url": "javascript:alert(1)"}, "failure_url"),
            ({"end_user": user, **links, "failure_url": "https://me@a.example"}, "failure_url"),
        ):
            answer = api.post("/mandate/", body).refused("validation_error", 400)
            assert list(answer.fields) == [field]
        api.post(f"/mandate/{uuid4()}/manage_state/", {"is_disabled": True}).refused(
            "not_found", 404
        )
        nobody = {"mandate": str(uuid4())}
        api.post(f"/loan/{uuid4()}/set_go_cardless_mandate/", nobody).refused("not_found", 404)
