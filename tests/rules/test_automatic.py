"""Automatic repayments: made by the day, they count when the provider confirms them."""

from __future__ import annotations

from chalicelib.domain.chargebacks import charge_back
from tests.domain.lives import Life
from tests.rules.plain import (
    D,
    arrives,
    automatic,
    balances,
    bills,
    lasts,
    latest,
    line,
    mandated,
    on,
    plain,
    retries,
    revolving,
    shown,
    split,
)
from tests.rules.rule import rule

CONFIRMS = (
    "**Automatic** repayments change the balances only when the provider confirms; until then "
    "their split shows in `pending_*`."
)


@rule(
    CONFIRMS,
    {
        "6 days before": ("02-09", "36500.00 250.00 0.00", "0.00 0.00 0.00"),
        "5 days before": ("02-10", "36500.00 260.00 0.00", "7300.00 310.00 0.00"),
        "on the due date": ("02-15", "36500.00 310.00 0.00", "7300.00 310.00 0.00"),
        "days later": ("02-18", "36500.00 340.00 0.00", "7300.00 310.00 0.00"),
    },
    part="until then their split shows in `pending_*`",
)
def test_until_then(day: str, owed: str, pending: str) -> None:
    life = mandated(plain()).goes_to(on(day))
    assert balances(life) == owed
    assert " ".join(shown(*life.account.pending)) == pending


@rule(
    CONFIRMS,
    {
        # charged on the 15th; 8.00 a night from then on
        "on that day": ("02-15", "29200.00 0.00 0.00"),
        "three days later": ("02-18", "29200.00 24.00 0.00"),
        "a month later": ("03-09", "29200.00 176.00 0.00"),
    },
    part="change the balances only when the provider confirms",
)
def test_confirmed(day: str, owed: str) -> None:
    life = mandated(plain()).goes_to(on(day))
    done = arrives(life, automatic(life)[0], on("02-15"))
    assert (done.status, balances(life)) == ("applied", owed)
    assert (life.account.pending, life.account.status) == ((0, 0, 0), "active")


DATED = (
    "Once confirmed they are effective on their charge date — a first attempt charged on the first "
    "Bacs day on or after the due date, on the due date — and the nights since are recalculated, "
    "so that a collection that went well pays exactly what was billed."
)


@rule(
    DATED,
    {
        # row 1, 7,610, is due 31 nights after 15 March: on Saturday 15 April 2023
        "Saturday: charged on Monday": ("03-15", 15, "04-17", "04-15"),
        "Saturday: charged on Tuesday": ("03-15", 15, "04-18", "04-18"),
        # Good Friday, 7 April; Easter Monday is no Bacs day either
        "Good Friday: charged on Tuesday": ("03-07", 7, "04-11", "04-07"),
        "Good Friday: charged on Wednesday": ("03-07", 7, "04-12", "04-12"),
        "a Wednesday: charged that day": ("01-15", 15, "02-15", "02-15"),
        "a Wednesday: charged the next": ("01-15", 15, "02-16", "02-16"),
    },
    part="effective on their charge date — a first attempt charged on the first Bacs day on or "
    "after the due date, on the due date",
)
def test_effective(start: str, day: int, charged: str, effective: str) -> None:
    life = mandated(plain(on(start), repayment_date_period=day)).goes_to(on(charged))
    lasts(life, 2)
    done = arrives(life, automatic(life)[0], on(charged))
    assert done.effective_date == on(effective)


@rule(
    DATED,
    {
        # on Wednesday 19 April: 4 nights of 8.00 since Saturday the 15th
        "first Bacs day": ("04-17", "7300.00 310.00 0.00 0.00", "29200.00 32.00 0.00"),
        # 3 nights of 10.00, then one of 8.00; the row is paid, the 30.00 stay owed
        "a day late": ("04-18", "7300.00 310.00 0.00 0.00", "29200.00 38.00 0.00"),
    },
    part="the nights since are recalculated, so that a collection that went well pays exactly what "
    "was billed",
)
def test_pays_what_was_billed(charged: str, paid: str, owed: str) -> None:
    life = mandated(plain(on("03-15"))).goes_to(on("04-19"))
    done = arrives(life, automatic(life)[0], on(charged))
    assert (split(done), balances(life), bills(life)) == (paid, owed, [])


@rule(
    DATED,
    {
        # fails, is tried again on the 17th, charged on the 20th
        "a second attempt": ("02-20", "02-20"),
        "a second attempt, a day later": ("02-21", "02-21"),
    },
    part="a first attempt",
)
def test_second_attempt(charged: str, effective: str) -> None:
    life = mandated(plain()).goes_to(on("02-17"))
    item = automatic(life)[0]
    life.fails(latest(life, item))
    again = retries(life, item)
    assert (again.id, again.status, again.attempt) == (item.id, "pending", 2)
    done = arrives(life.goes_to(on("02-22")), item, on(charged))
    assert done.effective_date == on(effective)


COVERED = (
    "A row covered by the first attempt of a pending automatic repayment does not make the loan "
    "late; when that fails, lateness counts from the due date, retries or not."
)


@rule(
    COVERED,
    {
        "on the due date": ("02-15", "active", 0),
        "the next day": ("02-16", "active", 0),
        "beyond the tolerance": ("02-28", "active", 0),
        # row 2 has an attempt of its own
        "row 2, too": ("03-16", "active", 0),
    },
    part="does not make the loan late",
)
def test_covered(day: str, status: str, days: int) -> None:
    view = mandated(plain()).goes_to(on(day)).view()
    assert (view.account.status, view.days_past_due) == (status, days)


@rule(
    COVERED,
    {
        # due on 15 February, in arrears from the 23rd on
        "on the due date": ("02-15", False, "active", 0, None, None),
        "the next day": ("02-16", False, "late", 1, "2023-02-16", None),
        "five days later": ("02-20", False, "late", 5, "2023-02-16", None),
        "beyond the tolerance": ("03-01", False, "arrears", 14, "2023-02-16", "2023-02-23"),
        "five days later, retried": ("02-20", True, "late", 5, "2023-02-16", None),
        "beyond, retried": ("03-01", True, "arrears", 14, "2023-02-16", "2023-02-23"),
    },
    part="when that fails, lateness counts from the due date, retries or not",
)
def test_failed(
    day: str, retried: bool, status: str, days: int, late: str | None, arrears: str | None
) -> None:
    life = mandated(plain()).goes_to(on(day))
    item = automatic(life)[0]
    life.fails(latest(life, item))
    if retried:
        retries(life, item)
    view = life.view()
    account = view.account
    since = [str(one) if one else None for one in (account.late_since, account.arrears_since)]
    assert (account.status, view.days_past_due, *since) == (status, days, late, arrears)


LEFT = (
    "One that arrives when less is owed than it brings leaves the rest in `overpayment`, which "
    "pays what falls due next."
)


@rule(
    LEFT,
    {
        # 7,610 on its way; on 12 February all but 100.00 of the 36,780 owed are repaid, of which
        # 30.00 wait for row 1: 130.00 of principal bear 0.0356164384 for 3 nights;
        # 7,610 - (130.1068493152 - 30.00) = 7,509.8931506848
        "100.11 owed": ("36680", "7509.89"),
        # 40.00 bear 0.0109589041: 7,610 - (40.0328767123 - 30.00)
        "10.03 owed": ("36770", "7599.97"),
    },
    part="leaves the rest in `overpayment`",
)
def test_more_than_is_owed(repaid: str, refunded: str) -> None:
    life = mandated(plain()).goes_to(on("02-12"))
    life.repays(repaid)
    life.goes_to(on("02-16"))
    arrives(life, automatic(life)[0], on("02-15"))
    assert (life.account.status, balances(life)) == ("closed", "0.00 0.00 0.00")
    assert shown(*(item.amount for item in life.of("refund"))) == (refunded,)
    assert all(item.amount for item in life.of("allocation"))


@rule(
    LEFT,
    {
        # the statement of 1 February asks for 5 % of 3,650 + 17.00 of interest up to 31 January
        # less the night of the 1st: 182.50 + 16.00; all is repaid by hand on the 10th
        "all of it is left": ("198.50", "198.50"),
    },
    part="which pays what falls due next",
)
def test_left_for_the_next(brought: str, left: str) -> None:
    life = mandated(revolving()).goes_to(on("02-10"))
    item = automatic(life)[0]
    assert shown(item.amount) == (brought,)
    mandated(life, usable=False)
    life.repays("3676")
    assert balances(life) == "0.00 0.00 0.00"
    arrives(life.goes_to(on("02-16")), item, on("02-15"))
    assert shown(life.account.overpayment) == (left,)
    # 1,460 drawn on 20 February are 0.40 a night; on 1 March 8 nights are closed: 73.00 + 3.20
    life.goes_to(on("02-20")).disburses("1460")
    assert lasts(life.goes_to(on("03-13")), 1).of("allocation") == []
    lasts(life, 1)  # due on 15 March
    (paid,) = lasts(life, 1).of("allocation")
    assert (paid.effective_date, *shown(paid.amount)) == (on("03-15"), "76.20")
    assert (shown(life.account.overpayment), life.account.status) == (("122.30",), "active")


@rule(
    LEFT,
    {
        # of 198.50 left, the statement of 1 March asks for 5 % of what is drawn and 8 nights of it
        "it is enough": ("1460", [], "0.00"),  # 73.00 + 3.20
        "to the penny": ("3803.28", [], "0.00"),  # 190.164 + 8.336
        "it is not": ("4380", ["30.10"], "30.10"),  # 219.00 + 9.60
    },
    part="which pays what falls due next",
)
def test_left_is_not_collected_again(drawn: str, collected: list[str], asked: str) -> None:
    life = mandated(revolving(amount=D(5000))).goes_to(on("02-10"))
    (item,) = automatic(life)
    life.repays("3676")
    arrives(life.goes_to(on("02-16")), item, on("02-15"))
    life.goes_to(on("02-20")).disburses(drawn)
    lasts(life.goes_to(on("03-09")), 1)
    assert shown(life.view().next_repayment_amount or D(0)) == (asked,)
    assert [*shown(*(one.amount for one in automatic(life)[1:]))] == collected
    arrived = [arrives(life.goes_to(on("03-16")), one, on("03-15")) for one in automatic(life)[1:]]
    assert len(arrived) == len(collected) and life.account.status == "active"
    assert life.goes_to(on("03-17")).account.minimums == ()


@rule(
    LEFT,
    {
        # all is repaid by hand, which is still pending when the collection of row 5 (7,362.00,
        # due on 15 June) arrives as well; a fee past the last row is due the day it arises
        "covers a fee": ("10", "active", "0.00", "7352.00", ["10.00"]),
        "all of it": ("7362", "active", "0.00", "0.00", ["7362.00"]),
        "not all of a fee": ("8000", "late", "638.00", "0.00", ["7362.00"]),
    },
    part="pays what falls due next",
)
def test_left_for_a_fee(
    charged: str, status: str, owed: str, left: str, allocated: list[str]
) -> None:
    life = mandated(plain())
    for day in ("02-15", "03-15", "04-17", "05-15"):
        life.goes_to(on(day))
        arrives(life, automatic(life)[-1], on(day))
    life.goes_to(on("06-12")).repays(life.view().account.balances.total, confirmed=False)
    life.goes_to(on("06-17"))
    arrives(life, automatic(life)[-1], on("06-15"))
    assert (shown(life.account.overpayment), life.account.status) == (("7362.00",), "active")
    life.fee(charged)
    assert [*shown(*(one.amount for one in life.of("allocation")))] == allocated
    account = life.view().account
    assert (account.status, *shown(account.balances.total, account.overpayment)) == (
        (status, owed, left)
    )
    assert ("loan_is_late" in life.events) == (status == "late")
    told = lasts(life, 2).retold()
    assert (told.balances, told.overpayment) == (account.balances, account.overpayment)


LINE = (
    "Line of credit: no due dates; it becomes late when a collected repayment fails or is charged "
    "back and until that much is repaid; `make_arrears` and `make_default` work as ever."
)


def _failed_on_line(amount: str) -> Life:
    life = lasts(mandated(line()), 5)
    waiting = life.repays(amount, confirmed=False)
    assert lasts(life, 3).account.status == "active"
    mandated(life, usable=False)
    return life.fails(latest(life, waiting))


@rule(
    LINE,
    {
        "it failed": ("500", [], "late"),
        "part of it repaid": ("500", ["499.99"], "late"),
        "that much repaid": ("500", ["500"], "active"),
        "in two parts": ("500", ["200", "300"], "active"),
        "more": ("500", ["600"], "active"),
        "a penny": ("0.01", ["0.01"], "active"),
    },
    part="it becomes late when a collected repayment fails or is charged back and until that much "
    "is repaid",
)
def test_line_of_credit(amount: str, repaid: list[str], status: str) -> None:
    life = _failed_on_line(amount)
    assert life.account.status == "late"
    for money in repaid:
        life.repays(D(money))
    assert life.account.status == status


@rule(
    LINE,
    {"a day": 1, "4 days": 4, "5 days": 5, "40 days": 40},
    part="no due dates",
)
def test_no_arrears_without_due_dates(nights: int) -> None:
    # with a tolerance of 7 days; it failed 3 days after it was made
    assert lasts(_failed_on_line("500"), nights).account.status == "late"


@rule(
    LINE,
    {
        # charged back on the day it failed, or later; the split is owed again
        "charged back": ("500", None, "late"),
        "part repaid": ("500", "499.99", "late"),
        "that much repaid": ("500", "500", "active"),
    },
    part="or is charged back",
)
def test_charged_back(amount: str, repaid: str | None, status: str) -> None:
    life = lasts(mandated(line()), 5)
    done = life.repays(amount)
    lasts(life, 3)
    mandated(life, usable=False)
    life.tells(charge_back, latest(life, done), "claimed")
    assert life.account.status == "late"
    if repaid:
        life.repays(repaid)
    assert life.account.status == status
