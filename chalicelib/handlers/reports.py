"""``/report/``: the books on a date, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chalicelib.domain.reports import Portfolio, TrialBalance
from chalicelib.handlers.openapi.refs import uuid_of
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out, Query
from chalicelib.handlers.values import Day, MoneyOut
from chalicelib.usecases import reports
from chalicelib.usecases.context import Context

api = Resource("/report", tag="Reports")

LedgerAccount = Literal[
    "loan_principal",
    "interest_receivable",
    "fees_receivable",
    "cash_clearing",
    "repayments_in_transit",
    "overpayments_held",
    "interest_income",
    "fee_income",
    "losses",
    "rounding_differences",
]
LoanStatus = Literal["inactive", "active", "late", "arrears", "default", "closed", "cancelled"]
Bucket = Literal["0", "1-30", "31-60", "61-90", "90+"]


def _pounds(**texts: str) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}


#: Two loans of 1,000.00 at 12 %, a month later: one has paid its first row, one is in arrears.
_TRIAL_BALANCE: dict[str, Any] = {
    "date": "2026-03-16",
    "accounts": [
        {"account": "loan_principal", **_pounds(debit="1836.66", credit="0.00")},
        {"account": "interest_receivable", **_pounds(debit="10.41", credit="0.00")},
        {"account": "fees_receivable", **_pounds(debit="12.00", credit="0.00")},
        {"account": "cash_clearing", **_pounds(debit="0.00", credit="1827.45")},
        {"account": "repayments_in_transit", **_pounds(debit="0.00", credit="0.00")},
        {"account": "overpayments_held", **_pounds(debit="0.00", credit="0.00")},
        {"account": "interest_income", **_pounds(debit="0.00", credit="19.62")},
        {"account": "fee_income", **_pounds(debit="0.00", credit="12.00")},
        {"account": "losses", **_pounds(debit="0.00", credit="0.00")},
        {"account": "rounding_differences", **_pounds(debit="0.00", credit="0.00")},
    ],
    **_pounds(total_debit="1859.07", total_credit="1859.07"),
}
_PRODUCT = uuid_of("product")
_PORTFOLIO: dict[str, Any] = {
    "date": "2026-03-16",
    "rows": [
        {"product": _PRODUCT, "status": "inactive", "days_past_due": "0", "loans": 1}
        | _pounds(principal="0.00", interest="0.00", fee="0.00"),
        {"product": _PRODUCT, "status": "active", "days_past_due": "0", "loans": 1}
        | _pounds(principal="836.66", interest="0.55", fee="0.00"),
        {"product": _PRODUCT, "status": "arrears", "days_past_due": "1-30", "loans": 1}
        | _pounds(principal="1000.00", interest="9.86", fee="12.00"),
    ],
    "totals": {"loans": 3, **_pounds(principal="1836.66", interest="10.41", fee="12.00")},
}


class ReportQuery(Query):
    """The end of which day; ``csv`` gives the rows alone."""

    date: Annotated[
        Day | None, Field(description="The business date unless told otherwise; none after it.")
    ] = None
    format: Annotated[
        Literal["json", "csv"] | None, Field(description="`csv` gives the rows alone.")
    ] = None


class AccountRowOut(Out):
    """One account's net, on one of its sides."""

    account: LedgerAccount
    debit: MoneyOut
    credit: MoneyOut


class TrialBalanceOut(Out):
    """Every account of the chart; the totals are equal, and the sums of the rows."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TRIAL_BALANCE]})

    date: date
    accounts: list[AccountRowOut]
    total_debit: MoneyOut
    total_credit: MoneyOut


@api.get(
    "/trial_balance",
    query=ReportQuery,
    answer=TrialBalanceOut,
    table="accounts",
    summary="Read the trial balance",
    refuses=("conflict",),
)
def trial_balance(ctx: Context, query: ReportQuery) -> TrialBalance:
    """What all loans have posted, as it was known at the end of the day.

    Each loan is rounded to pence, as it is shown, before it is added: the receivables are the sums
    of the loans' balances, ``overpayments_held`` of their ``overpayment``.  The pence that rounding
    leaves are ``rounding_differences``.
    """
    return reports.trial_balance(ctx, query.date)


class PortfolioRowOut(Out):
    """The loans of one product and status that are as many days past due."""

    product: str
    status: LoanStatus
    days_past_due: Bucket
    loans: int
    principal: MoneyOut
    interest: MoneyOut
    fee: MoneyOut


class PortfolioTotalsOut(Out):
    """The sums of the rows."""

    loans: int
    principal: MoneyOut
    interest: MoneyOut
    fee: MoneyOut


class PortfolioOut(Out):
    """The book; there is a row where there are loans."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PORTFOLIO]})

    date: date
    rows: list[PortfolioRowOut]
    totals: PortfolioTotalsOut


def portfolio_out(_: Context, report: Portfolio) -> Mapping[str, Any]:
    """A portfolio as it is shown."""
    rows = [
        {
            **cell._asdict(),
            "loans": sums.loans,
            "principal": sums.principal,
            "interest": sums.interest,
            "fee": sums.fee,
        }
        for cell, sums in report.rows
    ]
    return {"date": report.date, "rows": rows, "totals": report.totals}


@api.get(
    "/portfolio",
    query=ReportQuery,
    answer=PortfolioOut,
    view=portfolio_out,
    table="rows",
    summary="Read the portfolio",
    refuses=("conflict",),
)
def portfolio(ctx: Context, query: ReportQuery) -> Portfolio:
    """All loans by product, status and days past due, as known at the end of the day.

    Closed, cancelled and inactive loans are counted too; they owe nothing.
    """
    return reports.portfolio(ctx, query.date)
