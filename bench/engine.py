"""What the account engine costs on one core: schedules, a history told anew, quiet nights.

``python -m bench engine [--runs=9] [--schedules=200] [--loans=2000] [--nights=10]`` runs everything
that often and takes the median.  Time is processor time of this process, so that neighbours on the
machine count little; best measured on a quiet one all the same.  It fails if a bound is missed.

* A schedule: repayment dates, charged nights and rows of terms that were never seen before (amount,
  rate and day differ each time, no cache of plans is asked).  The calendar is warm: it has its
  holidays, and the repayment dates of its years under a date rule, which all loans share.  How it
  is without the latter is shown too.
* A recalculation: the whole history of a five-year loan from its first day, once told from its
  facts, once because its third repayment fails, journal and ids included.
* Quiet nights: many different loans, each brought up by one day, day after day, by the function
  that the daily job uses; one call a night.  Shown beside it: all loans by a day before any goes on
  to the next (which mostly waits for memory), and a month caught up in one call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from statistics import median

from chalicelib.domain import calendar, loans, rebuild, replay, retelling, schedule
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.calendar import DateRule, calendar_for, repayment_dates
from chalicelib.domain.schedule import Basis, PlanTerms, Pricing
from tests.domain.lives import Life, moment, terms

CALENDAR = "GB-ENG"
ROWS = 60
FIVE_YEARS = 1826  # nights, from 14 January 2018 to the last of 60 due dates
MONTH = 28  # nights before the first row is announced
USUAL = {"runs": 9, "schedules": 200, "loans": 2000, "nights": 10}


@dataclass(frozen=True)
class Figure:
    """What was measured, run by run; ``most`` or ``least`` is the bound of the median, if any."""

    name: str
    unit: str
    values: tuple[float, ...]
    most: float | None = None
    least: float | None = None
    stretch: float | None = None

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return median(self.values)

    @property
    def kept(self) -> bool:
        """Whether the median keeps the bound."""
        return not (
            (self.most is not None and self.median >= self.most)
            or (self.least is not None and self.median < self.least)
        )

    def __str__(self) -> str:
        best = max(self.values) if self.unit.endswith("/s") else min(self.values)
        line = f"{self.name:62} {self.median:10,.3f} {self.unit:13} best {best:10,.3f}"
        bound = self.least if self.most is None else self.most
        if bound is None:
            return line
        sign = "at least" if self.most is None else "under"
        also = f" (stretch {self.stretch:,g})" if self.stretch is not None else ""
        return f"{line}  {sign} {bound:,g}{also}: {'kept' if self.kept else 'MISSED'}"


def timed(work: Callable[..., object], *given: object) -> float:
    """Seconds of processor time that ``work(*given)`` takes."""
    began = time.process_time()
    work(*given)
    return time.process_time() - began


# --- schedules ------------------------------------------------------------------------------------

CALCULATIONS = ("equal_instalments", "equal_principal_payments")


def new_schedules(calculation: str, charged_on_holidays: bool, many: int) -> list[PlanTerms]:
    """Terms of 60 rows that differ from each other in their rate."""
    rule = DateRule("day_of_month", 14, "first_business_day_after_the_day")
    return [
        PlanTerms(
            Pricing(calculation, Decimal(700 + number) / 100),
            ROWS,
            rule,
            CALENDAR,
            charged_on_holidays,
        )
        for number in range(many)
    ]


def lay_all(agreed: list[PlanTerms]) -> int:
    """Dates, nights and rows of each, past every cache of plans and of due dates; how many rows."""
    rows = 0
    for number, one in enumerate(agreed):
        start = date(2018, 1, 1) + timedelta(days=7 * number % 2000)
        dates = repayment_dates(one.rule, start, ROWS, calendar_for(CALENDAR))
        basis = Basis(1, start, Decimal(1_000_000 + 1_237 * number) / 100)
        rows += len(schedule.plan.__wrapped__(one, dates, (basis,)))
    return rows


def lay_all_anew(agreed: list[PlanTerms]) -> int:
    """The same, with the calendar's repayment dates forgotten before each."""
    rows = 0
    for one in agreed:
        calendar._dates_in.cache_clear()
        rows += lay_all([one])
    return rows


def schedules(runs: int, many: int) -> Iterator[Figure]:
    """Milliseconds a schedule, by calculation and with holidays charged or free."""
    for calculation, charged in product(CALCULATIONS, (True, False)):
        agreed = new_schedules(calculation, charged, many)
        lay_all(agreed)  # warms the calendar
        name = f"60 rows, {calculation}, holidays {'charged' if charged else 'free'}"
        values = tuple(timed(lay_all, agreed) * 1000 / many for _ in range(runs))
        yield Figure(name, "ms", values, most=0.1)
    values = tuple(timed(lay_all_anew, agreed) * 1000 / many for _ in range(runs))
    yield Figure("the last one, and no loan has asked for such dates before", "ms", values)


# --- recalculation --------------------------------------------------------------------------------


def five_years() -> Life:
    """A loan of 60 rows, repaid on each due date; the third repayment is still on its way."""
    agreed = terms(installments=ROWS, rate=Decimal("12.9"))
    life = Life(agreed, date(2018, 1, 14)).disburses("12000")
    for number, dates in enumerate(life.terms.due_dates):
        life.goes_to(dates.due, daily=False).tells(loans.brought_up)
        life.repays(life.view().next_repayment_amount, confirmed=number != 2)
    return life


def recalculations(runs: int) -> Iterator[Figure]:
    """Milliseconds a recalculation from the first day, no plan computed before."""
    life = five_years()
    now, facts = moment(life.day), replay.facts(life.batches)
    loan = retelling.Loan(life.terms, life.account, tuple(life.batches))
    repaid = [item for item in loan.transactions() if item.type == "repayment"]
    runs_of_nights = [run for batch in loan.batches for run in batch.runs]
    nights = sum(run.nights for run in runs_of_nights)
    assert (len(repaid), nights) == (ROWS, FIVE_YEARS), (len(repaid), nights)

    def told() -> None:
        schedule.plan.cache_clear()
        replay.tell(life.terms, facts, now)

    def failed() -> None:
        schedule.plan.cache_clear()
        rebuild.fail_repayment(loan, now, repaid[2], "no money")

    what = f"{nights:,} nights and {len(repaid)} repayments"
    for name, work in (("told from its facts", told), ("its third repayment fails", failed)):
        values = tuple(timed(work) * 1000 for _ in range(max(runs, 3)))
        yield Figure(f"{what}: {name}", "ms", values, most=60, stretch=25)


# --- quiet nights ---------------------------------------------------------------------------------

Running = list[tuple[Terms, Account]]
OPENED = date(2026, 1, 5)


def running_loans(many: int) -> Running:
    """Different loans that were disbursed on one day; nothing is due for a month."""
    found = []
    for number in range(many):
        agreed = terms(
            id=f"6f025741-3a92-4e28-8869-{number:012x}",
            rate=Decimal(500 + number) / 100,
            installments=12 + number % 49,
            calculate_interest_on_holidays=number % 2 == 0,
        )
        life = Life(agreed, OPENED).disburses(Decimal(100_000 + 7 * number) / 100)
        found.append((replace(life.terms), life.account))  # nothing computed is kept with them
    return found


def day_by_day(running: Running, nights: int) -> int:
    """Bring each loan up by one day, then by another, ...; how many loan-nights that were."""
    for one, opened in running:
        account = opened
        for now in _days(nights):
            account = loans.brought_up(one, account, now).account
    return len(running) * nights


def book_by_day(running: Running, nights: int) -> int:
    """The same, all loans by one day before the next."""
    book = running
    for now in _days(nights):
        book = [(one, loans.brought_up(one, account, now).account) for one, account in book]
    return len(book) * nights


def at_once(running: Running, nights: int) -> int:
    """The same, each loan in one step."""
    *_, now = _days(nights)
    for one, account in running:
        loans.brought_up(one, account, now)
    return len(running) * nights


@cache
def _days(nights: int) -> tuple[Moment, ...]:
    return tuple(moment(OPENED + timedelta(days=night)) for night in range(1, nights + 1))


def quiet_nights(runs: int, many: int, nights: int) -> Iterator[Figure]:
    """Loan-nights a second, one by one and a month at a time."""
    running = running_loans(many)
    assert nights <= MONTH, "later on rows fall due"
    for what, work, each, least in (
        ("each loan day by day", day_by_day, nights, 100_000),
        ("all loans by a day, then by another", book_by_day, nights, None),
        ("each loan four weeks in one call", at_once, MONTH, None),
    ):
        done = many * each
        values = tuple(done / timed(work, running, each) for _ in range(runs))
        yield Figure(f"quiet nights, {what}", "nights/s", values, least=least)


def measured(runs: int, schedules_a_run: int, many: int, nights: int) -> Iterator[Figure]:
    """Every figure, as soon as it is known."""
    yield from schedules(runs, schedules_a_run)
    yield from recalculations(runs)
    yield from quiet_nights(runs, many, nights)


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if a bound is missed."""
    given = dict(argument.lstrip("-").split("=") for argument in arguments)
    sizes = [int(given.get(name, usual)) for name, usual in USUAL.items()]
    missed = 0
    for figure in measured(*sizes):
        print(figure, flush=True)
        missed += not figure.kept
    return 1 if missed else 0
