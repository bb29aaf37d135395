"""Random lives of loans, through the use cases: what holds after every single step.

Each life is lived twice, by two partners' loans with the same id: one with its daily job, the other
without it for days or months.  Both must show the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from chalicelib.domain.account import DefaultFee, Terms
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import PENNY, pence
from chalicelib.domain.statements import Statement
from chalicelib.usecases import journals, loans, transactions
from chalicelib.usecases.context import Replayed
from chalicelib.usecases.previews import Preview, differences
from tests.domain.lives import terms
from tests.usecases import living_checks as checks
from tests.usecases.living_loans import Command, Done, Life, Seen, drop, loan_view, new_store
from tests.usecases.living_terms import all_terms, starts

SMALL, USUAL = 8, journals.MOST_OPERATIONS
NUMBERS = count(1)
picks = st.integers(0, 60)
shares = st.integers(1, 99)
NOTHING = object()
#: How often each move is made.
WEIGHTS = {
    "pass_days": 5, "come_due": 8, "pass_months": 1, "look_back": 3, "disburse": 1,
    "apply_disbursement": 2, "fail_disbursement": 1, "repay": 8, "repay_backdated": 2,
    "confirm": 5, "fail": 3, "fail_late": 2, "retry": 2, "charge_back": 2, "cancel_chargeback": 2,
    "change_mandate": 3, "revert": 2, "revert_newest": 2, "set_interest": 2, "set_status": 1,
    "charge_fee": 2, "close": 1, "cancel": 1,
}  # fmt: skip
MOVES = [name for name, weight in WEIGHTS.items() for _ in range(weight)]


class Lives(RuleBasedStateMachine):
    """The commands, in any order, on any day."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = 0
        self.past: dict[date, Seen] = {}
        self.issued: dict[str, Statement] = {}

    def teardown(self) -> None:
        """Forget the table."""
        journals.MOST_OPERATIONS = USUAL
        if hasattr(self, "store"):
            drop(self.store)

    # --- both do it ------------------------------------------------------------------------------

    def does(self, command: Command, *, still: bool = False, preview: Any = None) -> Done:
        """Both loans are told.  ``still`` says that nothing need change."""
        expected = self._previewed(preview) if preview else None
        before = self.seen
        done = self.life.does(command)
        other = self.twin.does(command)
        assert done.code == other.code, (done, other)
        self.checks()
        if done.code is None and not still:
            assert (self.seen.loan, self.seen.transactions) != (before.loan, before.transactions)
        if expected is not None:
            self._as_previewed(expected, before, done)
        return done

    def _previewed(self, preview: Callable[[Life], Preview]) -> Done:
        found = self.life.does(preview)
        assert not found.changed, "a preview writes nothing"
        return found

    def _as_previewed(self, expected: Done, before: Seen, done: Done) -> None:
        assert expected.code == done.code
        if done.code is not None:
            return
        preview = expected.value
        was, will = (loan_view(one) for one in (preview.before, preview.after))
        assert checks.differing(was, before.loan) == {}, "before"
        assert checks.differing(will, self.seen.loan, ["updated_at"]) == {}, "after"
        true = differences(before.transactions, self.seen.transactions)
        told = {one.id: (one.before, one.after) for one in preview.transactions}
        assert {k: _pair(*v) for k, v in told.items()} == {
            one.id: _pair(one.before, one.after) for one in true
        }

    def checks(self) -> None:
        """What holds after every step."""
        self.seen = self.life.sees()
        self.past[self.life.day] = self.seen
        checks.check(self.life, self.seen)
        checks.check_twin(self.seen, self.twin.sees())
        found = self.life.statements()
        checks.check_statements(self.life, self.issued, found)
        self.issued |= {one.id: one for one in found if one.id not in self.issued}

    def chosen(self, pick: int, *kinds: str, status: str = "") -> Transaction | None:
        """One of the transactions of some types, the newest for 0."""
        found = [
            item
            for item in self.seen.transactions
            if (not kinds or item.type in kinds) and (not status or item.status == status)
        ]
        return found[pick % len(found)] if found else None

    # --- days ------------------------------------------------------------------------------------

    @initialize(agreed=all_terms, start=starts, small=st.booleans(), amount=shares)
    def opens(self, agreed: Terms, start: date, small: bool, amount: int) -> None:
        """A loan is opened and, in nearly all lives, paid out at once."""
        journals.MOST_OPERATIONS = SMALL if small else USUAL
        number = next(NUMBERS)
        self.store = new_store()
        self.life = Life(self.store, f"{number:08d}-0000-4000-8000-000000000001", agreed, start)
        self.twin = Life(self.store, f"{number:08d}-0000-4000-8000-000000000002", agreed, start)
        self.seen = self.life.sees()
        if amount > 4:
            self.disburse(0, amount)
            self.apply_disbursement(0, 0)

    @rule(what=st.sampled_from(MOVES), pick=picks, share=shares)
    def step(self, what: str, pick: int, share: int) -> None:
        """One of the moves below; where there is nothing to do it with, a day goes by."""
        if getattr(self, what)(pick, share) is NOTHING:
            self._goes(1 + pick % 5, share > 50)

    def pass_days(self, pick: int, share: int) -> None:
        """Time goes by; the twin's job may or may not be run on the last of the days."""
        self._goes((1, 2, 3, 5, 8, 13, 21, 33)[pick % 8], share > 50)

    def pass_months(self, pick: int, share: int) -> None:
        """The twin's job is away for long."""
        self._goes(55 + pick % 10, share > 80)

    def come_due(self, pick: int, share: int) -> Any:
        """To the days around what falls due next."""
        due = self.seen.loan["next_repayment_date"]
        number = 0 if due is None else (due - self.life.day).days + pick % 19 - 6
        return self._goes(min(number, 80), share > 50) if number > 0 else NOTHING

    def _goes(self, number: int, job: bool) -> None:
        self.life.passes(number)
        self.twin.passes(number, job=False)
        if job:
            self.twin.works()
        self.checks()

    def look_back(self, pick: int, share: int) -> Any:
        """An earlier day is what it was, and so is a report of the day."""
        checks.check_reports(self.life, self.seen)
        days = sorted(day for day in self.past if day < self.life.day)
        if not days:
            return NOTHING
        day = days[-1 - pick % len(days)]
        checks.check_past(self.life, day, self.past[day])
        return None

    # --- money out -------------------------------------------------------------------------------

    def disburse(self, pick: int, share: int) -> Any:
        """Asked for: within the limit, all of it, more."""
        limit = self.seen.loan["amount"]
        amount = (pence(limit * share / 100), limit, limit + PENNY)[(0, 0, 1, 2)[pick % 4]]
        key = self._key()
        done = self.does(lambda one: one.posts(one.asks(type="disbursement", amount=amount), key))
        assert amount <= limit or done.code

    def apply_disbursement(self, pick: int, share: int) -> Any:
        """Confirmed, perhaps as of an earlier day."""
        days = (0, 0, 0, 1, 10, 40)[pick % 6]
        return self._with(
            self.chosen(pick, "disbursement", status="pending") or self.chosen(pick // 9),
            lambda item: lambda one: transactions.apply(one.context(), item.id, self._ago(days)),
        )

    def fail_disbursement(self, pick: int, share: int) -> Any:
        """The provider could not pay it out."""
        item = self.chosen(pick, "disbursement", status="pending")
        return self._with(item, lambda item: lambda one: one.fails(item))

    def _with(self, item: Transaction | None, command: Callable[[Transaction], Command]) -> Any:
        return NOTHING if item is None else self.does(command(item))

    def _ago(self, days: int) -> date | None:
        return self.life.day - timedelta(days=days) if days else None

    # --- money in --------------------------------------------------------------------------------

    def repay(self, pick: int, share: int) -> None:
        """A part, what is due, all that is owed, too much."""
        how = ("part", "part", "due", "due", "due", "penny", "all", "too much")[pick % 8]
        given = {"type": "repayment", "amount": self._amount(how, share)}
        done = self._repays({**given, "collect": (None, True, False)[pick % 3]})
        if done.code is None and share > 40:
            self.does(lambda one: transactions.apply(one.context(), done.value.id, None))
        assert how != "too much" or done.code

    def repay_backdated(self, pick: int, share: int) -> None:
        """Money of an earlier day."""
        amount = self._amount(("part", "due", "all")[pick % 3], share)
        effective = self._ago(1 + pick)
        self._repays({"type": "repayment", "amount": amount, "effective_date": effective})

    def _amount(self, how: str, share: int) -> Decimal:
        owed = self.life.outstanding()
        due = self.seen.loan["next_repayment_amount"] or PENNY
        part = max(PENNY, pence(owed * share / 100))
        amounts = {"part": part, "due": due, "penny": PENNY, "all": pence(owed)}
        return max(PENNY, amounts.get(how, pence(owed) + PENNY))

    def _repays(self, given: dict[str, Any]) -> Done:
        key = self._key()

        def post(one: Life) -> Any:
            return one.posts(one.asks(**given), key)

        done = self.does(post, preview=lambda one: one.previews(one.asks(**given)))
        if done.code is None:
            again = self.life.does(post)
            assert isinstance(again.value, Replayed) and not again.changed
            assert again.value.value == done.value
        return done

    def _key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def confirm(self, pick: int, share: int) -> Any:
        """A pending repayment is confirmed, an automatic one with the day it was charged on."""
        days = (0, 0, 1, 2, 6, 20)[share % 6]
        return self._with(
            self.chosen(pick, "repayment", status="pending"),
            lambda item: lambda one: transactions.apply(one.context(), item.id, self._ago(days)),
        )

    def fail(self, pick: int, share: int) -> Any:
        """A pending repayment fails."""
        item = self.chosen(pick, "repayment", status="pending")
        return self._with(item, lambda item: lambda one: one.fails(item))

    def fail_late(self, pick: int, share: int) -> Any:
        """One that had been confirmed, or whatever else is there."""
        item = self.chosen(pick, "repayment")
        if item is None:
            return NOTHING
        return self.does(lambda one: one.fails(item), still=item.status == "failed")

    def retry(self, pick: int, share: int) -> Any:
        """A failed repayment goes to its provider again."""
        item = self.chosen(pick, "repayment", status="failed") or self.chosen(pick, "repayment")
        return self._with(item, lambda item: lambda one: one.retries(item))

    def charge_back(self, pick: int, share: int) -> Any:
        """A provider takes back what it had confirmed."""
        taken = {item.compensates for item in self.seen.transactions if item.counts}
        item = self.chosen(pick, "repayment", status="applied") or self.chosen(pick)
        if item is None or item.id in taken:
            return NOTHING
        return self.does(lambda one: one.charges_back(item))

    def cancel_chargeback(self, pick: int, share: int) -> Any:
        """A provider gives it back."""
        again = {item.compensates for item in self.seen.transactions if item.type == "repayment"}
        item = self.chosen(pick, "chargeback")
        if item is None or item.id in again:
            return NOTHING
        return self.does(lambda one: one.cancels_chargeback(item))

    def change_mandate(self, pick: int, share: int) -> None:
        """The borrower's mandate becomes usable, or ceases to be."""
        mandate, usable = (("one", True), ("one", False), ("two", True), (None, False))[pick % 4]
        self.does(lambda one: one.sets_mandate(mandate, usable), still=True)

    # --- what the partner does -------------------------------------------------------------------

    def revert(self, pick: int, share: int) -> Any:
        """Any transaction, nights included."""
        kinds = ((), (), ("repayment",), ("interest",), ("fee", "chargeback"))[share % 5]
        return self._reverts(self.chosen(pick, *kinds) or self.chosen(pick))

    def revert_newest(self, pick: int, share: int) -> Any:
        """One of the latest that count."""
        return self._reverts(self.chosen(pick % 4, status="applied"))

    def _reverts(self, item: Transaction | None) -> Any:
        if item is None:
            return NOTHING
        return self.does(
            lambda one: transactions.revert(one.context(), item.id),
            preview=lambda one: transactions.preview_revert(one.context(), item.id),
        )

    def set_interest(self, pick: int, share: int) -> None:
        """Interest is stopped or started."""
        on = share > 40
        still = self.seen.loan["is_interest_calculation_enabled"] == on
        self.does(lambda one: loans.set_interest(one.context(), one.id, on), still=still)

    def set_status(self, pick: int, share: int) -> None:
        """The partner knows more than the calendar."""
        command = "make_arrears" if share < 60 else "make_default"
        self.does(lambda one: loans.set_status(one.context(), one.id, command))

    def charge_fee(self, pick: int, share: int) -> None:
        """A fee of the partner's own, or one that the product knows."""
        key, amount = self._key(), Decimal(share) / 10
        given: dict[str, Any] = {"name": "Reminder"}
        if pick % 4:
            kind = ("flat", "percent")[pick % 2]
            given = {"name": "Letter", "fee_type": kind, "amount": amount}
        self.does(lambda one: one.posts(one.asks(type="fee", **given), key))

    def close(self, pick: int, share: int) -> Any:
        """By hand, paid in full or written off."""
        substatus = "paid_in_full" if pick % 2 else "written_off"
        self.does(lambda one: loans.close(one.context(), one.id, "By hand", substatus))

    def cancel(self, pick: int, share: int) -> Any:
        """Only what was never paid out."""
        self.does(lambda one: loans.cancel(one.context(), one.id))


def _pair(one: Transaction | None, other: Transaction | None) -> tuple[Any, Any]:
    return (checks.plain(one) if one else None, checks.plain(other) if other else None)


QUIETLY = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=30,
)


TERM = terms(amount=Decimal(1000), rate=Decimal(0), installments=3, automatic_collection=False)
DEFAULTED = DefaultFee("Default", "flat", Decimal(15), "default")
LINE = terms(kind="line_of_credit", amount=Decimal(1000), rate=Decimal(0))
QUIET = replace(TERM, grace_instalments=1, principal_repayment_grace=1)
ONCE = {
    "a collection that failed after what is reverted": (
        LINE,
        [
            ("change_mandate", 0, 50),
            ("charge_fee", 1, 50),
            ("repay", 1, 30),
            ("pass_days", 1, 50),
            ("fail", 0, 50),
            ("revert_newest", 0, 50),
            ("pass_days", 1, 50),
        ],
    ),
    "a fee after a row that billed nothing": (
        QUIET,
        [("pass_months", 9, 50), ("charge_fee", 1, 50), ("pass_months", 9, 50)],
    ),
    "a late failure after a closing by hand": (
        LINE,
        [("repay", 6, 50), ("close", 0, 60), ("fail_late", 0, 0)],
    ),
    "a chargeback after the last row of a loan that was written off": (
        TERM,
        [
            ("repay", 0, 50),
            ("close", 0, 50),
            *[("pass_months", 9, 50)] * 2,
            ("charge_back", 0, 0),
        ],
    ),
    "a chargeback that shows arrears and default at once": (
        replace(TERM, default_tolerance=20, default_fees=(DEFAULTED,)),
        [("repay", 6, 50), *[("pass_months", 9, 50)] * 2, ("charge_back", 0, 0)],
    ),
    "the chargeback of a fee on a loan that was settled": (
        TERM,
        [("charge_fee", 1, 1), ("repay", 5, 50), ("repay", 6, 50), ("charge_back", 1, 0)],
    ),
    "a disbursement that waited while the history was told anew": (
        replace(LINE, kind="revolving_credit", statement_day=5),
        [
            ("repay", 1, 32),
            ("disburse", 48, 55),
            ("fail", 6, 87),
            ("pass_days", 3, 24),
            ("apply_disbursement", 26, 86),
            ("look_back", 0, 28),
            ("look_back", 1, 28),
        ],
    ),
    "money that came on a closed loan, was refunded, and then was charged back": (
        replace(LINE, kind="revolving_credit", statement_day=5),
        [
            ("pass_days", 3, 9),
            ("change_mandate", 0, 94),
            ("repay", 6, 89),
            ("close", 1, 60),
            ("charge_back", 0, 74),
            ("repay", 0, 89),
            ("cancel_chargeback", 0, 26),
            ("charge_back", 0, 46),
        ],
    ),
    "money that came between a chargeback and its cancelling": (
        TERM,
        [("repay", 6, 50), ("charge_back", 0, 0), ("repay", 0, 50), ("cancel_chargeback", 0, 0)],
    ),
    "a confirmation in place, seen from a later day": (
        TERM,
        [("repay", 0, 50), ("pass_days", 0, 0), ("look_back", 0, 0)],
    ),
}


COLLIDING = [
    ("repay", 41, 9), ("fail_late", 30, 64), ("repay", 24, 82), ("change_mandate", 12, 58),
    ("charge_back", 45, 23), ("fail_disbursement", 44, 53), ("apply_disbursement", 52, 19),
    ("repay", 36, 99), ("retry", 43, 51), ("pass_days", 52, 66), ("confirm", 49, 28),
    ("repay", 42, 75), ("repay", 18, 71), ("charge_back", 41, 66),
]  # fmt: skip


@pytest.mark.parametrize("title", ONCE)
def test_lives_that_once_went_wrong(title: str) -> None:
    agreed, steps = ONCE[title]
    lives = Lives()
    try:
        lives.opens(agreed=agreed, start=date(2024, 2, 29), small=False, amount=50)
        for what, pick, share in steps:
            lives.step(what=what, pick=pick, share=share)
    finally:
        lives.teardown()


def test_a_chargeback_of_what_has_the_number_of_another_entry_when_it_is_told_anew() -> None:
    """What follows from the facts is numbered anew by a telling, and may meet a fact's number."""
    agreed = terms(
        amount=Decimal(100000), rate=Decimal("3.9"), installments=36,
        early_repayment_recalculation="from_last_instalment",
        repayment_allocation=("principal", "fee", "interest"),
        repayment_date_type="first_day_of_month", repayment_date_period=12,
    )  # fmt: skip
    lives = Lives()
    try:
        lives.opens(agreed=agreed, start=date(2028, 2, 27), small=True, amount=11)
        for what, pick, share in COLLIDING:
            lives.step(what=what, pick=pick, share=share)
    finally:
        lives.teardown()


class TestLives(Lives.TestCase):  # type: ignore[name-defined,misc]
    """A few of them."""

    settings = settings(QUIETLY, max_examples=8)


@pytest.mark.slow
class TestManyLives(Lives.TestCase):  # type: ignore[name-defined,misc]
    """Thousands of steps."""

    settings = settings(QUIETLY, max_examples=120, stateful_step_count=50)
