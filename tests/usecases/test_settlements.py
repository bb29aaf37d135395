"""A settlement of loans that were really sold: the worker and the Blackmoon simulator, by HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib.usecases import ownership, sales
from tests.usecases.selling import shop
from tests.usecases.test_reconciliation import Days, days_of

CENT = Decimal("0.01")


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    with shop(tmp_path) as made:
        made.begin()
        made.there.says(not_ready=0)
        yield days_of(made)


def net(days: Days, day: str = "") -> dict[str, Decimal]:
    query = f"?date={day}" if day else ""
    report = days.shop.person.get(f"/report/trial_balance/{query}")
    assert report["total_debit"] == report["total_credit"]
    return {row["account"]: row["debit"] - row["credit"] for row in report["accounts"]}


def settlement(days: Days, investor: str) -> Any:
    month = days.today.isoformat()[:7]
    return days.shop.person.get(f"/report/settlement/?investor={investor}&month={month}")


def test_sold_repaid_and_sold_back(days: Days) -> None:
    loan = days.sells()
    [bought] = days.shop.cessions(loan)
    investor = bought["investor_legal_entity_id"]
    loan.repays("100.00").confirmed()
    fee = (100 * bought["servicing_fee"]).quantize(CENT, ROUND_HALF_UP)
    row = {"loan": loan.id, "collected": 100, "servicing_fee": fee, "payable": 100 - fee}
    assert settlement(days, investor)["rows"] == [row]
    held, first_day = net(days), str(days.today)
    assert held["loans_sold"] == -1900
    assert held["cession_clearing"] == 2000 + bought["origination_fee"]
    assert held["origination_fee_income"] == -bought["origination_fee"]
    assert (held["investors_payable"], held["servicing_fee_income"]) == (fee - 100, -fee)

    days.goes_on()
    back = {"loanId": loan.id, "type": "Overdue", "price": "1900", "date": str(days.today)}
    days.shop.there.says(reverse_cessions=[back])
    days.goes_on()
    assert days.investor(loan) is None
    loan.repays("50.00").confirmed()
    assert settlement(days, investor)["rows"] == [row]
    found = net(days)
    assert found["loans_sold"] == 0 and found["investors_payable"] == fee - 100
    assert found["cession_clearing"] == 100 + bought["origination_fee"]
    assert net(days, first_day) == held
    kept = ownership.holdings_of(days.ctx, loan.id)
    assert sales.known(days.ctx, [loan.id], days.today)[loan.id].holdings == kept


def test_an_offer_that_is_accepted_before_the_money_moves(days: Days) -> None:
    loan = days.shop.opens(amount="2000.00")
    days.shop.works()
    offer = days.shop.offer(loan)
    days.shop.person.post(f"/blackmoon/offer/{offer['id']}/accept/")
    days.shop.works()
    assert [one["price"] for one in days.shop.cessions(loan)] == [2000], "what was bid"
    before, accepted = net(days), str(days.today)
    assert not any(before.values()), "nothing is lent yet"
    days.goes_on()
    loan.disburses("1500.00").confirmed()
    days.shop.works()
    after = net(days)
    assert (after["loans_sold"], after["sale_results"]) == (-1500, 0)
    assert after["cession_clearing"] == 1500 + offer["origination_fee"]
    assert net(days, accepted) == before
