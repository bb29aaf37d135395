"""Which mandate a loan is collected by: set by the partner, or the one that its borrower has.

An active mandate is used for every open loan of the end user that has none of its own (partner API,
Mandates).  A mandate that is dead (cancelled, failed, expired …) counts as none, so that a borrower
who signs again is collected again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from chalicelib.domain import loans as engine
from chalicelib.domain import mandates as domain
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.decision import Message
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.mandates import Mandate
from chalicelib.domain.status import LOAN
from chalicelib.models.keys import MANDATE, PROVIDER_EVENTS, TERMS
from chalicelib.usecases import loans
from chalicelib.usecases.loan_lists import with_accounts

if TYPE_CHECKING:
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.loans import Loan, Shown

MESSAGES_A_COMMIT = 25


def set_on_loan(ctx: Context, loan_id: str, mandate_id: str, collects: bool) -> Shown:
    """Collect a loan by a mandate that the partner chooses.

    ``collects`` says whether there is a provider.  Raises :class:`Invalid` for a mandate that is
    not there, ``mandate_not_usable`` for one that is not active or another end user's,
    ``loan_not_open``.
    """
    loan = loans.load(ctx, loan_id)
    mandate = find(ctx, mandate_id)
    if mandate is None:
        raise Invalid(Flaw("mandate", "unknown", "There is no such mandate."))
    if not collects:
        raise domain.not_configured()
    status = loan.account.value.status
    if status in LOAN.refusals:
        raise Refused("loan_not_open", f"The loan is {status}.")
    domain.refuse_unless_usable(mandate.value, loan.terms.value.end_user)
    return _put(ctx, loan, mandate)


def find(ctx: Context, mandate_id: str) -> Stored[Mandate] | None:
    """A mandate of the partner's."""
    found: Stored[Mandate] | None = ctx.store.get(MANDATE, ctx.partner.id, mandate_id)
    return found


def _put(ctx: Context, loan: Loan, mandate: Stored[Mandate]) -> Shown:
    """Loan, its new mandate and the one before it, in one commit."""
    loan_id, former_id = loan.account.value.id, loan.account.value.mandate
    chosen = mandate.value
    former = find(ctx, former_id) if former_id and former_id != chosen.id else None

    def also(unit: Unit, _: engine.Outcome) -> None:
        if loan_id in chosen.loans:
            unit.guard(MANDATE, ctx.partner.id, mandate)
        else:
            after = domain.used_by(chosen, loan_id)
            unit.update(MANDATE, ctx.partner.id, mandate, after, touch=False)
        if former is not None:
            left = domain.left_by(former.value, loan_id)
            unit.update(MANDATE, ctx.partner.id, former, left, touch=False)

    def command(terms: Terms, account: Account, moment: Moment) -> engine.Outcome:
        return engine.set_mandate(terms, account, moment, chosen.id, chosen.usable)

    return loans.carry_out(ctx, loan, command, also)[0]


# --- by itself ------------------------------------------------------------------------------------


def mandate_changed(ctx: Context, mandate_id: str) -> None:
    """Tell every open loan of the mandate's end user, by a message for each."""
    mandate = find(ctx, mandate_id)
    if mandate is None:
        return
    for ids in _some(_loans_of(ctx, mandate.value)):
        unit = ctx.unit()
        for loan_id in ids:
            unit.send(_message(ctx, loan_id))
        ctx.commit(unit, None)


def loan_opened(ctx: Context, unit: Unit, loan_id: str) -> None:
    """Have a new loan look for its borrower's mandate, once it is there."""
    unit.send(_message(ctx, loan_id))


def _message(ctx: Context, loan_id: str) -> Message:
    body = {"do": "find_mandate", "partner": ctx.partner.id, "loan": loan_id}
    return Message(PROVIDER_EVENTS, body)


def find_mandate(ctx: Context, loan_id: str) -> None:
    """Bring a loan's mandate up to what its borrower's mandates are now; again changes nothing."""

    def once() -> None:
        loan = loans.find(ctx, loan_id)
        if loan is None or loan.account.value.status in LOAN.refusals:
            return
        account = loan.account.value
        own = find(ctx, account.mandate) if account.mandate else None
        chosen = own
        if own is None or own.value.status in domain.CLOSED:
            chosen = _usable(ctx, account.end_user) or own
        if chosen is None:
            return
        if (account.mandate, account.mandate_usable) != (chosen.value.id, chosen.value.usable):
            _put(ctx, loan, chosen)

    ctx.store.attempt(once)


def _usable(ctx: Context, end_user: str) -> Stored[Mandate] | None:
    """The end user's newest usable mandate."""
    theirs = ctx.store.each(
        MANDATE, ctx.partner.id, "owner", group={"end_user": end_user}, consistent=True
    )
    return next((one for one in theirs if one.value.usable), None)


def _loans_of(ctx: Context, mandate: Mandate) -> Iterator[str]:
    """The end user's open loans, and those that the mandate is set on."""
    group = {"end_user": mandate.end_user}
    named = [*mandate.loans]
    named += [one.value.id for one in ctx.store.each(TERMS, ctx.partner.id, "owner", group=group)]
    yield from (loan.account.value.id for loan in open_loans(ctx, dict.fromkeys(named)))


def open_loans(ctx: Context, ids: Iterable[str]) -> list[Loan]:
    """Those of the loans that are neither closed nor cancelled."""
    found = with_accounts(ctx, ids, consistent=True).values()
    return [loan for loan in found if loan.account.value.status not in LOAN.refusals]


def _some(ids: Iterator[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for one in ids:
        some.append(one)
        if len(some) == MESSAGES_A_COMMIT:
            yield some
            some = []
    if some:
        yield some


def with_loans(ctx: Context, loan_ids: Iterable[str]) -> list[Stored[Mandate]]:
    """The mandates that the loans are collected by, each once."""
    found = with_accounts(ctx, loan_ids).values()
    ids = dict.fromkeys(filter(None, (loan.account.value.mandate for loan in found)))
    return list(ctx.store.get_many(MANDATE, ctx.partner.id, ids, consistent=False).values())


def of_products(ctx: Context, loan_ids: Iterable[str], products: set[str]) -> set[str]:
    """Those of the loans that are of one of the products."""
    found = ctx.store.get_many(TERMS, ctx.partner.id, loan_ids, consistent=False)
    return {loan for loan, terms in found.items() if terms.value.product in products}
