"""Loans: opened for an approved application, read, and told what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from chalicelib.domain import loans as domain
from chalicelib.domain import views
from chalicelib.domain.account import LINE_OF_CREDIT, TERM_LOAN, Account, Terms
from chalicelib.domain.applications import attach_loan
from chalicelib.domain.book import Moment
from chalicelib.domain.errors import Flaw, Invalid, NotFound, Refused
from chalicelib.domain.ledger import Batch, Transaction, loan_prefix
from chalicelib.domain.loans import Outcome
from chalicelib.domain.views import LoanView, Payoff, ScheduleRow
from chalicelib.models.keys import ACCOUNT, APPLICATION, BATCH, PRODUCT, TERMS
from chalicelib.usecases.context import Listing

if TYPE_CHECKING:
    from chalicelib.models.store import Page, Stored, Unit
    from chalicelib.usecases.context import Context

Command = Callable[[Terms, Account, Moment], Outcome]


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as the store has it: two items of one partition, read together."""

    terms: Stored[Terms]
    account: Stored[Account]

    @property
    def created_at(self) -> datetime:
        """When the loan was opened."""
        return self.terms.created_at


@dataclass(frozen=True, slots=True)
class Shown:
    """A loan brought up to the business date, with the times that its resource shows."""

    view: LoanView
    created_at: datetime
    updated_at: datetime


def moment_of(ctx: Context) -> Moment:
    """The context's time as the domain takes it."""
    return Moment(ctx.now, ctx.business_date, ctx.partner.begins)


def load(ctx: Context, loan_id: str) -> Loan:
    """A loan of the caller, in one read of one read unit, or :class:`NotFound`."""
    found = find(ctx, loan_id)
    if found is None:
        raise NotFound("loan")
    return found


def find(ctx: Context, loan_id: str) -> Loan | None:
    """The caller's loan with this id."""
    found = of_transaction(ctx, loan_id)
    return found if found and found.terms.value.id == loan_id else None


def of_transaction(ctx: Context, transaction_id: str) -> Loan | None:
    """The loan that a transaction's id leads to, whether or not it has that transaction."""
    group = ctx.store.load_group(partition(ctx, transaction_id), "A#")
    terms, account = group.get("A#TERMS"), group.get("A#STATE")
    return Loan(terms, account) if terms and account else None


def partition(ctx: Context, an_id: str) -> str:
    """The partition of a loan, by its own id or by one of its transactions'."""
    return TERMS.key(ctx.partner.id, an_id)[0]


def show(ctx: Context, loan: Loan) -> Shown:
    """The loan as its resource shows it."""
    view = views.loan_view(loan.terms.value, loan.account.value, moment_of(ctx))
    return Shown(view, loan.created_at, loan.account.updated_at)


def read(ctx: Context, loan_id: str) -> Shown:
    """One loan on the business date."""
    return show(ctx, load(ctx, loan_id))


def of_end_user(
    ctx: Context, end_user: str, limit: int, offset: int, cursor: str | None
) -> Listing[Shown]:
    """One borrower's loans, newest first."""
    page = ctx.store.page(
        TERMS,
        ctx.partner.id,
        index="owner",
        group={"end_user": end_user},
        limit=limit,
        offset=offset,
        cursor=cursor,
        count=True,
    )
    return _with_accounts(ctx, page)


def _with_accounts(ctx: Context, page: Page[Terms]) -> Listing[Shown]:
    ids = [stored.value.id for stored in page.items]
    accounts = ctx.store.get_many(ACCOUNT, ctx.partner.id, ids, consistent=False)
    results = [
        show(ctx, Loan(terms, accounts[terms.value.id]))
        for terms in page.items
        if terms.value.id in accounts
    ]
    return Listing(results, page.count or 0, page.next_cursor)


# --- opening --------------------------------------------------------------------------------------


def open_loan(ctx: Context, application_id: str, asked: Mapping[str, Any]) -> Shown:
    """Open a loan for an approved application that has none."""
    application = ctx.store.get(APPLICATION, ctx.partner.id, application_id)
    if application is None:
        raise Invalid(Flaw("application", "unknown", "There is no such application."))
    loan_id = ctx.new_id()
    attached = attach_loan(application.value, loan_id)
    product = ctx.store.get(PRODUCT, ctx.partner.id, application.value.product)
    assert product is not None, "a product with applications is never deleted"
    terms = product.value.terms(
        loan_id=loan_id,
        application=application.value,
        asked={name: value for name, value in asked.items() if value is not None},
        calendar=ctx.partner.calendar,
        shard=int(loan_prefix(loan_id)[:8], 16) % ctx.partner.shards,
    )
    if terms.kind not in (TERM_LOAN, LINE_OF_CREDIT):
        raise Refused("invalid_status", f"Loans of a {terms.kind} product cannot be opened yet.")
    account = Account(id=loan_id, end_user=terms.end_user, shard=terms.shard)
    unit = ctx.unit()
    unit.update(APPLICATION, ctx.partner.id, application, attached)
    unit.create(TERMS, ctx.partner.id, terms)
    unit.create(ACCOUNT, ctx.partner.id, account)
    shown = Shown(views.loan_view(terms, account, moment_of(ctx)), ctx.now, ctx.now)
    return ctx.commit(unit, shown)


# --- telling --------------------------------------------------------------------------------------


def tell(ctx: Context, loan_id: str, command: Command) -> Shown:
    """Load, decide, commit: the loan as it is afterwards."""
    loan = load(ctx, loan_id)
    return carry_out(ctx, loan, command)[0]


def carry_out(
    ctx: Context,
    loan: Loan,
    command: Command,
    also: Callable[[Unit, Outcome], None] | None = None,
    answer: Callable[[Outcome, Shown], Any] | None = None,
) -> tuple[Shown, Outcome]:
    """Run ``command`` on ``loan`` and commit all that it decided in one transaction.

    ``also`` adds to the unit what belongs to the same request (an idempotency record).
    """
    outcome = command(loan.terms.value, loan.account.value, moment_of(ctx))
    unit = ctx.unit()
    touched = bool(outcome.batches or outcome.updates)
    if outcome.account != loan.account.value:
        unit.update(ACCOUNT, ctx.partner.id, loan.account, outcome.account, touch=touched)
    if outcome.terms is not None:
        unit.update(TERMS, ctx.partner.id, loan.terms, outcome.terms)
    for batch in outcome.batches:
        unit.create(BATCH, ctx.partner.id, batch)
    for stored, changed in _rewritten(ctx, loan, outcome.updates):
        unit.update(BATCH, ctx.partner.id, stored, changed)
    if also is not None:
        also(unit, outcome)
    terms = outcome.terms or loan.terms.value
    view = views.loan_view(terms, outcome.account, moment_of(ctx))
    updated = ctx.now if touched else loan.account.updated_at
    shown = Shown(view, loan.created_at, updated)
    ctx.commit(unit, answer(outcome, shown) if answer else shown)
    return shown, outcome


def _rewritten(
    ctx: Context, loan: Loan, updates: Sequence[Transaction]
) -> list[tuple[Stored[Batch], Batch]]:
    """The batches that hold older transactions which have changed, with the change in them."""
    found: dict[int, tuple[Stored[Batch], Batch]] = {}
    for update in updates:
        stored = batch_with(ctx, loan, update.seq)
        assert stored is not None
        before = found.get(stored.value.seq, (stored, stored.value))[1]
        items = tuple(update if old.id == update.id else old for old in before.transactions)
        found[stored.value.seq] = (stored, replace(before, transactions=items))
    return list(found.values())


def batch_with(ctx: Context, loan: Loan, seq: int) -> Stored[Batch] | None:
    """The journal batch that holds entry number ``seq``: the last that begins at or before it."""
    pk, beyond = BATCH.key(ctx.partner.id, loan.terms.value.id, seq=seq + 1)
    found = ctx.store.load_group(pk, "J#", newest_first=True, limit=1, after=beyond)
    return next(iter(found.values()), None)


def batches(ctx: Context, loan: Loan) -> list[Stored[Batch]]:
    """The whole journal, oldest first."""
    return list(ctx.store.load_group(partition(ctx, loan.terms.value.id), "J#").values())


# --- views ----------------------------------------------------------------------------------------


def schedule(ctx: Context, loan_id: str) -> list[ScheduleRow]:
    """The rows of a term loan as they stand on the business date."""
    loan = load(ctx, loan_id)
    journal = [stored.value for stored in batches(ctx, loan)]
    return views.schedule_view(loan.terms.value, loan.account.value, journal, moment_of(ctx))


def payoff(ctx: Context, loan_id: str, on: date | None) -> Payoff:
    """What settles the loan on ``on``, by default the business date."""
    loan = load(ctx, loan_id)
    return views.payoff(
        loan.terms.value, loan.account.value, moment_of(ctx), on or ctx.business_date
    )


def set_interest(ctx: Context, loan_id: str, enabled: bool) -> Shown:
    """Start or stop interest calculation."""
    return tell(ctx, loan_id, lambda t, a, m: domain.set_interest(t, a, m, enabled))


def set_status(ctx: Context, loan_id: str, command: str) -> Shown:
    """``make_arrears`` or ``make_default``."""
    return tell(ctx, loan_id, lambda t, a, m: domain.set_status(t, a, m, command))


def close(ctx: Context, loan_id: str, reason: str, substatus: str) -> Shown:
    """Close a loan by hand."""
    return tell(ctx, loan_id, lambda t, a, m: domain.close(t, a, m, reason, substatus))


def cancel(ctx: Context, loan_id: str) -> Shown:
    """Cancel a loan that was never disbursed."""
    return tell(ctx, loan_id, domain.cancel)


def outstanding(shown: Shown) -> Decimal:
    """All that is owed, exact."""
    return shown.view.account.balances.total
