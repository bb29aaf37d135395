"""Statements of revolving credit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Closing
from chalicelib.domain.statements import Statement, as_issued, statement
from tests.domain.lives import Life
from tests.rules.plain import D, lasts, latest, on, revolving, shown
from tests.rules.rule import rule

ISSUED = (
    "On `statement_day` (the month's last day where shorter) the period that ended the day before "
    "is closed: `opening_balance`, transactions effective in it, `closing_balance`; "
    "`minimum_repayment` = min(closing balance, max(floor, (percentage × closing principal) + "
    "interest + fee)); `due_date` = the next repayment date after the statement."
)


def issued(life: Life) -> list[Statement]:
    """The loan's statements, the oldest first."""
    closings: list[Closing] = [one for batch in life.batches for one in batch.closings]
    listed = life.transactions()
    return [
        as_issued(statement(life.terms, one, listed), life.account, life.day)
        for one in sorted(closings, key=lambda one: one.number)
    ]


@rule(
    ISSUED,
    {
        "the 1st": ("01-15", 1, "03-31", "01-15..01-31 02-01..02-28"),
        "on the day itself": ("01-15", 1, "04-01", "01-15..01-31 02-01..02-28 03-01..03-31"),
        "the 15th": ("01-20", 15, "03-20", "01-20..02-14 02-15..03-14"),
        "disbursed on that day": ("01-15", 15, "03-14", "01-15..02-14"),
        "31: the month's last day": ("01-15", 31, "04-30",
                                     "01-15..01-30 01-31..02-27 02-28..03-30 03-31..04-29"),
        "30": ("01-15", 30, "03-30", "01-15..01-29 01-30..02-27 02-28..03-29"),
        "none yet": ("01-15", 1, "01-31", ""),
    },
    part="On `statement_day` (the month's last day where shorter) the period that ended the day "
    "before is closed",
)  # fmt: skip
def test_periods(start: str, day: int, until: str, periods: str) -> None:
    life = revolving(on(start), statement_day=day).goes_to(on(until))
    found = [f"{one.period_start:%m-%d}..{one.period_end:%m-%d}" for one in issued(life)]
    assert " ".join(found) == periods
    assert [one.number for one in issued(life)] == list(range(1, len(found) + 1))


@rule(
    ISSUED,
    {
        "29 February": ("2024-01-31", 31, "2024-03-01", "2024-01-31..2024-02-28"),
        "over the year": ("2023-12-10", 5, "2024-01-05", "2023-12-10..2024-01-04"),
    },
    part="(the month's last day where shorter)",
)
def test_leap_year(start: str, day: int, until: str, periods: str) -> None:
    life = revolving(on(start), statement_day=day).goes_to(on(until))
    assert [f"{one.period_start}..{one.period_end}" for one in issued(life)] == [periods]


def _fee_and_repayment() -> Life:
    """20 January: a fee of 9.00; 10 February: 100 repaid, of which 26 + 9 interest and fee."""
    life = revolving().goes_to(on("01-20")).fee("9").goes_to(on("02-10"))
    life.repays("100")
    return life


@rule(
    ISSUED,
    {
        # 1.00 a night; 16 of them end by 31 January, 28 more by 28 February
        "first": (revolving, 1, "0.00 3666.00 3650.00 16.00 0.00", 17),
        "second": (revolving, 2, "3666.00 3694.00 3650.00 44.00 0.00", 28),
        "with a fee": (_fee_and_repayment, 1, "0.00 3675.00 3650.00 16.00 9.00", 18),
        # 65.00 of principal repaid: 18 nights of 0.9821917808
        "with a repayment": (_fee_and_repayment, 2, "3675.00 3602.68 3585.00 17.68 0.00", 29),
    },
    part="`opening_balance`, transactions effective in it, `closing_balance`",
)
def test_contents(story: Callable[[], Life], number: int, figures: str, listed: int) -> None:
    life = story().goes_to(on("03-01"))
    one = issued(life)[number - 1]
    found = (one.opening_balance, one.closing_balance, one.principal, one.interest, one.fee)
    assert " ".join(shown(*found)) == figures
    by_id = {item.id: item for item in life.transactions()}
    days = [by_id[name].effective_date for name in one.transactions]
    assert len(days) == listed
    assert one.period_start <= min(days) and max(days) <= one.period_end


@rule(
    ISSUED,
    {
        # 3,650 and 16.00 of interest on 31 January
        "5 %: 182.50 + 16": ("3650", "5", "20", "0", "198.50"),
        "with a fee of 9.00": ("3650", "5", "20", "9", "207.50"),
        "the floor": ("3650", "0", "20", "0", "20.00"),
        "exactly the floor": ("3650", "0", "16", "0", "16.00"),
        "no floor, no percentage": ("3650", "0", "0", "0", "16.00"),
        "100 %": ("3650", "100", "20", "0", "3666.00"),
        # 10.00 and 16 nights of 0.0027397260: 10.0438356160 is all there is
        "less than the floor is owed": ("10", "5", "20", "0", "10.04"),
        # 36.50, 16 x 0.01: 1.825 + 0.16 = 1.985
        "half a penny": ("36.50", "5", "0", "0", "1.99"),
        "the floor is more than that": ("36.50", "5", "20", "0", "20.00"),
    },
    part="`minimum_repayment` = min(closing balance, max(floor, (percentage × closing principal) + "
    "interest + fee))",
)
def test_minimum(drawn: str, percentage: str, floor: str, fee: str, minimum: str) -> None:
    life = revolving(
        drawn=drawn,
        minimum_repayment_percentage=D(percentage),
        minimum_repayment_amount=D(floor),
    )
    if D(fee):
        life.goes_to(on("01-20")).fee(fee)
    (one,) = issued(life.goes_to(on("02-01")))
    assert str(one.minimum_repayment) == minimum


BEFORE = {"repayment_holiday_scheduling": "last_business_day_before_the_day"}


@rule(
    ISSUED,
    {
        "the 15th": (1, {}, "02-01", "2023-02-15"),
        "the next month": (20, {}, "02-20", "2023-03-15"),
        "a statement on that very day": (15, {}, "02-15", "2023-03-15"),
        "the day after it": (14, {}, "02-14", "2023-02-15"),
        # 15 April 2023 is a Saturday
        "moved before": (1, BEFORE, "04-01", "2023-04-14"),
        "a statement on the moved day": (14, BEFORE, "04-14", "2023-05-15"),
        # 30 April is a Sunday
        "last business day": (1, {"repayment_date_type": "last_day_of_month"}, "04-01",
                              "2023-04-28"),
        "first business day": (1, {"repayment_date_type": "first_day_of_month"}, "04-01",
                               "2023-04-03"),
    },
    part="`due_date` = the next repayment date after the statement",
)  # fmt: skip
def test_due_date(day: int, given: dict[str, object], closed: str, due: str) -> None:
    life = revolving(statement_day=day, **given).goes_to(on(closed))
    assert str(issued(life)[-1].due_date) == due


COUNT = "Repayments between statement and due date count."


@rule(
    COUNT,
    {
        # 198.50 are asked for on 1 February, by the 15th
        "nothing": ([], "0.00", "missed", "late"),
        "on the statement day": ([("02-01", "198.50")], "198.50", "paid", "active"),
        "in between": ([("02-10", "198.50")], "198.50", "paid", "active"),
        "on the due date": ([("02-15", "198.50")], "198.50", "paid", "active"),
        "in two parts": ([("02-05", "100"), ("02-14", "98.50")], "198.50", "paid", "active"),
        "a penny less": ([("02-10", "198.49")], "198.49", "missed", "late"),
        "more": ([("02-10", "1000")], "198.50", "paid", "active"),
        "all": ([("02-10", "3676")], "198.50", "paid", "active"),
        # before it: 3,650 - 185 + 0.95 on the 31st of January, 5 % of 3,465 + 0.95 = 174.20
        "the day before": ([("01-30", "200")], "0.00", "missed", "late"),
    },
)
def test_what_counts(repaid: list[tuple[str, str]], counted: str, status: str, loan: str) -> None:
    life = revolving()
    for day, amount in repaid:
        life.goes_to(on(day)).repays(amount)
    life.goes_to(on("02-16"))
    one = issued(life)[0]
    assert (shown(one.repaid), one.status, life.account.status) == ((counted,), status, loan)


@rule(
    COUNT,
    {
        "open until then": ("02-14", "open"),
        "on the due date": ("02-15", "open"),
        "missed": ("02-16", "missed"),
    },
    part="due date",
)
def test_standing(day: str, status: str) -> None:
    life = revolving().goes_to(on(day))
    assert issued(life)[0].status == status


@rule(
    "Revolving credit: late when a statement's minimum is not repaid by its due date.",
    {
        "on the due date": ("02-15", None, "active", 0),
        "a day later": ("02-16", None, "late", 1),
        "8 days later": ("02-23", None, "arrears", 8),
        "repaid late": ("02-20", "198.50", "active", 0),
        "repaid in part": ("02-20", "198.49", "late", 5),
        "nothing drawn": ("03-20", "0", "active", 0),
    },
)
def test_late(day: str, repaid: str | None, status: str, days: int) -> None:
    life = revolving(drawn="0" if repaid == "0" else "3650").goes_to(on(day))
    if repaid == "0":
        assert life.account.status == "inactive"
        return
    if repaid:
        life.repays(repaid)
    view = life.view()
    assert (view.account.status, view.days_past_due) == (status, days)


STAYS = "A closed statement's transactions cannot be reverted (`409 statement_closed`)."


@rule(
    STAYS,
    {
        # statements close January on 1 February and February on 1 March
        "a repayment of January, in January": ("repayment", "01-20", "01-31", True),
        "a repayment of January, on the statement day": ("repayment", "01-20", "02-01", False),
        "a repayment of January, later": ("repayment", "01-20", "02-20", False),
        "a repayment of the last day": ("repayment", "01-31", "02-01", False),
        "a repayment of the statement day": ("repayment", "02-01", "02-20", True),
        "a night of January": ("interest", "01-31", "02-20", False),
        "a night of February": ("interest", "02-02", "02-20", True),
        "the disbursement": ("disbursement", "01-15", "02-01", False),
    },
)
def test_statement_closed(kind: str, day: str, today: str, taken: bool) -> None:
    life = revolving().goes_to(on(min(day, "02-01") if kind == "repayment" else "01-15"))
    if kind == "repayment":
        life.repays("100")
    life.goes_to(on(today))
    target = next(one for one in life.of(kind) if one.effective_date == on(day))
    if taken:
        life.reverts(target)
        assert latest(life, target).status == "reverted"
        return
    with pytest.raises(Refused) as refused:
        life.reverts(target)
    assert refused.value.code == "statement_closed"


@rule(
    "Refused if it or any later one is pending (`409 transaction_pending`), or belongs to a closed "
    "statement.",
    {"a day before": ("01-31", True), "on the statement day": ("02-01", False)},
    part="or belongs to a closed statement",
)
def test_refused(today: str, taken: bool) -> None:
    life = lasts(revolving(), 3).fee("5").goes_to(on(today))
    if taken:
        life.reverts(life.of("fee")[0])
        return
    with pytest.raises(Refused) as refused:
        life.reverts(life.of("fee")[0])
    assert refused.value.code == "statement_closed"


@rule(
    "A partner may give a past `effective_date` (not before the disbursement or a closed "
    "statement; in the future: `400`): the same recalculation.",
    {
        "in the open period": ("02-05", True),
        "its first day": ("02-01", True),
        "the last day that is closed": ("01-31", False),
    },
    part="or a closed statement",
)
def test_not_before_a_closed_statement(effective: str, taken: bool) -> None:
    life = revolving().goes_to(on("02-10"))
    if taken:
        assert life.repays_as_of("10", on(effective)).effective_date == on(effective)
        return
    with pytest.raises(Refused) as refused:
        life.repays_as_of("10", on(effective))
    assert refused.value.code == "statement_closed"
