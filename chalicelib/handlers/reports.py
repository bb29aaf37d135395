"""``/report/``: the books on a date, what investors are due; computed when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import JsonSchemaValue

from chalicelib.handlers.openapi.refs import uuid_of
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out, Query
from chalicelib.handlers.values import Day, MoneyOut, Rule, Text, flaw
from chalicelib.usecases.context import Context

if TYPE_CHECKING:
    from chalicelib.domain.reports import Portfolio, TrialBalance
    from chalicelib.domain.servicing import Part, Settlement

api = Resource("/report", tag="Reports")

LedgerAccount = Literal[
    "loan_principal",
    "interest_receivable",
    "fees_receivable",
    "loans_sold",
    "cash_clearing",
    "repayments_in_transit",
    "cession_clearing",
    "overpayments_held",
    "investors_payable",
    "interest_income",
    "fee_income",
    "servicing_fee_income",
    "origination_fee_income",
    "sale_results",
    "losses",
    "investors_share",
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
        {"account": "loans_sold", **_pounds(debit="0.00", credit="0.00")},
        {"account": "cash_clearing", **_pounds(debit="0.00", credit="1827.45")},
        {"account": "repayments_in_transit", **_pounds(debit="0.00", credit="0.00")},
        {"account": "cession_clearing", **_pounds(debit="0.00", credit="0.00")},
        {"account": "overpayments_held", **_pounds(debit="0.00", credit="0.00")},
        {"account": "investors_payable", **_pounds(debit="0.00", credit="0.00")},
        {"account": "interest_income", **_pounds(debit="0.00", credit="19.62")},
        {"account": "fee_income", **_pounds(debit="0.00", credit="12.00")},
        {"account": "servicing_fee_income", **_pounds(debit="0.00", credit="0.00")},
        {"account": "origination_fee_income", **_pounds(debit="0.00", credit="0.00")},
        {"account": "sale_results", **_pounds(debit="0.00", credit="0.00")},
        {"account": "losses", **_pounds(debit="0.00", credit="0.00")},
        {"account": "investors_share", **_pounds(debit="0.00", credit="0.00")},
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
#: A loan that paid 169.03, and one whose payment of the month before was charged back.
_SETTLEMENT: dict[str, Any] = {
    "investor": "24",
    "month": "2026-03",
    "rows": [
        {"loan": uuid_of("loan"), **_pounds(collected="169.03")}
        | _pounds(servicing_fee="25.78", payable="143.25"),
        {"loan": uuid_of("paid_loan"), **_pounds(collected="-100.00")}
        | _pounds(servicing_fee="-15.25", payable="-84.75"),
    ],
    "totals": _pounds(collected="69.03", servicing_fee="10.53", payable="58.50"),
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
    from chalicelib.usecases import reports

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
    from chalicelib.usecases import reports

    return reports.portfolio(ctx, query.date)


class MonthRule(Rule):
    """``YYYY-MM`` and nothing else; it is read as the month's first day."""

    pattern = r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])"

    def read(self, value: Any) -> date:
        """The first day of the month."""
        if isinstance(value, str) and re.fullmatch(self.pattern, value, re.ASCII):
            return date.fromisoformat(f"{value}-01")
        raise flaw("not_a_month", "Must be a month, YYYY-MM.")

    def schema(self) -> JsonSchemaValue:
        """As JSON Schema."""
        return {"type": "string", "pattern": f"^{self.pattern}$", "examples": ["2026-03"]}


class SettlementQuery(Query):
    """Whose month; ``csv`` gives the rows alone."""

    investor: Annotated[
        Text, Field(description="The investor's legal entity id, as offers and loans show it.")
    ]
    month: Annotated[
        date,
        MonthRule(),
        Field(description="None that has not begun; the one under way so far as it is known."),
    ]
    format: Annotated[
        Literal["json", "csv"] | None, Field(description="`csv` gives the rows alone.")
    ] = None


class SettlementTotalsOut(Out):
    """The sums of the rows."""

    collected: MoneyOut
    servicing_fee: MoneyOut
    payable: MoneyOut


class SettlementRowOut(Out):
    """One loan's month; what was taken back is negative."""

    loan: str
    collected: MoneyOut
    servicing_fee: MoneyOut
    payable: MoneyOut


class SettlementOut(Out):
    """What is the investor's of a month's payments; ``payable`` is what is left of ``collected``
    when the servicing fee has been taken off."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SETTLEMENT]})

    investor: str
    month: str
    rows: list[SettlementRowOut]
    totals: SettlementTotalsOut


def settlement_out(_: Context, report: Settlement) -> Mapping[str, Any]:
    """A settlement as it is shown."""
    return {
        "investor": report.investor,
        "month": report.month.isoformat()[:7],
        "rows": [{"loan": row.loan, **_parts(row.part)} for row in report.rows],
        "totals": _parts(report.totals),
    }


def _parts(part: Part) -> dict[str, Decimal]:
    return {**part._asdict(), "payable": part.payable}


@api.get(
    "/settlement",
    query=SettlementQuery,
    answer=SettlementOut,
    view=settlement_out,
    table="rows",
    summary="Read an investor's settlement",
    refuses=("conflict",),
)
def settlement(ctx: Context, query: SettlementQuery) -> Settlement:
    """What was collected in a month of loans that the investor owned, less the servicing fee.

    A payment counts in the month in which it became known, a chargeback, a failure or a revert with
    a minus in its own, so that a month that is over never changes. There is a row for each loan on
    which something happened. An investor that has bought nothing has none.
    """
    from chalicelib.usecases import settlements

    return settlements.settlement(ctx, query.investor, query.month)
