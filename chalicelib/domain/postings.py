"""Double entry: what each transaction posts to which account.

A transaction that counts posts balanced lines over a small fixed chart; one that is reverted or
failed, or has not happened yet, posts nothing.  Money moves in whole pence, balances are exact, so
a line of ``rounding_differences`` takes what lies between them (partner API, "Money inside the
ledger" and "As of, preview, reports").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain.ledger import Balances, Run, Transaction
from chalicelib.domain.money import ZERO, exact, pence

PRINCIPAL = "loan_principal"
INTEREST = "interest_receivable"
FEES = "fees_receivable"
CASH = "cash_clearing"
TRANSIT = "repayments_in_transit"
OVERPAID = "overpayments_held"
INTEREST_INCOME = "interest_income"
FEE_INCOME = "fee_income"
LOSSES = "losses"
ROUNDING = "rounding_differences"

#: The chart, in the order of reports: account -> what kind of account it is.
CHART: Mapping[str, str] = {
    PRINCIPAL: "asset",
    INTEREST: "asset",
    FEES: "asset",
    CASH: "asset",
    TRANSIT: "asset",
    OVERPAID: "liability",
    INTEREST_INCOME: "income",
    FEE_INCOME: "income",
    LOSSES: "expense",
    ROUNDING: "expense",
}

DEBIT, CREDIT = 1, -1
MONEY = "money"  # cash; while a repayment that counts is on its way: repayments in transit


class Leg(NamedTuple):
    """One line of a posting: which side of which account takes which figure."""

    side: int
    account: str
    figure: str  # principal | interest | fee | total | amount | overpayment


_LENT = (
    Leg(DEBIT, PRINCIPAL, "principal"),
    Leg(DEBIT, INTEREST, "interest"),
    Leg(DEBIT, FEES, "fee"),
)
_TAKEN = tuple(leg._replace(side=CREDIT) for leg in _LENT)
_HELD = Leg(CREDIT, OVERPAID, "overpayment")  # signed: what is paid out of it is a debit

#: Type of transaction -> what it posts.  ``total`` is the split's; ``amount`` is money that moves.
POSTINGS: Mapping[str, tuple[Leg, ...]] = {
    "disbursement": (*_LENT, Leg(CREDIT, MONEY, "amount")),
    "repayment": (Leg(DEBIT, MONEY, "amount"), *_TAKEN, _HELD),
    "interest": (*_LENT, Leg(CREDIT, INTEREST_INCOME, "total")),
    "fee": (*_LENT, Leg(CREDIT, FEE_INCOME, "total")),
    "write_off": (Leg(DEBIT, LOSSES, "total"), *_TAKEN),
    "rounding": (*_LENT, Leg(CREDIT, ROUNDING, "total")),  # signed
    "chargeback": (*_LENT, _HELD, Leg(CREDIT, MONEY, "amount")),
    "refund": (_HELD, Leg(CREDIT, MONEY, "amount")),
    "allocation": (_HELD, *_TAKEN),
}


class Line(NamedTuple):
    """One line of the journal; one of its sides is zero, neither is negative."""

    account: str
    debit: Decimal
    credit: Decimal

    @property
    def net(self) -> Decimal:
        """Debit less credit."""
        return self.debit - self.credit

    @classmethod
    def of(cls, account: str, net: Decimal) -> Line:
        """The line that adds ``net`` to an account: a debit, or below zero a credit."""
        return cls(account, max(net, ZERO), max(-net, ZERO))


@exact
def lines(item: Transaction) -> tuple[Line, ...]:
    """The balanced lines of a transaction; none if it does not count.

    A manual repayment counts while it is pending: its money is in transit until it is applied.
    """
    if not item.counts:
        return ()
    figures = {
        **item.split._asdict(),
        "total": item.split.total,
        "amount": pence(item.amount),
        "overpayment": item.overpayment,
    }
    money = CASH if item.status == "applied" else TRANSIT
    found = [
        Line.of(money if leg.account == MONEY else leg.account, leg.side * figures[leg.figure])
        for leg in POSTINGS[item.type]
        if figures[leg.figure]
    ]
    rest = sum((line.net for line in found), ZERO)
    if rest:
        found.append(Line.of(ROUNDING, -rest))
    return tuple(found)


@exact
def night_lines(run: Run) -> tuple[Line, ...]:
    """The lines of all nights of a run together; none if they were taken back."""
    total = ZERO if run.reverted_by else run.total
    if not total:
        return ()
    return (Line.of(INTEREST, total), Line.of(INTEREST_INCOME, -total))


@exact
def nets(items: Iterable[Transaction], runs: Iterable[Run]) -> dict[str, Decimal]:
    """What transactions and nights add up to: account -> debits less credits, exact."""
    found = dict.fromkeys(CHART, ZERO)
    for item in items:
        for line in lines(item):
            found[line.account] += line.net
    for run in runs:
        for line in night_lines(run):
            found[line.account] += line.net
    return found


def held(balances: Balances, overpayment: Decimal) -> dict[str, Decimal]:
    """What the accounts that mirror a loan's balances must stand at."""
    return {
        PRINCIPAL: balances.principal,
        INTEREST: balances.interest,
        FEES: balances.fee,
        OVERPAID: -overpayment,
    }
