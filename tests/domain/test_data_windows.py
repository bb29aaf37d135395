"""Which days a day's file holds, and when a repayment became known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.data_windows import (
    instant_of,
    learnt_on,
    months,
    takes_loan,
    takes_repayment,
    window,
)
from chalicelib.domain.ledger import Balances, Batch, Transaction

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TRANSACTION = Transaction(
    "t", "l", 1, "repayment", "applied", Decimal(100), Balances(Decimal(100)),
    date(2026, 3, 2), date(2026, 3, 2), NOON, Balances(), applied_at=NOON,
)  # fmt: skip
ACCOUNT = Account("l", "e")


def repayment(**more: object) -> Transaction:
    return replace(TRANSACTION, **more)  # type: ignore[arg-type]


def batch(*items: Transaction, revision: int = 0) -> Batch:
    return Batch("l", 1, NOON, date(2026, 3, 2), transactions=items, revision=revision)


#: day, the first that its file holds: on the 1st 32 days, whatever the month before had.
DAYS = [
    ("2026-03-10", "2026-03-03"),
    ("2026-03-02", "2026-02-23"),  # across a month's end
    ("2026-03-01", "2026-01-28"),  # the 1st: February had 28 days
    ("2024-03-01", "2024-01-29"),  # a leap day within
    ("2024-02-29", "2024-02-22"),  # the leap day itself
    ("2024-03-02", "2024-02-24"),  # the leap day is one of the seven
    ("2026-01-01", "2025-11-30"),  # the 1st of a year
    ("2026-08-01", "2026-06-30"),
    ("2026-03-30", "2026-03-23"),  # clocks went forward on the 29th
    ("2026-10-26", "2026-10-19"),  # and back on the 25th
]


@pytest.mark.parametrize(("day", "first"), DAYS)
def test_the_days_of_a_file(day: str, first: str) -> None:
    found = window(date.fromisoformat(day))
    last = found.day - timedelta(days=1)
    assert (found.first, found.last) == (date.fromisoformat(first), last)
    assert found.first in found and last in found
    assert found.day not in found and found.first - timedelta(days=1) not in found
    assert (last - found.first).days + 1 == (32 if found.day.day == 1 else 7)


def test_every_day_is_in_the_files_of_the_seven_days_after_it_and_of_the_next_first() -> None:
    for offset in range(800):
        on = date(2024, 1, 1) + timedelta(days=offset)
        held = [day for n in range(1, 40) if on in window(day := on + timedelta(days=n))]
        assert held[:7] == [on + timedelta(days=n) for n in range(1, 8)]
        assert any(day.day == 1 for day in held), f"{on} is in no file of a 1st"
        assert all(day.day == 1 for day in held[7:])


def test_open_loans_and_those_lately_closed() -> None:
    march = window(date(2026, 3, 10))
    for status in ("active", "late", "arrears", "default"):
        assert takes_loan(march, status, None, ceded=False)
    assert takes_loan(march, "closed", date(2026, 3, 3), ceded=False)
    assert takes_loan(march, "closed", date(2026, 3, 9), ceded=False)
    assert not takes_loan(march, "closed", date(2026, 3, 2), ceded=False)
    assert takes_loan(window(date(2026, 3, 1)), "closed", date(2026, 1, 28), ceded=False)
    assert not takes_loan(window(date(2026, 3, 1)), "closed", date(2026, 1, 27), ceded=False)
    for status in ("inactive", "cancelled"):
        assert not takes_loan(march, status, None, ceded=False)


@pytest.mark.parametrize("status", ["closed", "inactive", "cancelled", "active"])
def test_a_loan_ever_ceded_is_in_every_file(status: str) -> None:
    """Sold back or not: that it was ceded once is enough."""
    assert takes_loan(window(date(2026, 3, 10)), status, date(2020, 1, 1), ceded=True)


def test_a_repayment_learnt_of_three_months_late() -> None:
    late = repayment(effective_date=date(2025, 12, 2), processing_date=date(2026, 3, 2))
    learnt = learnt_on(late, batch(late), ACCOUNT)
    assert learnt == date(2026, 3, 2)
    assert takes_repayment(window(date(2026, 3, 3)), learnt, ceded=False)
    assert takes_repayment(window(date(2026, 3, 9)), learnt, ceded=False)
    assert not takes_repayment(window(date(2026, 3, 10)), learnt, ceded=False)
    assert not takes_repayment(window(date(2025, 12, 9)), learnt, ceded=False)
    assert takes_repayment(window(date(2026, 4, 1)), learnt, ceded=False)


def test_of_loans_ever_ceded_all_that_was_known() -> None:
    march = window(date(2026, 3, 10))
    assert takes_repayment(march, date(2020, 1, 1), ceded=True)
    assert not takes_repayment(march, date(2026, 3, 10), ceded=True), "that is tomorrow's"
    assert not takes_repayment(march, None, ceded=True)


def test_what_has_never_arrived_is_not_known() -> None:
    assert learnt_on(repayment(status="pending", applied_at=None), batch(), ACCOUNT) is None
    failed = repayment(status="failed", applied_at=None)
    assert learnt_on(failed, batch(failed), ACCOUNT) is None
    for other in ("disbursement", "fee", "interest", "refund", "allocation", "write_off"):
        assert learnt_on(repayment(type=other), batch(), ACCOUNT) is None


def test_what_was_taken_back_is_known_anew_on_that_day() -> None:
    failed = repayment(status="failed", processing_date=date(2026, 3, 20))
    assert learnt_on(failed, batch(failed), ACCOUNT) == date(2026, 3, 20)
    charged_back = repayment(type="chargeback", processing_date=date(2026, 4, 2))
    assert learnt_on(charged_back, batch(charged_back), ACCOUNT) == date(2026, 4, 2)
    account = replace(ACCOUNT, revised=(date(2026, 3, 5), date(2026, 3, 7)))
    reverted = repayment(status="reverted", reverted_by="t")
    assert learnt_on(reverted, batch(reverted, revision=2), account) == date(2026, 3, 7)


def test_the_months_in_which_a_loan_may_have_closed() -> None:
    march = window(date(2026, 3, 10))
    assert months(march, date(2026, 3, 10)) == ["2026-03"]
    assert months(window(date(2026, 3, 1)), date(2026, 3, 1)) == ["2026-01", "2026-02", "2026-03"]
    assert months(window(date(2026, 1, 3)), date(2026, 1, 3)) == ["2025-12", "2026-01"]
    assert months(march, date(2026, 5, 1)) == ["2026-03", "2026-04", "2026-05"], "made later"


#: applied (UTC), counts from: as it is written, in London's time of that day.
INSTANTS = [
    ("2026-03-02T12:00:00", "2026-03-02", "2026-03-02T12:00:00+00:00"),
    ("2026-07-01T12:30:15", "2026-07-01", "2026-07-01T13:30:15+01:00"),
    ("2026-07-01T23:30:00", "2026-07-02", "2026-07-02T00:30:00+01:00"),
    ("2026-03-29T00:59:59", "2026-03-29", "2026-03-29T00:59:59+00:00"),  # forward at 01:00
    ("2026-03-29T01:00:00", "2026-03-29", "2026-03-29T02:00:00+01:00"),
    ("2026-10-25T00:30:00", "2026-10-25", "2026-10-25T01:30:00+01:00"),  # the hour twice
    ("2026-10-25T01:30:00", "2026-10-25", "2026-10-25T01:30:00+00:00"),
    ("2026-07-05T09:00:00", "2026-07-01", "2026-07-01T00:00:00+01:00"),  # learnt of later
    ("2026-04-02T09:00:00", "2026-03-29", "2026-03-29T00:00:00+00:00"),
    ("2026-04-02T09:00:00", "2026-03-30", "2026-03-30T00:00:00+01:00"),
    ("2024-03-02T09:00:00", "2024-02-29", "2024-02-29T00:00:00+00:00"),
]


@pytest.mark.parametrize(("applied", "counts", "written"), INSTANTS)
def test_when_a_repayment_was_made(applied: str, counts: str, written: str) -> None:
    at = datetime.fromisoformat(applied).replace(tzinfo=UTC)
    item = repayment(applied_at=at, effective_date=date.fromisoformat(counts))
    assert instant_of(item).isoformat() == written
