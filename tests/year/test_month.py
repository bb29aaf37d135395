"""A month of thirty loans, day by day: the beginning of what ``make test-year`` runs."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.stack import Stack
from tests.year.lives import BEGINS, KINDS, MONTH_DAYS
from tests.year.run import Run, differences

pytestmark = pytest.mark.stack
LOANS = 30


def test_every_daily_file_of_a_month_is_what_the_lists_say(stack: Stack) -> None:
    run = Run.begin(stack, LOANS, MONTH_DAYS)
    run.goes_on(BEGINS + timedelta(days=MONTH_DAYS))
    _has_seen_enough(run)
    for days in (1, 5, 9):
        run.again(run.day - timedelta(days=days))
    run.altered()


def _has_seen_enough(run: Run) -> None:
    """The month was not an empty one: what it is about has happened in it."""
    offers = Counter(one["status"] for one in run.book.all_of("/blackmoon/offer/"))
    assert {"accepted", "refused", "declined", "cancelled"} <= set(offers), offers
    cessions = Counter(one["type"] for one in run.book.all_of("/blackmoon/cession/"))
    assert cessions["direct"] > LOANS // 3 and cessions["topup"] > 1 and cessions["reverse"] > 1
    seen = run.book.seen
    loans = ("inactive", "active", "late", "arrears", "closed", "cancelled")
    wanted = {("loan", status) for status in loans}
    wanted |= {("chargeback", status) for status in ("applied", "reverted")}
    wanted |= {("repayment", one) for one in ("pending", "applied", "failed", "reverted")}
    assert wanted <= seen, wanted - seen
    assert {one.of.name for one in run.state.lives} == {kind.name for kind in KINDS}


def test_a_difference_of_a_penny_is_seen() -> None:
    """The comparison itself."""
    row = {"loanId": "l", "principal": "10.00", "interestRate": "12"}
    assert differences({"l": row}, {"l": {**row, "interestRate": "12.0"}}) == []
    [line] = differences({"l": row}, {"l": {**row, "principal": "10.01"}})
    assert "principal: 10.00 by the lists, 10.01" in line
    assert len(differences({"l": row}, {"m": {**row}})) == 2
