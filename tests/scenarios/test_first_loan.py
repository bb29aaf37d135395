"""The documentation's nine steps, for term loans, from product to zero."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.scenarios.partner import Partner
from tests.scenarios.world import World

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("name", ["equal_principal", "equal_instalments"])
def test_a_loan_collects_the_documented_amounts(partner: Partner, name: str) -> None:
    table = json.loads((GOLDEN / f"{name}.json").read_text())
    quote = table["quote"]
    partner.goes_to(quote["start_date"])
    product = partner.publishes(
        type=quote["type"],
        installments=quote["installments"],
        default_loan_amount=quote["amount"],
        default_interest_rate=quote["rate"],
        repayment_date_type=quote["repayment_date_type"],
        repayment_date_period=quote["repayment_date_period"],
        repayment_holiday_scheduling=quote["repayment_holiday_scheduling"],
    )
    quoted = partner.get(f"/product/{product}/quote/?start_date={quote['start_date']}")
    assert as_text(quoted["schedule"]) == table["schedule"]
    assert as_text([quoted["totals"]]) == [table["totals"]]

    loan = partner.opens_loan(product)
    loan.shows(status="inactive", principal="0.00")
    loan.disburses(quote["amount"])
    loan.shows(principal="0.00", pending_principal=quote["amount"])
    loan.confirmed().shows(status="active", principal=quote["amount"], pending_principal="0.00")
    collected = []
    for row in table["schedule"]:
        partner.goes_to(row["due_date"])
        shown = loan.now
        assert shown["next_repayment_date"] == row["due_date"]
        collected.append(str(shown["next_repayment_amount"]))
        loan.repays(shown["next_repayment_amount"]).confirmed().folds()
    assert collected == [row["total_amount"] for row in table["schedule"]]
    loan.shows(
        status="closed", close_substatus="paid_in_full", principal="0.00", interest="0.00",
        fee="0.00", next_repayment_date="None",
    )  # fmt: skip
    nights = [item for item in loan.all_transactions() if item["type"] == "interest"]
    total = sum((Decimal(item["exact"]["interest"]) for item in nights), Decimal(0))
    assert str(total.quantize(Decimal("0.01"), "ROUND_HALF_UP")) == table["totals"]["interest"]
    start, end = quote["start_date"], table["schedule"][-1]["due_date"]
    days = (date.fromisoformat(end) - date.fromisoformat(start)).days
    assert len({item["effective_date"] for item in nights}) == len(nights) == days


def as_text(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Money as text, as the documented tables have it."""
    return [{k: str(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in rows]


def test_a_night_is_a_transaction_that_can_be_read_by_its_id(partner: Partner) -> None:
    partner.goes_to("2024-02-27")
    loan = partner.opens_loan(partner.publishes()).disburses("1000").confirmed()
    partner.goes_to("2024-03-02")
    nights = [item for item in loan.all_transactions() if item["type"] == "interest"]
    assert [night["effective_date"] for night in nights] == [
        "2024-03-02", "2024-03-01", "2024-02-29", "2024-02-28",
    ]  # fmt: skip
    api = partner.http
    api.request("GET", f"/loan/{nights[0]['id']}/").refused("not_found", 404)
    api.request("GET", f"/transaction/{loan.id}/").refused("not_found", 404)
    for night in nights:
        assert partner.get(f"/transaction/{night['id']}/") == night


def test_the_limit_counts_what_is_pending(partner: Partner) -> None:
    loan = partner.opens_loan(partner.publishes(type="line_of_credit"), amount="2000.00")
    loan.disburses("1500.00").confirmed().disburses("500.00")
    loan.shows(principal="1500.00", pending_principal="500.00")
    loan.transaction("disbursement", "0.01").refused("credit_limit_exceeded")


def test_missed_payments_show_and_are_cured(partner: Partner) -> None:
    partner.goes_to("2024-02-09")
    loan = partner.opens_loan(partner.publishes()).disburses("12000").confirmed()
    partner.goes_to("2024-03-15")
    loan.shows(status="late", late_since="2024-03-15", days_past_due="1")
    partner.goes_to("2024-03-22")
    loan.shows(status="arrears", arrears_since="2024-03-22", days_past_due="8")
    rows = partner.get(f"/loan/{loan.id}/schedule/")["schedule"]
    assert [row["status"] for row in rows] == ["overdue"] + ["upcoming"] * 5
    loan.repays(loan.now["next_repayment_amount"]).confirmed()
    loan.shows(status="active", late_since="None", days_past_due="0").folds()


def test_the_same_key_makes_one_transaction(partner: Partner, world: World) -> None:
    loan = partner.opens_loan(partner.publishes()).disburses("1000").confirmed()
    body = {"loan": loan.id, "type": "repayment", "amount": "10.00", "idempotency_key": "once"}
    first = partner.http.request("POST", "/transaction/", body)
    again = partner.http.request("POST", "/transaction/", body)
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"  # type: ignore[attr-defined]
    partner.http.request("POST", "/transaction/", {**body, "amount": "11.00"}).refused(
        "idempotency_key_reused"
    )
    assert len(loan.all_transactions()) == 2


def test_another_partner_sees_nothing(partner: Partner) -> None:
    from app import app
    from tests.http_support import Api

    loan = partner.opens_loan(partner.publishes())
    made = partner.post("/sandbox/partner/")
    other = Api(app, made["api_key"])
    other.get(f"/loan/{loan.id}/").refused("not_found", 404)
    other.post("/loan/", {"application": loan.now["application"]}).refused("validation_error", 400)
    assert other.get("/loan/").ok()["results"] == []


def test_the_clock_goes_back_only_without_loans(partner: Partner) -> None:
    partner.goes_to("2020-01-01").goes_to("2019-01-01")
    partner.opens_loan(partner.publishes())
    partner.goes_to("2019-01-10")
    partner.http.request("POST", "/sandbox/clock/", {"business_date": "2019-01-09"}).refused(
        "clock_backwards"
    )
    partner.goes_to("2019-01-10")


def test_a_message_that_was_lost_is_asked_for_again(partner: Partner, world: World) -> None:
    partner.goes_to("2024-02-09")
    loan = partner.opens_loan(partner.publishes()).disburses("12000").confirmed()
    world.line.lose = True
    world.report = lambda *_, **__: None  # type: ignore[method-assign]
    moved = world.sleep
    calls = 0

    def find_it(seconds: float) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            world.line.lose = False
            from datetime import timedelta

            from chalicelib.jobs import schedules

            world.wall += timedelta(minutes=2)
            assert schedules.sweep_outbox() == 1
        moved(seconds)

    world.sleep = find_it
    partner.goes_to("2024-02-12")
    assert len([t for t in loan.all_transactions() if t["type"] == "interest"]) == 3
