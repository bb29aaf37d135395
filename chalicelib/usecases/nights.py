"""A partner's loans as a list of nights needs them: who was there on a day, and what it bore."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from chalicelib.domain import journal, status
from chalicelib.domain.account import Account
from chalicelib.domain.ledger import Run, Transaction
from chalicelib.models.keys import ACCOUNT, TERMS
from chalicelib.usecases.journals import Loan, heads, moment_of
from chalicelib.usecases.loan_lists import with_accounts

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

AT_ONCE = 50  # batches or loans in one read
BUDGET = 1000  # batches and loan nights looked at in one reading
SMALL_BOOK = 200
MOST_KEPT = 500


class Pause(Exception):
    """Enough has been looked at for one reading."""


@dataclass(slots=True)
class Spent:
    """How much a reading has looked at."""

    looked: int = 0

    def look(self, many: int) -> None:
        """Count; :class:`Pause` once it was enough (what was counted before is still good)."""
        if self.looked >= BUDGET:
            raise Pause
        self.looked += many


@dataclass(slots=True)
class Book:
    """A partner's loans as the nights need them; some are kept for the time of a request."""

    ctx: Context
    small: list[Loan] | None = None
    looked: bool = False
    runs: dict[str, tuple[tuple[Run, ...], tuple[Run, ...] | None]] = field(default_factory=dict)

    def first_day(self) -> date | None:
        """The date on which the first loan was opened; its first night is later."""
        ctx = self.ctx
        page = ctx.store.page(TERMS, ctx.partner.id, limit=1, newest_first=False)
        return ctx.partner.date_of(page.items[0].created_at) if page.items else None

    def on(self, day: date, place: str | None, spent: Spent) -> tuple[list[Loan], str | None]:
        """Loans that were there before ``day``, newest first, and where to go on within the day."""
        begins = self.ctx.partner.begins(day)
        if not self.looked:
            self._look(spent)
        if self.small is not None:
            spent.look(len(self.small) // 20 + 1)
            return [loan for loan in self.small if loan.created_at <= begins], None
        spent.look(AT_ONCE)
        page = self.ctx.store.page(
            TERMS, self.ctx.partner.id, until=begins, limit=AT_ONCE, cursor=place
        )
        ids = [stored.value.id for stored in page.items]
        accounts = self.ctx.store.get_many(ACCOUNT, self.ctx.partner.id, ids, consistent=False)
        loans = [
            Loan(terms, accounts[terms.value.id])
            for terms in page.items
            if terms.value.id in accounts
        ]
        return loans, page.next_cursor

    def _look(self, spent: Spent) -> None:
        """A small book is read once, whole."""
        self.looked = True
        page = self.ctx.store.page(TERMS, self.ctx.partner.id, limit=SMALL_BOOK)
        if page.next_cursor is None:
            spent.look(len(page.items))
            ids = [stored.value.id for stored in page.items]
            self.small = list(with_accounts(self.ctx, ids).values())

    def nights(self, loan: Loan, day: date) -> list[Transaction]:
        """The nights of ``loan`` that end on ``day``, the latest telling's first.

        Where the history was told anew, those that it took back are there too.
        """
        account = loan.account.value
        if not account.revision and _is_nothing(account, day):
            return []
        open_runs, written = self.runs.get(account.id) or (self._open(loan), None)
        moment = moment_of(self.ctx)
        found = journal.nights_of(account.id, open_runs, day, moment)
        if account.revision or not any(run.first <= day for run in open_runs):
            if written is None:
                written = self._written(loan)
            found += journal.nights_of(account.id, written, day, moment)
        if len(self.runs) >= MOST_KEPT:
            self.runs.clear()
        self.runs[account.id] = (open_runs, written)
        return found

    def _open(self, loan: Loan) -> tuple[Run, ...]:
        moment = moment_of(self.ctx)
        return journal.unwritten(loan.terms.value, loan.account.value, moment).runs

    def _written(self, loan: Loan) -> tuple[Run, ...]:
        return tuple(run for stored in heads(self.ctx, loan.id) for run in stored.value.runs)


def _is_nothing(account: Account, day: date) -> bool:
    """Whether no night can end on ``day``, as long as the history was told once."""
    if account.disbursed_on is None or day <= account.disbursed_on:
        return True
    at_rest = account.status not in status.OPEN
    return at_rest and account.as_of is not None and day > account.as_of
