"""Disbursements."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain import disbursing, loans
from chalicelib.domain.errors import Refused
from tests.domain.lives import Life, terms
from tests.rules.plain import D, agreed, balances, fee, lasts, line, on, plain, shown
from tests.rules.rule import rule


def ask(life: Life, amount: str) -> Life:
    life.tells(disbursing.disburse, D(amount), loans.Asked())
    return life


@rule(
    "`pending` until confirmed (or applied by hand); the balance does not change, "
    "`pending_principal` does.",
    {
        "the first": ("0", ["100"], "0.00 0.00 0.00", "100.00"),
        "two at once": ("0", ["100", "250.50"], "0.00 0.00 0.00", "350.50"),
        "a further one": ("1000", ["100"], "1000.00 0.00 0.00", "100.00"),
        "a penny": ("1000", ["0.01"], "1000.00 0.00 0.00", "0.01"),
    },
)
def test_pending(drawn: str, asked: list[str], owed: str, pending: str) -> None:
    life = line(drawn=drawn)
    for amount in asked:
        ask(life, amount)
    waiting = [item for item in life.of("disbursement") if item.status == "pending"]
    assert len(waiting) == len(asked)
    assert (balances(life), shown(life.account.pending.principal)[0]) == (owed, pending)
    for item in waiting:
        life.tells(disbursing.apply_disbursement, item)
    assert life.account.pending.principal == 0
    assert shown(life.account.principal)[0] == f"{D(drawn) + sum(map(D, asked)):.2f}"


@rule(
    "Principal + pending disbursements + the new amount may never exceed the loan's `amount`, also "
    "under concurrent requests: `409 credit_limit_exceeded`.",
    {
        "exactly the limit": ("0", [], "3650", True),
        "a penny more": ("0", [], "3650.01", False),
        "principal + new": ("3000", [], "650.01", False),
        "principal + new, exactly": ("3000", [], "650", True),
        "principal + pending + new": ("3000", ["600"], "50.01", False),
        "principal + pending + new, exactly": ("3000", ["600"], "50", True),
        "pending alone": ("0", ["3650"], "0.01", False),
    },
)
def test_limit(drawn: str, pending: list[str], amount: str, taken: bool) -> None:
    life = line(drawn=drawn)
    for one in pending:
        ask(life, one)
    if taken:
        ask(life, amount)
        return
    with pytest.raises(Refused) as refused:
        ask(life, amount)
    assert refused.value.code == "credit_limit_exceeded"


@rule(
    "Principal + pending disbursements + the new amount may never exceed the loan's `amount`, also "
    "under concurrent requests: `409 credit_limit_exceeded`.",
    {
        # interest and fees do not count, what is repaid may be drawn again
        "interest and fees": ("0", "0.01", False),
        "365 repaid": ("405", "365", True),
        "365 repaid, a penny more": ("405", "365.01", False),
    },
    part="Principal",
)
def test_limit_is_of_principal(repaid: str, amount: str, taken: bool) -> None:
    life = lasts(line(), 30).fee("10")  # 3,650 + 30.00 + 10.00
    if D(repaid):
        life.repays(repaid)
    if taken:
        ask(life, amount)
        return
    with pytest.raises(Refused) as refused:
        ask(life, amount)
    assert refused.value.code == "credit_limit_exceeded"


@rule(
    "A term loan takes one.",
    {
        "half of the limit is left": ("18250", "100", True, "invalid_status"),
        "one is pending": ("18250", "100", False, "invalid_status"),
        "more than the limit": ("36500", "0.01", True, "credit_limit_exceeded"),
    },
)
def test_one(first: str, second: str, applied: bool, code: str) -> None:
    life = ask(Life(terms(**agreed()), on("01-15")), first)
    if applied:
        life.tells(disbursing.apply_disbursement, life.of("disbursement")[0])
    with pytest.raises(Refused) as refused:
        ask(life, second)
    assert refused.value.code == code


def _with(command: Callable[..., object], *given: object) -> Life:
    life = line(amount=D(10000))
    life.tells(command, *given)
    return life


def _cancelled() -> Life:
    life = line(drawn="0")
    life.tells(loans.cancel)
    return life


@rule(
    "Only on `inactive` and `active` loans.",
    {
        "inactive": (lambda: line(drawn="0"), None),
        "active": (lambda: line(amount=D(10000)), None),
        "late": (lambda: lasts(plain(amount=D(50000)), 32), "invalid_status"),
        "arrears": (lambda: _with(loans.set_status, "make_arrears"), "invalid_status"),
        "default": (lambda: _with(loans.set_status, "make_default"), "invalid_status"),
        "closed": (lambda: _with(loans.close, "gone", "written_off"), "loan_not_open"),
        "cancelled": (_cancelled, "loan_not_open"),
    },
)
def test_open_to_disbursements(story: Callable[[], Life], code: str | None) -> None:
    life = story()
    if code is None:
        assert ask(life, "10").account.pending.principal == 10
        return
    with pytest.raises(Refused) as refused:
        ask(life, "10")
    assert refused.value.code == code


FIRST = (
    "When the first is applied the loan becomes `active`, the schedule is laid from that date, and "
    "fees of event `disbursement` are charged."
)


@rule(
    FIRST,
    {
        "at once": ("01-15", "01-15", None, "2023-02-15 310.00", "0.00"),
        "two days later": ("01-15", "01-17", None, "2023-02-15 290.00", "0.00"),
        "in the next month": ("01-31", "02-01", None, "2023-03-15 420.00", "0.00"),
        # 15 January to 15 February; 12 nights have passed
        "dated back": ("01-15", "01-27", "01-15", "2023-02-15 310.00", "120.00"),
    },
    part="the schedule is laid from that date",
)
def test_laid_from_the_day(
    asked: str, applied: str, effective: str | None, row: str, interest: str
) -> None:
    life = ask(Life(terms(**agreed()), on(asked)), "36500")
    assert (life.account.status, life.schedule()) == ("inactive", [])
    waiting = life.goes_to(on(applied)).of("disbursement")[0]
    life.tells(disbursing.apply_disbursement, waiting, on(effective) if effective else None)
    first = life.schedule()[0]
    assert f"{first.due_date} {first.interest:.2f}" == row
    assert (life.account.status, shown(life.account.interest)[0]) == ("active", interest)


@rule(
    FIRST,
    {
        "flat": ((fee("99.50", "disbursement"),), ["99.50"]),
        "1.5 % of 36,500": ((fee("1.5", "disbursement", "percent"),), ["547.50"]),
        # the second on 36,500 + 100
        "one after the other": (
            (fee("100", "disbursement", name="A"), fee("1", "disbursement", "percent", "B")),
            ["100.00", "366.00"],
        ),
        "of other events": ((fee("5", "arrears"), fee("5", "default"), fee("5")), []),
        "none": ((), []),
    },
    part="fees of event `disbursement` are charged",
)
def test_disbursement_fees(fees: tuple[object, ...], charged: list[str]) -> None:
    life = plain(default_fees=fees)
    made = sorted(life.of("fee"), key=lambda item: item.seq)
    assert [shown(item.amount)[0] for item in made] == charged
    assert {str(item.effective_date) for item in made} <= {"2023-01-15"}


@rule(
    FIRST,
    {"a second": ("1000", 1), "a third": ("500", 2)},
    part="the first",
)
def test_only_the_first_charges_fees(amount: str, more: int) -> None:
    life = line(drawn="1000", default_fees=(fee("10", "disbursement"),))
    for _ in range(more):
        lasts(life, 3).disburses(amount)
    assert shown(life.account.fee) == ("10.00",)
