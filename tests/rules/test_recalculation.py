"""Recalculation: a repayment that failed, and one that is dated back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain import loans
from chalicelib.domain.errors import Invalid
from chalicelib.domain.ledger import Transaction
from tests.domain.lives import Life
from tests.rules.plain import balances, bills, fee, latest, line, on, plain, shown, split
from tests.rules.rule import rule

FAILS = (
    "If one fails, everything since its effective date is recalculated as if it had never been: "
    "interest transactions that change are marked `reverted` and made anew, the split of later "
    "repayments follows, and so do fees of events and status dates; ids, provider ids, the trail "
    "of old values and webhooks already sent stay."
)


def _waiting(day: str, amount: str, **agreed: object) -> tuple[Life, Transaction]:
    """The plain loan with a repayment on its way since ``day``."""
    life = plain(**agreed).goes_to(on(day))
    return life, life.repays(amount, confirmed=False)


@rule(
    FAILS,
    {
        # 10.00 a night from the first on, whatever had been repaid
        "five nights later": ("01-20", "3700", "01-25", "36500.00 100.00 0.00"),
        "on the same day": ("01-20", "3700", "01-20", "36500.00 50.00 0.00"),
        "the next day": ("01-20", "18300", "01-21", "36500.00 60.00 0.00"),
        "past a due date": ("02-15", "7610", "03-01", "36500.00 450.00 0.00"),
        "what settled the loan": ("01-20", "36550", "01-30", "36500.00 150.00 0.00"),
        "what waited in overpayment": ("02-10", "7610", "02-20", "36500.00 360.00 0.00"),
    },
    part="everything since its effective date is recalculated as if it had never been",
)
def test_as_if_it_had_never_been(day: str, amount: str, failed: str, owed: str) -> None:
    life, waiting = _waiting(day, amount)
    life.goes_to(on(failed)).fails(latest(life, waiting))
    assert balances(life) == owed
    assert (life.account.overpayment, life.account.status) == (
        0, "late" if failed == "02-20" else "arrears" if failed == "03-01" else "active"
    )  # fmt: skip
    assert latest(life, waiting).status == "failed"


@rule(
    FAILS,
    {
        # 3,650 of principal repaid: the nights were 9.00 and become 10.00
        "five nights": ("3700", "01-25", 5, {"9.00"}, {"10.00"}),
        "none yet": ("3700", "01-20", 0, set(), set()),
        # interest alone: the principal, and so the nights, stay what they were
        "nights that do not change": ("50", "01-25", 0, set(), set()),
        # settled: there were no nights at all
        "nights that had not been": ("36550", "01-25", 0, set(), {"10.00"}),
    },
    part="interest transactions that change are marked `reverted` and made anew",
)
def test_nights_made_anew(
    amount: str, failed: str, reverted: int, before: set[str], after: set[str]
) -> None:
    life, waiting = _waiting("01-20", amount)
    old = {item.id for item in life.goes_to(on(failed)).of("interest")}
    life.fails(latest(life, waiting))
    nights = life.of("interest")
    gone = [item for item in nights if item.status == "reverted"]
    made = [item for item in nights if item.id not in old]
    assert len(gone) == reverted
    assert {shown(item.amount)[0] for item in gone} == before
    assert {shown(item.amount)[0] for item in made} == after
    assert {item.effective_date for item in gone} <= {item.effective_date for item in made}
    assert {item.reverted_by for item in gone} <= {waiting.id}


@rule(
    FAILS,
    {
        # on the 25th 5 x 9.00 had been owed; without the first 10 x 10.00
        "more goes to interest": ("100", "55.00 45.00 0.00 0.00", "0.00 100.00 0.00 0.00"),
        "part of the interest": ("40", "0.00 40.00 0.00 0.00", "0.00 40.00 0.00 0.00"),
        "both": ("3750", "3705.00 45.00 0.00 0.00", "3650.00 100.00 0.00 0.00"),
    },
    part="the split of later repayments follows",
)
def test_later_splits(amount: str, before: str, after: str) -> None:
    life, waiting = _waiting("01-20", "3700")
    later = life.goes_to(on("01-25")).repays(amount)
    assert split(later) == before
    life.goes_to(on("02-01")).fails(latest(life, waiting))
    now = latest(life, later)
    assert (split(now), now.status, now.effective_date) == (after, "applied", on("01-25"))


@rule(
    FAILS,
    {
        # due on the 15th; past it by more than 7 days on the 23rd
        "late since then": ("02-20", "late", "2023-02-16", None, []),
        "in arrears since then": ("03-01", "arrears", "2023-02-16", "2023-02-23", ["02-23 15.00"]),
        "on the due date itself": ("02-15", "active", None, None, []),
        "the next day": ("02-16", "late", "2023-02-16", None, []),
    },
    part="and so do fees of events and status dates",
)
def test_status_dates_follow(
    failed: str, status: str, late: str | None, arrears: str | None, fees: list[str]
) -> None:
    life, waiting = _waiting("02-15", "7610", default_fees=(fee("15", "arrears"),))
    life.goes_to(on(failed)).fails(latest(life, waiting))
    account = life.account
    since = [str(day) if day else None for day in (account.late_since, account.arrears_since)]
    assert (account.status, *since) == (status, late, arrears)
    assert [f"{item.effective_date:%m-%d} {item.amount:.2f}" for item in life.of("fee")] == fees


@rule(
    FAILS,
    {
        # 5,260 on 10 February: 260 of interest, 5,000 of the row's principal, so that 31,500 bear
        # 8.6301369863 a night: on the 23rd 13 of those are owed on top, 31,612.19 in all.
        # Without it 36,500 + 39 x 10.00
        "1 % of what is owed": ("5260", "1", "316.12", "368.90"),
        "10 % of what is owed": ("5260", "10", "3161.22", "3689.00"),
        # 1,260: 1,000 of principal, 35,500 at 9.7260273973 a night: 35,626.44
        "less was repaid": ("1260", "1", "356.26", "368.90"),
    },
    part="fees of events",
)
def test_percent_fee_follows(amount: str, percent: str, before: str, after: str) -> None:
    fees = (fee(percent, "arrears", "percent"),)
    life, waiting = _waiting("02-10", amount, default_fees=fees)
    life.goes_to(on("03-01"))
    assert [shown(item.amount)[0] for item in life.of("fee")] == [before]
    life.fails(latest(life, waiting))
    found = {item.status: shown(item.amount)[0] for item in life.of("fee")}
    assert found == {"reverted": before, "applied": after}


def facts(life: Life) -> dict[str, tuple[object, ...]]:
    """What a transaction says whatever becomes of it, by its id."""
    return {t.id: (t.type, t.amount, t.effective_date) for t in life.transactions()}


@rule(
    FAILS,
    {"five nights": "01-25", "past a due date": "03-01", "at once": "01-20"},
    part="ids, provider ids, the trail of old values and webhooks already sent stay",
)
def test_what_stays(failed: str) -> None:
    (day,) = failed if isinstance(failed, tuple) else (failed,)
    life, waiting = _waiting("01-20", "3700")
    life.goes_to(on(day))
    before = {
        item.id: (item.type, item.amount, item.effective_date) for item in life.transactions()
    }
    told = list(life.events)
    life.fails(latest(life, waiting))
    assert before.items() <= facts(life).items()
    assert life.events[: len(told)] == told
    assert life.replaced, "the telling that was true until now is kept"


BACKDATED = (
    "A partner may give a past `effective_date` (not before the disbursement or a closed "
    "statement; in the future: `400`): the same recalculation."
)


@rule(
    BACKDATED,
    {
        "yesterday": ("01-24", True),
        "the day of disbursement": ("01-15", True),
        "today": ("01-25", True),
        "the day before the disbursement": ("01-14", False),
        "tomorrow": ("01-26", False),
        "a year ago": ("2022-01-25", False),
    },
    part="not before the disbursement or a closed statement; in the future: `400`",
)
def test_dates_that_are_taken(effective: str, taken: bool) -> None:
    life = plain().goes_to(on("01-25"))
    if taken:
        assert life.repays_as_of("10", on(effective)).effective_date == on(effective)
        return
    with pytest.raises(Invalid) as refused:
        life.repays_as_of("10", on(effective))
    assert refused.value.flaws[0].field == "effective_date"


def _in_arrears() -> Life:
    return plain().goes_to(on("03-01"))


@rule(
    BACKDATED,
    {
        # on the 20th 50.00 were owed; 5 nights of 9.00 since
        "3,650 of principal": (plain, "01-25", "3700", "01-20", "32850.00 45.00 0.00", "active"),
        # at the disbursement nothing was owed but principal: ten nights of 9.00
        "on the first day": (plain, "01-25", "3650", "01-15", "32850.00 90.00 0.00", "active"),
        # row 1 paid on its date, 14 nights of 8.00 since
        "what was due": (_in_arrears, "03-01", "7610", "02-15", "29200.00 112.00 0.00", "active"),
        # a day late: 16 February, 320 owed, of which 310 are billed; the rest is early
        "what was due, a day late": (
            _in_arrears, "03-01", "7610", "02-16", "29200.00 114.00 0.00", "active",
        ),
        # 1.00 a night; 10.00 owed and 365 of principal on the 25th, then ten nights of 0.90
        "a line of credit": (line, "02-04", "375", "01-25", "3285.00 9.00 0.00", "active"),
    },
    part="the same recalculation",
)  # fmt: skip
def test_dated_back(
    story: Callable[[], Life], day: str, amount: str, effective: str, owed: str, status: str
) -> None:
    life = story().goes_to(on(day))
    made = life.repays_as_of(amount, on(effective))
    assert (made.status, balances(life), life.account.status) == ("pending", owed, status)
    life.tells(loans.apply_repayment, made)
    assert balances(life) == owed
    assert bills(life) == []
