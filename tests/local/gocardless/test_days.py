"""Bacs timing: working days of England, over weekends, Easter and Christmas."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from local.gocardless import bacs, days, mandates, payments
from local.gocardless.errors import ApiError
from local.gocardless.organisation import Record
from tests.local.gocardless.support import (
    active_mandate,
    goes_through,
    mandate_of,
    organisation,
    payment_body,
    told,
)

EASTER = date(2026, 4, 2)  # Maundy Thursday; Good Friday 3 April, Easter Monday 6 April
CHRISTMAS = date(2026, 12, 23)  # Wednesday; 25 December a Friday, its neighbour 28 a holiday


@pytest.mark.parametrize(
    ("day", "count", "found"),
    [
        (date(2026, 1, 5), 1, date(2026, 1, 6)),
        (date(2026, 1, 9), 1, date(2026, 1, 12)),
        (EASTER, 1, date(2026, 4, 7)),
        (date(2026, 4, 7), -1, EASTER),
        (CHRISTMAS, 2, date(2026, 12, 29)),
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
        (date(2026, 8, 28), 1, date(2026, 9, 1)),  # England's summer holiday
        (date(2026, 7, 10), 1, date(2026, 7, 13)),  # Northern Ireland's is none
    ],
)
def test_working_days(day: date, count: int, found: date) -> None:
    assert bacs.add(day, count) == found


@pytest.mark.parametrize(
    ("made", "submitted", "active"),
    [
        (date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)),
        (date(2026, 1, 9), date(2026, 1, 12), date(2026, 1, 13)),
        (date(2026, 1, 10), date(2026, 1, 12), date(2026, 1, 13)),
        (EASTER, date(2026, 4, 7), date(2026, 4, 8)),
        (CHRISTMAS, date(2026, 12, 24), date(2026, 12, 29)),
    ],
)
def test_a_mandate_is_active_after_two_working_days(
    made: date, submitted: date, active: date
) -> None:
    org = organisation(made)
    mandate = mandate_of(org)
    seen = goes_through(org, mandate, active + timedelta(days=20))
    assert seen == {"pending_submission": made, "submitted": submitted, "active": active}
    assert told(org, mandate) == ["created", "submitted", "active"]


@pytest.mark.parametrize(
    ("made", "submitted", "charged", "confirmed", "paid_out"),
    [
        # Monday, paid out the Monday after
        ("2026-01-05", "2026-01-06", "2026-01-08", "2026-01-09", "2026-01-12"),
        # over Easter
        ("2026-03-31", "2026-04-01", "2026-04-07", "2026-04-08", "2026-04-09"),
        ("2026-04-02", "2026-04-07", "2026-04-09", "2026-04-10", "2026-04-13"),
        # over Christmas and New Year
        ("2026-12-22", "2026-12-23", "2026-12-29", "2026-12-30", "2026-12-31"),
        ("2026-12-29", "2026-12-30", "2027-01-04", "2027-01-05", "2027-01-06"),
    ],
)
def test_a_payment_is_confirmed_the_working_day_after_its_charge_date(
    made: str, submitted: str, charged: str, confirmed: str, paid_out: str
) -> None:
    org = organisation(date.fromisoformat(made))
    mandate = active_mandate(org)
    assert mandates.shown(org, mandate)["next_possible_charge_date"] == charged
    payment = payments.create(org, payment_body(mandate))
    assert payment.doc["charge_date"] == charged
    seen = goes_through(org, payment, date.fromisoformat(paid_out) + timedelta(days=3))
    assert {status: str(day) for status, day in seen.items()} == {
        "pending_submission": made,
        "submitted": submitted,
        "confirmed": confirmed,
        "paid_out": paid_out,
    }
    (payout,) = org.all("payouts")
    assert payout.doc["amount"] == 1000 - 30
    assert payout.doc["deducted_fees"] == 30
    assert org.get("payments", payment.id).links["payout"] == payout.id


def test_one_jump_is_the_same_as_day_by_day() -> None:
    def life(step: int) -> list[tuple[str, str, str]]:
        org = organisation(EASTER)
        payments.create(org, payment_body(mandate_of(org)))
        payments.create(org, payment_body(mandate_of(org), charge_date="2026-04-30"))
        while org.today < date(2026, 6, 1):
            days.send(org, min(org.today + timedelta(days=step), date(2026, 6, 1)))
        return [
            (e.doc["created_at"], e.doc["action"], e.doc["resource_type"])
            for e in org.all("events")
        ]

    assert life(1) == life(7) == life(100)
    assert len(life(1)) == 2 * 7 + 2, "mandate 3, payment 4, and a payout of each"


def test_a_charge_date_that_is_no_working_day_rolls_forward() -> None:
    org = organisation(date(2026, 3, 20))
    mandate = active_mandate(org)
    easter = payments.create(org, payment_body(mandate, charge_date="2026-04-03"))
    assert easter.doc["charge_date"] == "2026-04-07"
    saturday = payments.create(org, payment_body(mandate, charge_date="2026-04-11"))
    assert saturday.doc["charge_date"] == "2026-04-13"


def test_a_charge_date_before_the_first_possible_is_refused() -> None:
    org = organisation()
    mandate = active_mandate(org)
    first = mandates.shown(org, mandate)["next_possible_charge_date"]
    assert (
        payments.create(org, payment_body(mandate, charge_date=first)).doc["charge_date"] == first
    )
    with pytest.raises(ApiError) as refusal:
        payments.create(org, payment_body(mandate, charge_date="2026-01-07"))
    assert refusal.value.errors == [
        {
            "field": "charge_date",
            "message": "must be on or after mandate's next_possible_charge_date",
            "request_pointer": "/payments/charge_date",
        }
    ]


def test_a_payment_waits_for_its_mandate() -> None:
    org = organisation()
    mandate = mandate_of(org)
    payment = payments.create(org, payment_body(mandate))
    assert payment.doc["charge_date"] == "2026-01-09"
    days.send(org, date(2026, 1, 6))
    mandates.cancel(org, mandate.id, None)
    assert org.get("payments", payment.id).status == "cancelled"
    mandates.reinstate(org, mandate.id, None)
    later = payments.create(org, payment_body(mandate))
    seen = goes_through(org, later, date(2026, 1, 20))
    assert seen["submitted"] == date(2026, 1, 8), "the day on which the mandate is active again"
    assert seen["confirmed"] == date(2026, 1, 13)
    assert told(org, mandate)[-3:] == ["resubmission_requested", "submitted", "reinstated"]


def test_a_months_payments_of_one_day_are_one_payout() -> None:
    org = organisation()
    mandate = active_mandate(org)
    made = [payments.create(org, payment_body(mandate, amount)) for amount in (1000, 50_000, 99)]
    days.send(org, date(2026, 1, 13))
    (payout,) = org.all("payouts")
    assert payout.doc["deducted_fees"] == 30 + 400 + 20
    assert payout.doc["amount"] == 51_099 - 450
    assert (payout.status, payout.doc["arrival_date"]) == ("paid", "2026-01-13")
    linked = {org.get("payments", each.id).links["payout"] for each in made}
    assert linked == {payout.id}


def test_the_date_goes_back_only_without_mandates() -> None:
    org = organisation()
    days.send(org, date(2025, 1, 1))
    assert org.today == date(2025, 1, 1)
    mandate: Record = mandate_of(org)
    with pytest.raises(ApiError) as refusal:
        days.send(org, date(2024, 12, 31))
    assert refusal.value.errors[0]["reason"] == "clock_backwards"
    days.send(org, date(2024, 12, 31), reset=True)
    assert org.today == date(2024, 12, 31)
    assert org.get("mandates", mandate.id).status == "pending_submission"
