"""An account that is not what its journal tells is found, whatever part of it is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from chalicelib.domain.self_check import ONE_IN, SUM, chosen, differences
from tests.domain.lives import Life, moment, terms

START = date(2018, 2, 9)


def found(life: Life) -> tuple[str, ...]:
    return differences(life.terms, life.account, life.batches, moment(life.day))


def troubled() -> Life:
    """Collected, failed, charged back, repaid by hand, reverted: checked on every day."""
    life = Life(terms(), START).disburses("12000").with_mandate()
    while life.day < date(2018, 7, 20):
        life.goes_to(life.day + timedelta(days=1))
        assert found(life) == (), life.day
        waiting = [one for one in life.automatic() if one.status == "pending"]
        if waiting and life.day >= waiting[-1].effective_date + timedelta(days=2):
            if life.day.month == 4:
                life.fails(waiting[-1])
            else:
                life.confirms(waiting[-1], waiting[-1].effective_date)
            assert found(life) == ()
        if life.day == date(2018, 5, 3):
            paid = life.repays("700.00")
        if life.day == date(2018, 5, 5):
            life.reverts(life.now(paid))
            assert found(life) == ()
        if life.day == date(2018, 6, 20):
            life.charges_back(life.automatic()[0])
            assert found(life) == ()
    return life


def test_a_troubled_life_is_what_its_journal_tells_every_day() -> None:
    life = troubled()
    assert life.account.status != "closed"


def test_a_closed_one_too() -> None:
    life = Life(terms(), START).disburses("1000").goes_to(date(2018, 3, 1))
    life.repays(life.view().account.balances.total.quantize(Decimal("0.01")))
    assert life.account.status == "closed"
    assert found(life) == ()
    life.account = replace(life.account, principal=Decimal("0.01"))
    assert found(life) == (SUM, "balances")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"principal": Decimal("11999.99")}, {SUM, "balances"}),
        ({"interest": Decimal(0)}, {SUM, "balances"}),
        ({"overpayment": Decimal("0.01")}, {"overpayment"}),
        ({"status": "late"}, {"status"}),
        ({"next_row": 2}, {"next_row"}),
        ({"interest_enabled": False}, {"interest_enabled"}),
        ({"disbursed_on": date(2018, 2, 10)}, {"disbursed_on"}),
    ],
)
def test_what_was_written_to_one_and_not_to_the_other_is_found(
    change: dict[str, object], names: set[str]
) -> None:
    life = Life(terms(), START).disburses("12000").goes_to(date(2018, 3, 1))
    assert found(life) == ()
    life.account = replace(life.account, **change)  # type: ignore[arg-type]
    assert names <= set(found(life))


def test_an_entry_that_is_missing_is_found() -> None:
    life = Life(terms(), START).disburses("12000").goes_to(date(2018, 3, 1))
    life.repays("500.00")
    assert found(life) == ()
    del life.batches[-1]
    assert SUM in found(life)


def test_every_loan_has_its_turn_and_the_same_night_the_same_ones() -> None:
    loan, day = "6f025741-3a92-4e28-8869-b362b51d6b5f", date(2026, 1, 1)
    turns = [chosen(loan, day + timedelta(days=n)) for n in range(400)]
    assert 400 / ONE_IN / 2 < sum(turns) < 400 / ONE_IN * 2
    assert chosen(loan, day) == chosen(loan, day)
