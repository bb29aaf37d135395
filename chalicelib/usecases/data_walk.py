"""A walk over a partner's book for a data set: every loan once, as it was known at a day's end.

``by_list`` holds each loan that was lent under ``open`` or the month in which it closed, by its
creation.  Those partitions are woven into one walk, so that a loan that closes meanwhile is met at
its own place all the same, and loans that closed long ago are not touched.  After them come the
loans that were ever ceded, but for those that the first part has brought.

What it costs: account, terms and holdings of each loan that it meets, one read unit each, and its
journal only where the account does not say all (:meth:`Walk._then`).  Memory holds one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from chalicelib.domain import known, reports, servicing, status
from chalicelib.domain.data_windows import CLOSED, Window, months, takes_loan, takes_repayment
from chalicelib.domain.datasets import (
    Known,
    Row,
    disbursed,
    loan_row,
    received,
    repayment_row,
    tells_what_was_paid_out,
)
from chalicelib.domain.errors import Refused
from chalicelib.domain.ownership import holder_on
from chalicelib.models.keys import ACCOUNT, OWNERSHIP, TERMS
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases import history, journals, sales
from chalicelib.usecases.journals import Loan

if TYPE_CHECKING:
    from chalicelib.domain.account import Account, Terms
    from chalicelib.domain.ledger import Batch, Transaction
    from chalicelib.domain.ownership import Holding, Ownership
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

AT_ONCE = 100
SIDE_BY_SIDE = 8
"""Loans of a page whose journals are read at the same time: most of a walk is waiting for them."""
TRIES = 20
LOANS, REPAYMENTS = "loans", "repayments"
BOOK, CEDED, ALL = "book", "ceded", "all"
BEGIN = ""
Accounts = Mapping[str, "Stored[Account]"]
Owned = Mapping[str, "Stored[Ownership]"]


class Walk:
    """A walk over the book of ``ctx``'s partner for the data set ``kind``.

    ``place`` says how far it has come: the empty text before the first loan, ``None`` behind the
    last; between pages it may be kept, and another walk goes on from there.  ``met`` counts the
    loans that were looked at.  ``whole`` means every loan that was ever lent and all of its
    repayments up to the window's end.  ``folds`` reads the journals of all loans ever ceded, so
    that their accounts can be held against them.
    """

    def __init__(
        self,
        ctx: Context,
        window: Window,
        kind: str,
        place: str | None = BEGIN,
        *,
        whole: bool = False,
        folds: bool = False,
    ) -> None:
        self.ctx, self.window, self.kind = ctx, window, kind
        self.place, self.met = place, 0
        self._whole, self._folds = whole, folds
        self._moment = history.moment_at(ctx, window.last)
        names = ["open", *months(window, max(ctx.business_date, window.day))]
        self._books = set(names)
        self._groups = [{"book": name} for name in names]

    def pages(self) -> Iterator[list[Known]]:
        """The loans that have rows in the data set, or may have, page by page.

        ``place`` has moved on when a page is given: it is where the one after it begins.
        """
        while self.place is not None:
            part, _, cursor = (self.place or f"{ALL if self._whole else BOOK}:").partition(":")
            yield _PARTS[part](self, cursor or None)

    def rows(self) -> Iterator[list[Row]]:
        """The rows of the data set, page by page as :meth:`pages` are."""
        currency = self.ctx.partner.currency
        for page in self.pages():
            if self.kind == LOANS:
                yield [loan_row(loan, currency) for loan in page]
            else:
                yield [
                    repayment_row(item, loan, known_on, currency)
                    for loan in page
                    for item, known_on in self.repayments(loan)
                ]

    def repayments(self, loan: Known) -> Iterator[tuple[Transaction, Any]]:
        """The repayments of a loan that are in the data set, with the day they were known on."""
        for item, known_on in received(loan):
            if takes_repayment(self.window, known_on, loan.ceded or self._whole):
                yield item, known_on

    # --- which loans ------------------------------------------------------------------------------

    def _book(self, cursor: str | None) -> list[Known]:
        """The open and the lately closed ones, each once, also one that closes meanwhile."""
        page = self.ctx.store.page(
            ACCOUNT, self.ctx.partner.id, group=self._groups, limit=AT_ONCE,
            cursor=cursor, newest_first=False, consistent=True,
        )  # fmt: skip
        self.place = f"{BOOK}:{page.next_cursor}" if page.next_cursor else f"{CEDED}:"
        accounts = {stored.value.id: stored for stored in page.items}
        owned = self.ctx.store.get_many(OWNERSHIP, self.ctx.partner.id, accounts)
        return self._looked_at(accounts, owned, self._of_the_book)

    def _ceded(self, cursor: str | None) -> list[Known]:
        """Those that were ever ceded and are in the data set for no other reason."""
        page = self.ctx.store.page(
            OWNERSHIP, self.ctx.partner.id, limit=AT_ONCE,
            cursor=cursor, newest_first=False, consistent=True,
        )  # fmt: skip
        self.place = f"{CEDED}:{page.next_cursor}" if page.next_cursor else None
        owned = {stored.value.loan: stored for stored in page.items}
        accounts = self.ctx.store.get_many(ACCOUNT, self.ctx.partner.id, owned)

        def wanted(loan: Known) -> bool:
            return loan.ceded and not self._of_the_book(loan)

        return self._looked_at(accounts, owned, wanted)

    def _all(self, cursor: str | None) -> list[Known]:
        """Every loan that had been lent, or sold, also one whose money has come back."""
        page = self.ctx.store.page(
            TERMS, self.ctx.partner.id, limit=AT_ONCE, cursor=cursor, newest_first=False
        )
        self.place = f"{ALL}:{page.next_cursor}" if page.next_cursor else None
        ids = [stored.value.id for stored in page.items]
        accounts = self.ctx.store.get_many(ACCOUNT, self.ctx.partner.id, ids)
        owned = self.ctx.store.get_many(OWNERSHIP, self.ctx.partner.id, ids)
        lent = {one: held for one, held in accounts.items() if held.value.book or one in owned}
        return self._looked_at(lent, owned, lambda loan: loan.ceded or bool(disbursed(loan)))

    def _of_the_book(self, loan: Known) -> bool:
        """Whether the first part of the walk brings this loan into the data set.

        It says so by what was known at the day's end, which is the same whenever it is asked.
        """
        if self.kind == LOANS:
            return takes_loan(self.window, loan.account.status, loan.closed_on, ceded=False)
        if loan.account.status != CLOSED or loan.account.overpayment > 0:
            return loan.account.book is not None
        assert loan.closed_on is not None
        return f"{max((loan.closed_on, *loan.account.revised)):%Y-%m}" in self._books

    def _looked_at(
        self, accounts: Accounts, owned: Owned, wanted: Callable[[Known], bool]
    ) -> list[Known]:
        self.met += len(accounts)
        terms = self.ctx.store.get_many(TERMS, self.ctx.partner.id, accounts)

        def look(loan_id: str) -> Known | None:
            held = self._held(owned.get(loan_id))
            return self._known(Loan(terms[loan_id], accounts[loan_id]), held)

        with ThreadPoolExecutor(SIDE_BY_SIDE) as readers:
            looked = list(readers.map(look, terms))
        return [loan for loan in looked if loan is not None and wanted(loan)]

    # --- how each was known -----------------------------------------------------------------------

    def _held(self, owned: Stored[Ownership] | None) -> Sequence[Holding]:
        """Who had held a loan by what was known at the window's end, oldest first.

        A cession or a reversal that was heard of later is not in it, whatever day it is dated.
        """
        if owned is None:
            return ()
        if self.ctx.partner.date_of(owned.updated_at) <= self.window.last:
            return owned.value.holdings
        recorded = sales.recorded(self.ctx, owned.value.loan)
        sale = servicing.known(recorded, self.window.last)
        return sale.holdings if sale else ()

    def _known(self, loan: Loan, held: Sequence[Holding]) -> Known | None:
        """The loan as it was known at the window's end; ``None`` if it has no row for certain."""
        for _ in range(TRIES):
            try:
                return self._then(journals.settled(self.ctx, loan), held)
            except Conflict:  # others have gone on
                loan = journals.account_of(self.ctx, loan.id) or loan
        raise Refused("conflict", f"Loan {loan.id} changes too fast to be read. Try again.")

    def _then(self, loan: Loan, held: Sequence[Holding]) -> Known | None:
        day, partner = self.window.last, self.ctx.partner
        terms, account = loan.terms.value, loan.account.value
        opened_on = partner.date_of(loan.created_at)
        ceded = any(one.since <= day for one in held)
        moved = partner.date_of(loan.account.updated_at) >= self.window.first
        at_rest = account.status == CLOSED or self.kind == REPAYMENTS
        if opened_on > day or (at_rest and not (moved or ceded or self._whole)):
            return None
        terms, account, past_due, batches = self._told(loan, terms, account, ceded)
        holder = holder_on(held, day)
        investor = (holder.investor or None) if holder else None
        return Known(terms, account, day, opened_on, past_due, batches, ceded, investor)

    def _told(
        self, loan: Loan, terms: Terms, account: Account, ceded: bool
    ) -> tuple[Terms, Account, int, tuple[Batch, ...]]:
        """Terms, account, days past due and journal of the day.

        The account alone says all that a row tells of an open term loan that nothing was done to
        since; in any other case the journal is read, and told again only if something was.
        """
        day = self.window.last
        by_itself = self.kind == LOANS and terms.has_rows and not (ceded and self._folds)
        by_itself = by_itself and tells_what_was_paid_out(account)
        if by_itself and reports.is_known(account, day):
            stands = reports.as_it_stands(terms, account, (), self._moment)
            return terms, stands.account, stands.days_past_due, ()
        batches = journals.told_by(self.ctx, loan, known.revision_of(account, day))
        if reports.is_untouched(account, batches, day):
            stands = reports.as_it_stands(terms, account, batches, self._moment)
            return terms, stands.account, stands.days_past_due, tuple(batches)
        past = history.at(self.ctx, loan, day)
        overdue = status.days_past_due(past.account, day)
        return past.terms, past.account, overdue, past.batches


_PARTS: Mapping[str, Callable[[Walk, str | None], list[Known]]] = {
    BOOK: Walk._book,
    CEDED: Walk._ceded,
    ALL: Walk._all,
}
