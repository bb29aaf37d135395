"""Apply, retry."""

from __future__ import annotations

import pytest

from chalicelib.domain import disbursing, loans, rebuild
from chalicelib.domain.errors import Invalid, Refused
from tests.domain.lives import Life, moment, terms
from tests.rules.plain import D, agreed, automatic, balances, latest, mandated, on, plain, retries
from tests.rules.rule import rule

APPLY = (
    '`apply` (with optional `{"effective_date"}`) confirms a pending disbursement or repayment by '
    "hand."
)


@rule(
    APPLY,
    {
        # asked for on 15 January, confirmed on the 20th
        "today": (None, "2023-01-20", "36500.00 0.00 0.00"),
        "said to be today": ("01-20", "2023-01-20", "36500.00 0.00 0.00"),
        "dated back": ("01-17", "2023-01-17", "36500.00 30.00 0.00"),
        "before it was asked for": ("01-10", "2023-01-10", "36500.00 100.00 0.00"),
        "in the future": ("01-21", None, ""),
    },
    part="confirms a pending disbursement",
)
def test_disbursement(effective: str | None, found: str | None, owed: str) -> None:
    life = Life(terms(**agreed()), on("01-15"))
    waiting = life.tells(disbursing.disburse, D(36500), loans.Asked()).transaction
    life.goes_to(on("01-20"))
    given = on(effective) if effective else None
    if found is None:
        with pytest.raises(Invalid):
            life.tells(disbursing.apply_disbursement, waiting, given)
        return
    done = life.tells(disbursing.apply_disbursement, waiting, given).transaction
    assert done is not None and waiting is not None and done.id == waiting.id
    assert (done.status, str(done.effective_date), balances(life)) == ("applied", found, owed)


@rule(
    APPLY,
    {
        # 3,650 of principal repaid on the 20th; it counted from then on
        "the same day": ("01-20", "32850.00 0.00 0.00"),
        "five days later": ("01-25", "32850.00 45.00 0.00"),
        "past a due date": ("02-20", "32850.00 279.00 0.00"),
    },
    part="or repayment by hand",
)
def test_repayment(confirmed: str, owed: str) -> None:
    life = plain().goes_to(on("01-20"))
    waiting = life.repays("3700", confirmed=False)
    life.goes_to(on(confirmed)).tells(loans.apply_repayment, latest(life, waiting))
    done = latest(life, waiting)
    assert (done.status, done.effective_date, balances(life)) == ("applied", on("01-20"), owed)
    with pytest.raises(Refused) as refused:
        life.tells(loans.apply_repayment, done)
    assert refused.value.code == "invalid_status"


@rule(
    APPLY,
    {
        # row 1, 7,610.00, is due on 15 February; applied by hand on the 20th
        "today": (None, "2023-02-20"),
        "the due date": ("02-15", "2023-02-15"),
        "the day of the disbursement": ("01-15", "2023-01-15"),
        "before the disbursement": ("01-14", None),
        "in the future": ("02-21", None),
    },
    part="or repayment by hand",
)
def test_automatic_repayment(effective: str | None, found: str | None) -> None:
    life = mandated(plain()).goes_to(on("02-20"))
    (waiting,) = automatic(life)
    day, given = moment(life.day), on(effective) if effective else None
    if found is None:
        with pytest.raises(Invalid) as refused:
            rebuild.confirm_by_hand(life._whole(), day, waiting, given)
        assert [flaw.field for flaw in refused.value.flaws] == ["effective_date"]
        return
    done = rebuild.confirm_by_hand(life._whole(), day, waiting, given).transaction
    assert done is not None
    assert (done.status, str(done.effective_date)) == ("applied", found)


RETRY = (
    "`retry` sends a failed one to its provider again: same transaction, a new provider attempt."
)


@rule(
    RETRY,
    {
        "an automatic one": (True, 1, "36500.00 330.00 0.00"),
        "an automatic one, twice": (True, 2, "36500.00 330.00 0.00"),
        # manual: it counts at once, from the day on which it is tried again
        "a manual one": (False, 1, "36500.00 230.00 0.00"),
        "a manual one, twice": (False, 2, "36500.00 230.00 0.00"),
    },
)
def test_retry(by_itself: bool, times: int, owed: str) -> None:
    life = mandated(plain()).goes_to(on("02-15"))
    item = automatic(life)[0] if by_itself else life.repays("100", confirmed=False)
    life.goes_to(on("02-17"))
    for _ in range(times):
        life.fails(latest(life, item))
        again = retries(life, item)
        assert again.id == item.id
    assert (again.status, again.attempt, again.amount) == ("pending", times + 1, item.amount)
    assert balances(life) == owed
    assert [one.id for one in life.of("repayment")].count(item.id) == 1


@rule(
    RETRY,
    {"pending": "pending", "applied": "applied", "reverted": "reverted"},
    part="a failed one",
)
def test_only_what_failed(status: str) -> None:
    life = plain().goes_to(on("01-20"))
    item = life.repays("100", confirmed=status != "pending")
    if status == "reverted":
        life.reverts(latest(life, item))
    assert latest(life, item).status == status
    with pytest.raises(Refused) as refused:
        retries(life, item)
    assert refused.value.code == "invalid_status"
