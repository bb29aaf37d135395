"""As of an earlier day: what was known then, whatever was learnt later."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import disbursing, known, loans
from chalicelib.domain.ledger import Batch
from chalicelib.domain.money import PENNY, pence
from tests.domain.lives import Life, moment, terms
from tests.domain.test_account_properties import START, agreements
from tests.domain.test_rebuild import act, happenings

SHOWN = ("balances", "overpayment", "status", "late_since", "arrears_since", "pending",
         "pending_count", "billed", "bases", "disbursed_on", "interest_enabled")  # fmt: skip


class Archive(Life):
    """A life that keeps every revision of its journal, as the store does."""

    def journal_of(self, day: date) -> list[Batch]:
        revision = known.revision_of(self.account, day)
        return known.journal_of(self.batches, self.replaced, revision)

    def shown(self) -> list[object]:
        account = self.view().account
        return [getattr(account, name) for name in SHOWN]

    def shown_as_of(self, day: date) -> list[object]:
        then = known.at_end_of(self.terms, self.account, self.journal_of(day), moment(day))
        return [getattr(then.account, name) for name in SHOWN]


def test_a_repayment_learnt_of_later_was_not_known_before() -> None:
    life = Archive(terms(), date(2018, 2, 9))
    life.disburses("12000").goes_to(date(2018, 3, 20))
    before = life.shown()
    life.goes_to(date(2018, 4, 2)).repays_as_of("3000", date(2018, 3, 1))
    assert life.shown_as_of(date(2018, 3, 20)) == before
    assert life.shown_as_of(date(2018, 4, 2)) == life.shown()


def test_what_was_pending_then_is_pending_as_of_then() -> None:
    life = Archive(terms(), date(2018, 2, 9))
    asked = life.tells(disbursing.disburse, Decimal(12000), loans.Asked())
    before = life.shown()
    life.goes_to(date(2018, 2, 12)).tells(disbursing.apply_disbursement, asked.transaction, None)
    assert life.shown_as_of(date(2018, 2, 11)) == before
    assert life.shown_as_of(date(2018, 2, 12)) == life.shown()


def test_a_closed_loan_was_open_before() -> None:
    life = Archive(terms(), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 2, 20))
    open_then = life.shown()  # type: ignore[attr-defined]
    life.goes_to(date(2018, 2, 21))
    life.repays(pence(life.account.balances.total))
    assert life.account.status == "closed"
    assert life.shown_as_of(date(2018, 2, 20)) == open_then  # type: ignore[attr-defined]
    life.goes_to(date(2018, 3, 20))
    assert life.shown_as_of(date(2018, 3, 1))[2] == "closed"  # type: ignore[attr-defined]


@settings(max_examples=80, deadline=None)
@given(agreements, happenings, st.booleans(), st.integers(5, 60))
def test_as_of_shows_what_was_shown(
    agreed: object, acts: list[tuple[str, int, int]], fails: bool, percent: int
) -> None:
    life = Archive(agreed, START)  # type: ignore[arg-type]
    life.disburses("10000")
    life.goes_to(START + timedelta(days=3))
    amount = max(PENNY, pence(life.account.balances.total * percent / 100))
    waiting = life.repays(amount, confirmed=False)
    seen: dict[date, list[object]] = {}
    for what, days, share in acts:
        if days:
            seen[life.day] = life.shown()
        life.goes_to(life.day + timedelta(days=days))
        paid = pence(life.account.balances.total * share / 100)
        if what != "part" or paid > 0:
            act(life, what, paid)
    if fails and life.account.status != "closed":
        seen[life.day] = life.shown()
        life.goes_to(life.day + timedelta(days=1)).fails(
            next(t for t in life.transactions() if t.id == waiting.id)
        )
    for day, shown in seen.items():
        assert life.shown_as_of(day) == shown, day
