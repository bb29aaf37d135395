"""The day."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain import loans
from chalicelib.domain.loans import brought_up
from tests.domain.lives import Life, moment
from tests.rules.plain import (
    automatic,
    balances,
    bills,
    fee,
    latest,
    line,
    mandated,
    on,
    plain,
    revolving,
    shown,
)
from tests.rules.rule import rule

ORDER = (
    "For one loan, on business date D, in this order: the night's interest · money that arrived · "
    "billing of a row due on D · status · statement · creation of the automatic repayment that "
    "falls due within 5 days and has none yet (for revolving credit the statement's minimum), with "
    "its `repayment_due_day_soon`; a row or minimum that came due before a mandate was usable gets "
    "its one first attempt as soon as there is one."
)


def _percent() -> Life:
    """Arrears at once, with a fee of 10 % of what is owed."""
    return plain(arrears_tolerance=0, default_fees=(fee("10", "arrears", "percent"),))


@rule(
    ORDER,
    {
        # the night is in the bill, in the arrears fee (10 % of 36,500 + 320) and, as the night of
        # the statement day belongs to the next period, not in the statement
        "interest, billing": (plain, "02-15", ["1 7300.00 310.00 0.00"], []),
        "interest, status": (_percent, "02-16", ["1 7300.00 310.00 0.00"], ["3682.00"]),
        # row 2 bills what was charged before it: the fee of 16 February
        "fee, billing": (
            _percent, "03-15",
            ["1 7300.00 310.00 0.00", "2 7300.00 280.00 3682.00"], ["3682.00"],
        ),
    },
    part="the night's interest · money that arrived · billing of a row due on D · status",
)  # fmt: skip
def test_order(story: Callable[[], Life], day: str, rows: list[str], fees: list[str]) -> None:
    life = story().goes_to(on(day))
    assert bills(life) == rows
    assert [shown(item.amount)[0] for item in life.of("fee")] == fees


@rule(
    ORDER,
    {
        # the minimum of 1 February is due on the 15th: past it by more than 13 days on 1 March,
        # which charges 15.00 on the statement day: 3,650 + 44.00 are closed the day before
        "the fee of that day comes later": (13, 2, "3694.00 226.50"),
        # 31 nights and the fee more
        "in the next statement": (13, 3, "3740.00 272.50"),
        "the fee of the day before is in it": (12, 2, "3709.00 241.50"),
    },
    part="status · statement",
)
def test_statement_of_the_day(tolerance: int, number: int, figures: str) -> None:
    fees = (fee("15", "arrears"),)
    life = revolving(arrears_tolerance=tolerance, default_fees=fees).goes_to(on("04-01"))
    closings = {one.number: one for batch in life.batches for one in batch.closings}
    one = closings[number]
    assert " ".join(shown(one.closing.total, one.minimum)) == figures


@rule(
    ORDER,
    {
        "6 days before": (plain, "02-09", []),
        "5 days before": (plain, "02-10", ["7610.00 2023-02-15"]),
        "made once": (plain, "03-09", ["7610.00 2023-02-15"]),
        # row 2 bills what is owed since row 1: 28 nights of 10.00
        "row 2": (plain, "03-10", ["7610.00 2023-02-15", "7580.00 2023-03-15"]),
        "not in grace": (lambda: plain(grace_instalments=1), "02-10", []),
        "in the row after it": (
            lambda: plain(grace_instalments=1), "03-10", ["9715.00 2023-03-15"],
        ),
        "a line of credit has none": (line, "06-30", []),
        # 5 % of 3,650 and 16.00 of interest
        "the minimum, 6 days before": (revolving, "02-09", []),
        "the minimum, 5 days before": (revolving, "02-10", ["198.50 2023-02-15"]),
        "a product without": (lambda: plain(automatic_collection=False), "02-15", []),
    },
    part="creation of the automatic repayment that falls due within 5 days and has none yet (for "
    "revolving credit the statement's minimum)",
)  # fmt: skip
def test_creation(story: Callable[[], Life], day: str, made: list[str]) -> None:
    for daily in (True, False):
        life = mandated(story()).goes_to(on(day), daily=daily)
        life.tells(brought_up)
        assert [f"{item.amount:.2f} {item.due}" for item in automatic(life)] == made
        assert {item.status for item in automatic(life)} <= {"pending"}


@rule(
    ORDER,
    {
        "6 days before": (plain, "02-09", 0),
        "5 days before": (plain, "02-10", 1),
        "once": (plain, "03-09", 1),
        "for row 2": (plain, "03-10", 2),
        "for the minimum": (revolving, "02-10", 1),
        "not in grace": (lambda: plain(grace_instalments=1), "02-15", 0),
    },
    part="with its `repayment_due_day_soon`",
)
def test_notice(story: Callable[[], Life], day: str, times: int) -> None:
    life = mandated(story()).goes_to(on(day))
    assert life.events.count("repayment_due_day_soon") == times


@rule(
    ORDER,
    {
        "in time": (plain, "02-12", ["7610.00 2023-02-15"]),
        "on the due date": (plain, "02-15", ["7610.00 2023-02-15"]),
        "days late": (plain, "02-20", ["7610.00 2023-02-15"]),
        "two rows late": (plain, "03-20", ["7610.00 2023-02-15", "7580.00 2023-03-15"]),
        "one late, one near": (plain, "03-12", ["7610.00 2023-02-15", "7580.00 2023-03-15"]),
        "the minimum": (revolving, "02-20", ["198.50 2023-02-15"]),
        # the second asks for 182.50 + 44.00; what is collected for the first counts towards it too
        "two minimums": (revolving, "03-12", ["198.50 2023-02-15", "28.00 2023-03-15"]),
        "nothing is near": (plain, "02-01", []),
    },
    part="a row or minimum that came due before a mandate was usable gets its one first attempt as "
    "soon as there is one",
)
def test_first_attempt(story: Callable[[], Life], day: str, made: list[str]) -> None:
    life = mandated(story().goes_to(on(day)))
    assert [f"{item.amount:.2f} {item.due}" for item in automatic(life)] == made
    mandated(mandated(life, usable=False))
    assert len(automatic(life)) == len(made), "one first attempt each"


def _stop(life: Life) -> None:
    life.tells(loans.set_interest, False)


def _arrears(life: Life) -> None:
    life.tells(loans.set_status, "make_default")


def _fee(life: Life) -> None:
    life.fee("1", "percent")


def _repay(life: Life) -> None:
    life.repays("1234.56")


def _backdate(life: Life) -> None:
    life.repays_as_of("1234.56", on("02-01"))


def _nothing(life: Life) -> None:
    life.tells(brought_up)


BEFORE = (
    "Before anything touches a loan, the loan is brought up to the business date, so the outcome "
    "never depends on when the job ran."
)


def _fail(life: Life) -> None:
    life.fails(latest(life, next(t for t in life.of("repayment") if t.reference == "")))


TOUCHED = {
    "read": (_nothing, "04-20"),
    "a repayment": (_repay, "04-20"),
    "a percentage fee": (_fee, "04-20"),
    "interest stopped": (_stop, "04-20"),
    "a status": (_arrears, "03-20"),
    "a repayment on a due date": (_repay, "03-15"),
    "a repayment in the near days": (_repay, "03-12"),
    "a repayment dated back": (_backdate, "04-20"),
    "a repayment that failed": (_fail, "04-20"),
}


def _lives(does: Callable[[Life], None], day: str) -> tuple[Life, Life]:
    """Two loans with a repayment on its way: of one the job was run each day, of one never."""
    found = []
    for daily in (True, False):
        life = plain(default_fees=(fee("15", "arrears"),)).goes_to(on("01-20"))
        life.repays("60", confirmed=False)
        life.goes_to(on(day), daily=daily)
        does(life)
        found.append(life)
    return found[0], found[1]


@rule(BEFORE, TOUCHED, part="the outcome never depends on when the job ran")
def test_the_same_account(does: Callable[[Life], None], day: str) -> None:
    first, second = _lives(does, day)

    def counting(life: Life) -> list[str]:
        entries = [
            (t.type, t.amount, t.split, t.effective_date, t.status)
            for t in life.transactions()
            if t.status != "reverted"
        ]
        return sorted(map(str, entries))

    assert counting(first) == counting(second)
    one, other = first.view(), second.view()
    assert one.account.balances == other.account.balances
    assert (one.next_repayment_amount, one.days_past_due) == (
        other.next_repayment_amount,
        other.days_past_due,
    )
    assert (one.account.status, one.account.late_since, one.account.arrears_since) == (
        other.account.status,
        other.account.late_since,
        other.account.arrears_since,
    )


@rule(
    BEFORE,
    TOUCHED,
    part="the loan is brought up to the business date",
)
def test_the_same_events(does: Callable[[Life], None], day: str) -> None:
    first, second = _lives(does, day)
    assert sorted(first.events) == sorted(second.events)


ONCE = (
    "A day is done exactly once per loan, however often the job is started, killed or run twice at "
    "the same time; days missed are caught up in order."
)


@rule(
    ONCE,
    {
        "a quiet day": "02-01",
        "a due date": "02-15",
        "late": "02-16",
        "in arrears": "02-23",
        "two rows later": "03-20",
    },
    part="A day is done exactly once per loan, however often the job is started",
)
def test_once(day: str) -> None:
    life = mandated(plain(default_fees=(fee("15", "arrears"),))).goes_to(on(day))
    before, events = life.account, list(life.events)
    for _ in range(3):
        outcome = brought_up(life.terms, life.account, moment(life.day))
        assert (outcome.batches, outcome.events, outcome.updates) == ((), (), ())
        life.tells(brought_up)
    assert (life.account, life.events) == (before, events)


@rule(
    ONCE,
    {
        # late on 16 February, in arrears on the 23rd, row 2 due on 15 March
        "a week": ("02-20", "late", "36500.00 360.00 0.00", "2023-02-16", []),
        "six weeks": ("03-01", "arrears", "36500.00 450.00 15.00", "2023-02-16", ["02-23"]),
        # in default more than 10 days after that
        "two months": ("03-15", "default", "36500.00 590.00 55.00", "2023-02-16",
                       ["02-23", "03-06"]),
        "a year": ("2024-01-15", "default", "36500.00 3650.00 55.00", "2023-02-16",
                   ["02-23", "03-06"]),
    },
    part="days missed are caught up in order",
)  # fmt: skip
def test_caught_up(day: str, status: str, owed: str, late: str, fees: list[str]) -> None:
    life = plain(
        default_tolerance=10,
        default_fees=(fee("15", "arrears", name="A"), fee("40", "default", name="D")),
    ).goes_to(on(day), daily=False)
    life.tells(brought_up)
    assert (life.account.status, balances(life), str(life.account.late_since)) == (
        status, owed, late
    )  # fmt: skip
    assert [f"{item.effective_date:%m-%d}" for item in reversed(life.of("fee"))] == fees
