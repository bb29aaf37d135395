"""Interest."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain import disbursing, loans
from tests.domain.lives import Life, terms
from tests.rules.plain import D, agreed, balances, lasts, line, on, plain, shown
from tests.rules.rule import rule

EACH_NIGHT = (
    "For each night a loan is open with interest enabled (`active`, `late`, `arrears`, "
    "`default`): principal × rate / 100 / 365 — actual days over 365, leap years too."
)


@rule(
    EACH_NIGHT,
    {
        "one night of 36,500 at 10 %": ("36500", "10", "2023-01-15", "2023-01-16", "10.00"),
        "a year": ("36500", "10", "2023-01-15", "2024-01-15", "3650.00"),
        "a leap year has one night more": ("36500", "10", "2024-01-15", "2025-01-15", "3660.00"),
        "over 29 February": ("36500", "10", "2024-02-28", "2024-03-01", "20.00"),
        "not over it": ("36500", "10", "2023-02-28", "2023-03-01", "10.00"),
        "1,440 x 31 / 365": ("12000", "12", "2018-02-09", "2018-03-12", "122.30"),
        "a penny at 365 %": ("0.01", "365", "2023-01-15", "2023-01-16", "0.00"),
        "half a penny shows": ("0.50", "365", "2023-01-15", "2023-01-16", "0.01"),
        "zero rate": ("36500", "0", "2023-01-15", "2024-01-15", "0.00"),
    },
    part="principal × rate / 100 / 365 — actual days over 365, leap years too",
)
def test_a_night(principal: str, rate: str, start: str, end: str, interest: str) -> None:
    life = line(on(start), principal, amount=D(principal), rate=D(rate)).goes_to(on(end))
    assert shown(life.account.interest) == (interest,)


def _made(command: str) -> Callable[[], Life]:
    def story() -> Life:
        life = lasts(plain(), 5)
        life.tells(loans.set_status, command)
        return life

    return story


def _inactive() -> Life:
    return Life(terms(**agreed()), on("01-15"))


def _asked_only() -> Life:
    life = _inactive()
    life.tells(disbursing.disburse, D(36500), loans.Asked())
    return life


def _cancelled() -> Life:
    life = _inactive()
    life.tells(loans.cancel)
    return life


def _written_off() -> Life:
    life = lasts(plain(), 5)
    life.tells(loans.close, "gone", "written_off")
    return life


@rule(
    EACH_NIGHT,
    {
        "active": (lambda: lasts(plain(), 5), "active", "10.00"),
        "late": (lambda: lasts(plain(), 32), "late", "10.00"),
        "arrears": (_made("make_arrears"), "arrears", "10.00"),
        "default": (_made("make_default"), "default", "10.00"),
        "inactive": (_inactive, "inactive", "0.00"),
        "inactive, money asked for": (_asked_only, "inactive", "0.00"),
        "cancelled": (_cancelled, "cancelled", "0.00"),
        "closed": (_written_off, "closed", "0.00"),
    },
    part="a loan is open with interest enabled (`active`, `late`, `arrears`, `default`)",
)
def test_while_it_is_open(story: Callable[[], Life], status: str, night: str) -> None:
    life = story()
    assert life.account.status == status
    before = life.account.interest
    assert shown(lasts(life, 1).account.interest - before) == (night,)


@rule(
    "The night from D−1 to D is charged on the principal at the end of D−1 and is a transaction "
    "`interest` effective on D.",
    {
        # 3,650 at 10 % is 1.00 a night; on the 18th 3.00 of interest and 365.00 of principal are
        # repaid, or 1,825.00 drawn: from the night after that it is 0.90, or 1.50
        "repaid on the 18th": ("368", None, "16 1.00, 17 1.00, 18 1.00, 19 0.90, 20 0.90"),
        "drawn on the 18th": (None, "1825", "16 1.00, 17 1.00, 18 1.00, 19 1.50, 20 1.50"),
        "both": ("368", "1825", "16 1.00, 17 1.00, 18 1.00, 19 1.40, 20 1.40"),
        "neither": (None, None, "16 1.00, 17 1.00, 18 1.00, 19 1.00, 20 1.00"),
    },
)
def test_the_principal_of_the_day_before(
    repaid: str | None, drawn: str | None, nights: str
) -> None:
    life = line(amount=D(10000)).goes_to(on("01-18"))
    if repaid:
        life.repays(repaid)
    if drawn:
        life.disburses(drawn)
    found = life.goes_to(on("01-20")).of("interest")
    assert ", ".join(f"{t.effective_date.day} {t.amount:.2f}" for t in reversed(found)) == nights
    assert {(t.status, t.origin) for t in found} == {("applied", "system")}


@rule(
    "The day of disbursement therefore accrues, the day of repayment does not.",
    {
        "repaid on the day": ("2023-01-15", "2023-01-15", "0.00"),
        "repaid the day after": ("2023-01-15", "2023-01-16", "1.00"),
        "a month later": ("2023-01-15", "2023-02-15", "31.00"),
        "over 29 February": ("2024-02-28", "2024-03-01", "2.00"),
    },
)
def test_first_and_last_day(disbursed: str, repaid: str, interest: str) -> None:
    life = line(on(disbursed)).goes_to(on(repaid))
    life.repays(life.account.balances.total)
    later = lasts(life, 3)
    assert shown(sum((t.amount for t in later.of("interest")), D(0))) == (interest,)
    assert balances(later) == "0.00 0.00 0.00"


@rule(
    "Interest never bears interest.",
    {
        # always 1.00 a night, whatever is owed besides the principal
        "a year": (365, "0", "365.00"),
        "three years": (1096, "0", "1096.00"),
        "nor do fees": (100, "5000", "100.00"),
    },
)
def test_simple_interest(nights: int, charged: str, interest: str) -> None:
    life = line()
    if D(charged):
        life.fee(charged)
    assert shown(lasts(life, nights, daily=False).view().account.interest) == (interest,)


@rule(
    "With `calculate_interest_on_holidays` false, a night that begins on a public holiday is free.",
    {
        # Good Friday is 7 April 2023, Easter Monday the 10th
        "begins on Good Friday": ("2023-04-07", "2023-04-08", False, "0.00"),
        "ends on Good Friday": ("2023-04-06", "2023-04-07", False, "1.00"),
        "Saturday is no public holiday": ("2023-04-08", "2023-04-09", False, "1.00"),
        "begins on Easter Monday": ("2023-04-10", "2023-04-11", False, "0.00"),
        "all of Easter": ("2023-04-06", "2023-04-11", False, "3.00"),
        "all of Easter, charged": ("2023-04-06", "2023-04-11", True, "5.00"),
        "Christmas and Boxing Day": ("2023-12-24", "2023-12-27", False, "1.00"),
        "New Year 2024": ("2023-12-31", "2024-01-02", False, "1.00"),
        "the substitute of a Sunday": ("2023-01-02", "2023-01-03", False, "0.00"),
        # 1 January, 29 March, 1 April, 6 and 27 May, 26 August, 25 and 26 December
        "2024: 366 nights less 8": ("2024-01-01", "2025-01-01", False, "358.00"),
    },
)
def test_holidays(start: str, end: str, charged: bool, interest: str) -> None:
    life = line(on(start), calculate_interest_on_holidays=charged).goes_to(on(end))
    assert shown(life.account.interest) == (interest,)


@rule(
    "Nights with interest disabled are never charged later.",
    {
        # stopped on D: the night from D on is the first that is free
        "three nights": ("01-20", "01-23", "01-25", "7.00"),
        "stopped and started on one day": ("01-20", "01-20", "01-25", "10.00"),
        "from the first day": ("01-15", "01-20", "01-25", "5.00"),
        "never started again": ("01-20", None, "06-30", "5.00"),
        "started on the last day": ("01-20", "01-25", "01-25", "5.00"),
    },
)
def test_disabled(stopped: str, started: str | None, until: str, interest: str) -> None:
    life = line().goes_to(on(stopped))
    life.tells(loans.set_interest, False)
    if started:
        life.goes_to(on(started)).tells(loans.set_interest, True)
    assert shown(life.goes_to(on(until)).account.interest) == (interest,)
