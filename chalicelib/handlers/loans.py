"""``/loan/``: the accounts themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from chalicelib.domain.ledger import Balances
from chalicelib.domain.money import pence
from chalicelib.domain.views import Payoff, ScheduleRow
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery, Query
from chalicelib.handlers.values import (
    Count,
    Day,
    Instant,
    MoneyOut,
    PositiveMoney,
    Rate,
    RateOut,
    TextRule,
    Uuid,
    Whole,
)
from chalicelib.usecases import loan_lists, loans
from chalicelib.usecases.context import Context, Source
from chalicelib.usecases.loans import Shown

api = Resource("/loan", tag="Loans")

READ_ONLY = frozenset(
    [
        "end_user",
        "product",
        "status",
        "principal",
        "interest",
        "fee",
        "pending_principal",
        "pending_interest",
        "pending_fee",
        "overpayment",
        "written_off",
        "is_interest_calculation_enabled",
        "close_reason",
        "close_substatus",
        "mandate",
        "disbursed_at",
        "next_repayment_date",
        "next_repayment_amount",
        "late_since",
        "arrears_since",
        "days_past_due",
        "apr",
        "investor",
    ]
)
CLOSE_REFUSALS = ("loan_not_open", "invalid_status", "transaction_pending", "outstanding_balance")


class LoanIn(Body):
    """What a loan is opened with; all but the application comes from it where it is missing."""

    read_only = Body.read_only | READ_ONLY

    application: Uuid
    amount: PositiveMoney | None = None
    rate: Rate | None = None
    installments: Annotated[int, Whole(1, 600)] | None = None
    grace_instalments: Annotated[int, Whole(0, 599)] | None = None
    principal_repayment_grace: Annotated[int, Whole(0, 599)] | None = None
    arrears_tolerance: Count | None = None


class LoanOut(Out):
    """A loan on the business date; balances are exact ones rounded half up."""

    id: str
    application: str
    end_user: str
    product: str
    amount: MoneyOut
    rate: RateOut
    installments: int | None
    grace_instalments: int | None
    principal_repayment_grace: int | None
    arrears_tolerance: int
    status: str
    principal: MoneyOut
    interest: MoneyOut
    fee: MoneyOut
    pending_principal: MoneyOut
    pending_interest: MoneyOut
    pending_fee: MoneyOut
    overpayment: MoneyOut
    written_off: MoneyOut
    is_interest_calculation_enabled: bool
    close_reason: str
    close_substatus: str
    mandate: str | None
    disbursed_at: date | None
    next_repayment_date: date | None
    next_repayment_amount: MoneyOut | None
    late_since: date | None
    arrears_since: date | None
    days_past_due: int
    apr: RateOut | None
    investor: str | None
    created_at: Instant
    updated_at: Instant


def loan_out(_: Context, shown: Shown) -> Mapping[str, Any]:
    """A loan as its resource shows it."""
    view = shown.view
    terms, account = view.terms, view.account
    has_rows = terms.has_rows
    return {
        "id": terms.id,
        "application": terms.application,
        "end_user": terms.end_user,
        "product": terms.product,
        "amount": terms.amount,
        "rate": terms.rate,
        "installments": terms.installments if has_rows else None,
        "grace_instalments": terms.grace_instalments if has_rows else None,
        "principal_repayment_grace": terms.principal_repayment_grace if has_rows else None,
        "arrears_tolerance": terms.arrears_tolerance,
        "status": account.status,
        "principal": account.principal,
        "interest": account.interest,
        "fee": account.fee,
        "pending_principal": account.pending.principal,
        "pending_interest": account.pending.interest,
        "pending_fee": account.pending.fee,
        "overpayment": account.overpayment,
        "written_off": account.written_off,
        "is_interest_calculation_enabled": account.interest_enabled,
        "close_reason": account.close_reason,
        "close_substatus": account.close_substatus,
        "mandate": account.mandate,
        "disbursed_at": account.disbursed_on,
        "next_repayment_date": view.next_repayment_date,
        "next_repayment_amount": view.next_repayment_amount,
        "late_since": account.late_since,
        "arrears_since": account.arrears_since,
        "days_past_due": view.days_past_due,
        "apr": account.apr,
        "investor": terms.investor,
        "created_at": shown.created_at,
        "updated_at": shown.updated_at,
    }


@api.collection(answer=LoanOut, view=loan_out, summary="List loans")
def listing(ctx: Context, query: PageQuery) -> Source[Shown]:
    """All loans of the partner, newest first."""
    return loan_lists.listing(ctx, query.criteria)


@api.post(
    body=LoanIn,
    answer=LoanOut,
    view=loan_out,
    summary="Open a loan for an approved application",
    refuses=("application_not_approved", "loan_exists", "invalid_status"),
)
def create(ctx: Context, body: LoanIn) -> Shown:
    """Open a loan; nothing is disbursed yet."""
    values = body.values()
    return loans.open_loan(ctx, values.pop("application"), values)


class AsOfQuery(Query):
    """An earlier day, at the end of which the account is shown as it was known then."""

    as_of: Day | None = None


@api.get("/{pk}", query=AsOfQuery, answer=LoanOut, view=loan_out, summary="Read a loan")
def read(ctx: Context, pk: str, query: AsOfQuery) -> Shown:
    """The loan on the business date, or with ``as_of`` as it was known at the end of that day."""
    return loans.read(ctx, pk, query.as_of)


class RowOut(Out):
    """One row of a running loan's schedule."""

    number: int
    due_date: date
    days: int
    principal: MoneyOut
    interest: MoneyOut
    total_amount: MoneyOut
    principal_after_repayment: MoneyOut
    status: str
    paid_principal: MoneyOut
    paid_interest: MoneyOut
    paid_at: date | None


class TotalsOut(Out):
    """The rows' sums, each rounded on its own."""

    principal: MoneyOut
    interest: MoneyOut
    total_amount: MoneyOut


class ScheduleOut(Out):
    """A term loan's schedule."""

    loan: str
    schedule: list[RowOut]
    totals: TotalsOut


def schedule_out(_: Context, found: tuple[str, list[ScheduleRow]]) -> Mapping[str, Any]:
    """The schedule with its totals."""
    loan_id, rows = found
    principal = sum((row.principal for row in rows), Decimal(0))
    interest = sum((row.interest for row in rows), Decimal(0))
    totals = {
        "principal": principal,
        "interest": interest,
        "total_amount": principal + interest,
    }
    return {"loan": loan_id, "schedule": rows, "totals": totals}


@api.get(
    "/{pk}/schedule",
    query=AsOfQuery,
    answer=ScheduleOut,
    view=schedule_out,
    summary="Read a term loan's schedule",
    refuses=("invalid_status",),
)
def schedule(ctx: Context, pk: str, query: AsOfQuery) -> tuple[str, list[ScheduleRow]]:
    """What each row bills and what has been paid of it, by now or at the end of ``as_of``."""
    return pk, loans.schedule(ctx, pk, query.as_of)


class PayoffQuery(Query):
    """The day on which the loan is to be settled."""

    date: Day | None = None


class PayoffOut(Out):
    """What settles a loan."""

    date: date
    principal: MoneyOut
    interest: MoneyOut
    fee: MoneyOut
    total: MoneyOut


def payoff_out(_: Context, payoff: Payoff) -> Mapping[str, Any]:
    """A payoff as it is shown."""
    owed: Balances = payoff.owed
    return {"date": payoff.date, **owed._asdict(), "total": pence(payoff.total)}


@api.get(
    "/{pk}/payoff",
    query=PayoffQuery,
    answer=PayoffOut,
    view=payoff_out,
    summary="Ask what settles a loan",
)
def payoff(ctx: Context, pk: str, query: PayoffQuery) -> Payoff:
    """Balances with the interest that will have accrued by the date."""
    return loans.payoff(ctx, pk, query.date)


class CloseIn(Body):
    """Why a loan is closed, and how."""

    close_reason: Annotated[str, TextRule(0, 500)] = ""
    close_substatus: Literal["paid_in_full", "written_off"]


@api.post(
    "/{pk}/close",
    body=CloseIn,
    answer=LoanOut,
    view=loan_out,
    summary="Close a loan",
    refuses=CLOSE_REFUSALS,
)
def close(ctx: Context, pk: str, body: CloseIn) -> Shown:
    """Close a loan that is paid, or write off what is owed."""
    return loans.close(ctx, pk, body.close_reason, body.close_substatus)


@api.post(
    "/{pk}/make_arrears",
    answer=LoanOut,
    view=loan_out,
    summary="Put a loan into arrears by hand",
    refuses=("loan_not_open", "invalid_status"),
)
def make_arrears(ctx: Context, pk: str) -> Shown:
    """From active or late."""
    return loans.set_status(ctx, pk, "make_arrears")


@api.post(
    "/{pk}/make_default",
    answer=LoanOut,
    view=loan_out,
    summary="Put a loan into default by hand",
    refuses=("loan_not_open", "invalid_status"),
)
def make_default(ctx: Context, pk: str) -> Shown:
    """From active, late or arrears."""
    return loans.set_status(ctx, pk, "make_default")


@api.post(
    "/{pk}/stop_interest_calculation",
    answer=LoanOut,
    view=loan_out,
    summary="Stop interest",
    refuses=("loan_not_open",),
)
def stop_interest(ctx: Context, pk: str) -> Shown:
    """No night is charged until interest is started again; the same again changes nothing."""
    return loans.set_interest(ctx, pk, enabled=False)


@api.post(
    "/{pk}/start_interest_calculation",
    answer=LoanOut,
    view=loan_out,
    summary="Start interest again",
    refuses=("loan_not_open",),
)
def start_interest(ctx: Context, pk: str) -> Shown:
    """Nights are charged again from the coming one on; the same again changes nothing."""
    return loans.set_interest(ctx, pk, enabled=True)


@api.post(
    "/{pk}/cancel",
    answer=LoanOut,
    view=loan_out,
    summary="Cancel a loan",
    refuses=("loan_not_open", "invalid_status", "transaction_pending"),
)
def cancel(ctx: Context, pk: str) -> Shown:
    """Only before its first disbursement."""
    return loans.cancel(ctx, pk)


borrower_api = Resource("/end_user", tag="End users")


@borrower_api.collection(
    "/{pk}/loans", answer=LoanOut, view=loan_out, summary="List a borrower's loans"
)
def of_end_user(ctx: Context, pk: str, query: PageQuery) -> Source[Shown]:
    """Newest first."""
    return loan_lists.of_borrower(ctx, pk, query.criteria)
