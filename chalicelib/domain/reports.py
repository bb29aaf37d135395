"""The two reports over a book of loans: trial balance and portfolio on a date.

Both add up what each loan shows.  A loan's figures are rounded to pence before they are added, as
its resource shows them, so that a report foots to the penny and agrees with the loans, line by line
(partner API, "As of, preview, reports").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain import known, loans, postings, status
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.domain.ledger import Balances, Batch, Run, Transaction
from chalicelib.domain.money import ZERO, exact, pence
from chalicelib.domain.postings import CHART, ROUNDING, Line
from chalicelib.domain.servicing import Sale

NOTHING = Decimal("0.00")
#: Days past due: the bucket's name and the last day in it.
BUCKETS: tuple[tuple[str, int | None], ...] = (
    ("0", 0),
    ("1-30", 30),
    ("31-60", 60),
    ("61-90", 90),
    ("90+", None),
)
BUCKET_NAMES = tuple(name for name, _ in BUCKETS)


def report_day(asked: date | None, today: date) -> date:
    """The day of a report: ``today`` unless told otherwise; a later one is :class:`Invalid`."""
    if asked is not None and asked > today:
        message = f"{asked} is after the business date, {today}."
        raise Invalid(Flaw("date", "out_of_range", message))
    return asked or today


# --- one loan at the end of a day -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """A loan as it was known at the end of a day, and what had been posted on it by then.

    ``sale`` is what was known of its sales to investors.
    """

    account: Account
    days_past_due: int
    transactions: Sequence[Transaction] = ()
    runs: Sequence[Run] = ()
    sale: Sale | None = None


def is_known(account: Account, day: date) -> bool:
    """Whether the account alone says how it stood at the end of ``day``.

    An open account stands at the day of its last commit, whatever that commit did.  If that is not
    after ``day``, nothing has been learnt since.
    """
    return account.status in status.OPEN and account.as_of is not None and account.as_of <= day


def standing(terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment) -> Standing:
    """The loan at the end of the moment's date; ``batches`` are of that day's revision."""
    if is_untouched(account, batches, moment.today):
        return as_it_stands(terms, account, batches, moment)
    return as_it_was(terms, account, batches, moment)


@exact
def as_it_stands(
    terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment
) -> Standing:
    """A loan :func:`is_untouched` since the moment's date, brought up to it.

    Without ``batches`` it is good for an account that :func:`is_known`, but says nothing of what
    was posted.
    """
    outcome = loans.brought_up(terms, account, moment)
    journal = [*batches, *outcome.batches]
    return Standing(
        account=outcome.account,
        days_past_due=status.days_past_due(outcome.account, moment.today),
        transactions=[item for batch in journal for item in batch.transactions],
        runs=_runs((run for batch in journal for run in batch.runs), outcome.account),
    )


def _runs(written: Iterable[Run], account: Account) -> list[Run]:
    return [*written, account.run] if account.run else [*written]


def is_untouched(account: Account, batches: Sequence[Batch], day: date) -> bool:
    """Whether nothing has been done to the loan after ``day``."""
    times = [account.as_of, *account.revised]
    times += [batch.on for batch in batches]
    times += [item.processing_date for batch in batches for item in batch.transactions]
    return all(time is None or time <= day for time in times)


@exact
def as_it_was(terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment) -> Standing:
    """The loan told again up to that day, as ``domain/known.py`` does."""
    then = known.at_end_of(terms, account, batches, moment)
    items = list(then.book.transactions)
    if then.account.status == "closed":
        items += _paid_out(then)
    return Standing(
        account=then.account,
        days_past_due=status.days_past_due(then.account, moment.today),
        transactions=items,
        runs=_runs(then.book.runs, then.account),
    )


def _paid_out(then: known.Known) -> list[Transaction]:
    """The refund that closed the loan, where the telling has left it open."""
    told = then.book.transactions
    if not sum((item.overpayment for item in told if item.counts), ZERO):
        return []
    written = [item for batch in then.batches for item in batch.transactions]
    return [item for item in written if item.type == "refund" and item.counts][-1:]


# --- trial balance --------------------------------------------------------------------------------


class TrialBalance:
    """The net of every account of the chart, each on one side; debits and credits are equal."""

    def __init__(self, day: date) -> None:
        self.date = day
        self._nets = dict.fromkeys(CHART, NOTHING)

    @exact
    def add(self, loan: Standing) -> None:
        """Add a loan.

        Its accounts are rounded one by one, the difference goes to ``rounding_differences``.
        """
        rest = ZERO
        for account, net in postings.nets(loan.transactions, loan.runs, loan.sale).items():
            if account != ROUNDING:
                shown = pence(net)
                self._nets[account] += shown
                rest -= shown
        self._nets[ROUNDING] += rest

    @property
    def accounts(self) -> list[Line]:
        """One line an account, in the order of the chart."""
        return [Line.of(account, net) for account, net in self._nets.items()]

    @property
    def total_debit(self) -> Decimal:
        """The sum of the debits shown."""
        return sum((line.debit for line in self.accounts), NOTHING)

    @property
    def total_credit(self) -> Decimal:
        """The sum of the credits shown."""
        return sum((line.credit for line in self.accounts), NOTHING)


# --- portfolio ------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """What the loans of a row have in common."""

    product: str
    status: str
    days_past_due: str  # the bucket


@dataclass(frozen=True, slots=True)
class Sums:
    """How many loans, and what is owed on them."""

    loans: int = 0
    principal: Decimal = NOTHING
    interest: Decimal = NOTHING
    fee: Decimal = NOTHING

    def plus(self, loans: int, owed: Balances) -> Sums:
        """With more loans and what is owed on them."""
        return Sums(
            self.loans + loans,
            self.principal + owed.principal,
            self.interest + owed.interest,
            self.fee + owed.fee,
        )


class Portfolio:
    """The book by product, status and days past due."""

    def __init__(self, day: date) -> None:
        self.date = day
        self._cells: dict[Cell, Sums] = {}

    def add(self, product: str, loan: Standing) -> None:
        """Add a loan with what it shows as owed."""
        cell = Cell(product, loan.account.status, bucket(loan.days_past_due))
        owed = Balances(*(pence(part) for part in loan.account.balances))
        self._cells[cell] = self._cells.get(cell, Sums()).plus(1, owed)

    @property
    def rows(self) -> list[tuple[Cell, Sums]]:
        """By product, then by status as a loan goes through them, then by days past due."""
        return sorted(self._cells.items(), key=lambda row: _place(row[0]))

    @property
    def totals(self) -> Sums:
        """The sums of the rows."""
        total = Sums()
        for sums in self._cells.values():
            total = total.plus(sums.loans, Balances(sums.principal, sums.interest, sums.fee))
        return total


def _place(cell: Cell) -> tuple[str, int, int]:
    states = status.LOAN.states
    return cell.product, states.index(cell.status), BUCKET_NAMES.index(cell.days_past_due)


def bucket(days_past_due: int) -> str:
    """The name of the bucket that a number of days falls into."""
    return next(name for name, last in BUCKETS if last is None or days_past_due <= last)
