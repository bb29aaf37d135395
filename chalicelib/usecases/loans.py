"""Loans: opened for an approved application, read, and told what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from chalicelib import metrics
from chalicelib.domain import loans as domain
from chalicelib.domain import payments, retelling, views
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.applications import attach_loan
from chalicelib.domain.book import Moment
from chalicelib.domain.decision import Message
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.domain.ledger import Batch, loan_prefix
from chalicelib.domain.loans import Outcome
from chalicelib.domain.views import LoanView, Payoff, ScheduleRow
from chalicelib.models.keys import ACCOUNT, APPLICATION, MANDATE, PRODUCT, PROVIDER_EVENTS, TERMS
from chalicelib.usecases import history, journals, measuring, ownership, statements
from chalicelib.usecases.announcing import announce
from chalicelib.usecases.context import Listing
from chalicelib.usecases.journals import Loan as Loan
from chalicelib.usecases.journals import moment_of as moment_of

if TYPE_CHECKING:
    from chalicelib.models.store import Page, Stored, Unit
    from chalicelib.usecases.context import Context

Command = Callable[[Terms, Account, Moment], Outcome]


@dataclass(frozen=True, slots=True)
class Shown:
    """A loan brought up to the business date, with the times that its resource shows."""

    view: LoanView
    created_at: datetime
    updated_at: datetime


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
    return journals.account_of(ctx, transaction_id)


def show(ctx: Context, loan: Loan) -> Shown:
    """The loan as its resource shows it; who owns it stands in its terms."""
    view = views.loan_view(loan.terms.value, loan.account.value, moment_of(ctx))
    updated = max(loan.terms.updated_at, loan.account.updated_at)
    return Shown(view, loan.created_at, updated)


def read(ctx: Context, loan_id: str, as_of: date | None = None) -> Shown:
    """One loan on the business date, or as it was known at the end of an earlier one."""
    loan = load(ctx, loan_id)
    past = history.past(ctx, loan, as_of)
    if past is not None:
        view, updated = history.view(ctx, loan, past)
        owned = replace(view.terms, investor=ownership.investor_on(ctx, loan_id, past))
        return Shown(replace(view, terms=owned), loan.created_at, updated)
    return show(ctx, loan)


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
    account = Account(id=loan_id, end_user=terms.end_user, shard=terms.shard)
    unit = ctx.unit()
    unit.update(APPLICATION, ctx.partner.id, application, attached)
    unit.create(TERMS, ctx.partner.id, terms)
    unit.create(ACCOUNT, ctx.partner.id, account)
    _look_for_mandate(ctx, unit, account)
    from chalicelib.usecases import offers

    offers.open_for(ctx, unit, product.value, terms)
    unit.measures.append(metrics.measure(metrics.LOANS_OPENED))
    shown = Shown(views.loan_view(terms, account, moment_of(ctx)), ctx.now, ctx.now)
    return ctx.commit(unit, shown)


def _look_for_mandate(ctx: Context, unit: Unit, account: Account) -> None:
    """A new loan is collected by its borrower's mandate, if there is one: a worker sees to that."""
    group = {"end_user": account.end_user}
    if ctx.store.page(MANDATE, ctx.partner.id, "owner", group=group, limit=1).items:
        body = {"do": "find_mandate", "partner": ctx.partner.id, "loan": account.id}
        unit.send(Message(PROVIDER_EVENTS, body))


# --- telling --------------------------------------------------------------------------------------


def tell(ctx: Context, loan_id: str, command: Command) -> Shown:
    """Load, decide, commit: the loan as it is afterwards."""
    loan = load(ctx, loan_id)
    return carry_out(ctx, loan, command)[0]


@dataclass(frozen=True, slots=True)
class Retelling:
    """A command that tells the history anew: it is decided on the whole journal."""

    decide: Callable[[retelling.Loan, Moment], Outcome]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a command came to, nothing of it written, and the journal it was decided on, if any."""

    loan: Loan
    outcome: Outcome
    journal: Sequence[Stored[Batch]] = ()

    @property
    def terms(self) -> Terms:
        """The terms as they are afterwards."""
        return self.outcome.terms or self.loan.terms.value

    def shown(self, ctx: Context) -> Shown:
        """The loan as it is afterwards."""
        view = views.loan_view(self.terms, self.outcome.account, moment_of(ctx))
        touched = journals.touches(self.outcome)
        updated = ctx.now if touched else self.loan.account.updated_at
        return Shown(view, self.loan.created_at, updated)


def decide(ctx: Context, loan: Loan, command: Command | Retelling) -> Decided:
    """Run ``command`` on ``loan``; nothing is written."""
    terms, account, moment = loan.terms.value, loan.account.value, moment_of(ctx)
    if not isinstance(command, Retelling):
        return Decided(loan, command(terms, account, moment))
    journal = journals.read(ctx, loan)
    whole = retelling.Loan(terms, account, tuple(stored.value for stored in journal))
    return Decided(loan, command.decide(whole, moment), journal)


def carry_out(
    ctx: Context,
    loan: Loan,
    command: Command | Retelling,
    also: Callable[[Unit, Outcome], None] | None = None,
    answer: Callable[[Outcome, Shown], Any] | None = None,
) -> tuple[Shown, Outcome]:
    """Run ``command`` on ``loan`` and commit all that it decided, at once.

    ``also`` adds to the unit what belongs to the same request (an idempotency record).
    """
    decided = decide(ctx, loan, command)
    outcome, shown = decided.outcome, decided.shown(ctx)

    def add(unit: Unit) -> None:
        if also is not None:
            also(unit, outcome)
        _follow(ctx, unit, decided, shown)

    value = answer(outcome, shown) if answer else shown
    journals.commit(ctx, loan, outcome, decided.journal, value, add)
    return shown, outcome


def carry_into(ctx: Context, unit: Unit, loan: Loan, command: Command | Retelling) -> Outcome:
    """Run ``command`` on ``loan`` and add all that it decided to ``unit``, which others commit."""
    decided = decide(ctx, loan, command)
    _follow(ctx, unit, decided, decided.shown(ctx))
    journals.put(ctx, unit, loan, decided.outcome, decided.journal)
    return decided.outcome


def _follow(ctx: Context, unit: Unit, decided: Decided, shown: Shown) -> None:
    """What goes with a decision: statements, what partners hear, what is asked of providers."""
    loan, outcome = decided.loan, decided.outcome
    issued = statements.put(ctx, unit, loan, outcome)
    announce(ctx, unit, outcome.events, shown, loan=loan.id, statements=issued)
    before = loan.account.value
    known = [stored.value for stored in decided.journal]
    unit.measures += measuring.of_loan(ctx.partner.currency, before, outcome, known)
    for message in payments.follow_ups(ctx.partner.id, decided.terms, before, outcome):
        unit.send(message)
    from chalicelib.usecases import offers

    offers.follow(ctx, unit, loan, outcome)


def batches(ctx: Context, loan: Loan) -> list[Stored[Batch]]:
    """The whole journal, oldest first."""
    return journals.heads(ctx, loan.id)


# --- views ----------------------------------------------------------------------------------------


def schedule(ctx: Context, loan_id: str, as_of: date | None = None) -> list[ScheduleRow]:
    """The rows of a term loan as they stand on the business date, or stood on an earlier one."""
    loan = load(ctx, loan_id)
    past = history.past(ctx, loan, as_of)
    if past is not None:
        return history.schedule(ctx, loan, past)
    journal = [stored.value for stored in journals.read(ctx, loan)]
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
