"""Double entry: what each transaction posts to which account.

A transaction that counts posts balanced lines over a small fixed chart; one that is reverted or
failed, or has not happened yet, posts nothing.  Money moves in whole pence, balances are exact, so
a line of ``rounding_differences`` takes what lies between them (partner API, "Money inside the
ledger" and "As of, preview, reports").

A loan that was sold stays on the books as any other, since it is served as any other; what of it is
an investor's stands against it, in accounts of its own (``docs/adr/0020-servicing.md``).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain import servicing
from chalicelib.domain.blackmoon import DIRECT, REVERSE, TOPUP, Cession
from chalicelib.domain.ledger import Balances, Run, Transaction
from chalicelib.domain.money import ZERO, exact, pence
from chalicelib.domain.servicing import Sale

PRINCIPAL = "loan_principal"
INTEREST = "interest_receivable"
FEES = "fees_receivable"
SOLD = "loans_sold"
CASH = "cash_clearing"
TRANSIT = "repayments_in_transit"
CESSIONS = "cession_clearing"
OVERPAID = "overpayments_held"
PAYABLE = "investors_payable"
INTEREST_INCOME = "interest_income"
FEE_INCOME = "fee_income"
SERVICING_INCOME = "servicing_fee_income"
ORIGINATION_INCOME = "origination_fee_income"
SALES = "sale_results"
LOSSES = "losses"
SHARE = "investors_share"
ROUNDING = "rounding_differences"

#: The chart, in the order of reports: account -> what kind of account it is.
CHART: Mapping[str, str] = {
    PRINCIPAL: "asset",
    INTEREST: "asset",
    FEES: "asset",
    SOLD: "asset",  # against the ones before it
    CASH: "asset",
    TRANSIT: "asset",
    CESSIONS: "asset",
    OVERPAID: "liability",
    PAYABLE: "liability",
    INTEREST_INCOME: "income",
    FEE_INCOME: "income",
    SERVICING_INCOME: "income",
    ORIGINATION_INCOME: "income",
    SALES: "income",
    LOSSES: "expense",
    SHARE: "expense",  # against what was charged and lost
    ROUNDING: "expense",
}

DEBIT, CREDIT = 1, -1
MONEY = "money"  # cash; while a repayment that counts is on its way: repayments in transit


class Leg(NamedTuple):
    """One line of a posting: which side of which account takes which figure."""

    side: int
    account: str
    figure: str


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
    "rounding": (*_LENT, _HELD, Leg(CREDIT, ROUNDING, "total")),  # signed
    "chargeback": (*_LENT, _HELD, Leg(CREDIT, MONEY, "amount")),
    "refund": (_HELD, Leg(CREDIT, MONEY, "amount")),
    "allocation": (_HELD, *_TAKEN),
}

#: What the borrower owes, less what is held for the borrower: all that an investor buys.
CLAIM = frozenset({PRINCIPAL, INTEREST, FEES, OVERPAID})
#: What a transaction posts besides, while the loan is an investor's.  ``claim`` is by how much it
#: raises the claim; the others are the parts of what it collects.
INVESTORS = (
    Leg(CREDIT, SOLD, "claim"),
    Leg(CREDIT, PAYABLE, "payable"),
    Leg(CREDIT, SERVICING_INCOME, "servicing_fee"),
)
#: Where the rest of that goes: money lent is paid for by a cession, what else raises or lowers the
#: claim without a payment is the investor's income or loss.
RESTS: Mapping[str, str] = {**dict.fromkeys(POSTINGS, SHARE), "disbursement": SALES}
RETURNED = SALES  # a repayment that is a disbursement come back
#: Type of cession -> what it posts.  The origination fee comes on top of the price, once.
CESSION_POSTINGS: Mapping[str, tuple[Leg, ...]] = {
    DIRECT: (
        Leg(DEBIT, CESSIONS, "both"),
        Leg(CREDIT, SALES, "price"),
        Leg(CREDIT, ORIGINATION_INCOME, "origination_fee"),
    ),
    TOPUP: (Leg(DEBIT, CESSIONS, "price"), Leg(CREDIT, SALES, "price")),
    REVERSE: (Leg(DEBIT, SALES, "price"), Leg(CREDIT, CESSIONS, "price")),
}
#: The claim passes to an investor, at what it stands in the books; a reversal takes it back.
_PASSED = (Leg(CREDIT, SOLD, "claim"), Leg(DEBIT, SALES, "claim"))


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
    legs = (
        leg._replace(account=money) if leg.account == MONEY else leg for leg in POSTINGS[item.type]
    )
    return _balanced(_written(legs, figures), ROUNDING)


def _written(legs: Iterable[Leg], figures: Mapping[str, Decimal]) -> list[Line]:
    return [
        Line.of(leg.account, leg.side * figures[leg.figure]) for leg in legs if figures[leg.figure]
    ]


def _balanced(found: list[Line], account: str) -> tuple[Line, ...]:
    """The lines, and one that gives the rest to ``account``, if there is any."""
    rest = sum((line.net for line in found), ZERO)
    return (*found, Line.of(account, -rest)) if rest else tuple(found)


@exact
def night_lines(run: Run) -> tuple[Line, ...]:
    """The lines of all nights of a run together; none if they were taken back."""
    total = ZERO if run.reverted_by else run.total
    if not total:
        return ()
    return (Line.of(INTEREST, total), Line.of(INTEREST_INCOME, -total))


@exact
def nets(
    items: Sequence[Transaction], runs: Sequence[Run], sale: Sale | None = None
) -> dict[str, Decimal]:
    """What a loan has posted: account -> debits less credits, exact.

    ``sale`` is what is known of its sales.
    """
    found = dict.fromkeys(CHART, ZERO)
    posted = [line for item in items for line in lines(item)]
    posted += [line for run in runs for line in night_lines(run)]
    if sale is not None:
        posted += sale_lines(items, runs, sale)
    for line in posted:
        found[line.account] += line.net
    return found


# --- loans that were sold -------------------------------------------------------------------------


@exact
def cession_lines(cession: Cession) -> tuple[Line, ...]:
    """What is owed for a loan that was sold, or bought back; who has paid it is not known here."""
    fee = cession.origination_fee or ZERO
    figures = {"price": cession.price, "origination_fee": fee, "both": cession.price + fee}
    return tuple(_written(CESSION_POSTINGS[cession.type], figures))


@exact
def investor_lines(
    item: Transaction, servicing_fee: Decimal, returned: Container[str] = ()
) -> tuple[Line, ...]:
    """What a transaction posts besides, on a day on which the loan is an investor's.

    Money on its way is the investor's, but it is not payable before it is there.
    """
    if item.counts and item.status != "applied":
        return ()
    part = servicing.split(servicing.collected(item, returned), servicing_fee)
    figures = {
        "claim": claim(lines(item)),
        "payable": part.payable,
        "servicing_fee": part.servicing_fee,
    }
    rest = RETURNED if item.id in returned else RESTS[item.type]
    return _balanced(_written(INVESTORS, figures), rest)


def claim(found: Iterable[Line]) -> Decimal:
    """By how much lines raise what is owed, less what is held for the borrower."""
    return sum((line.net for line in found if line.account in CLAIM), ZERO)


@exact
def sale_lines(items: Sequence[Transaction], runs: Sequence[Run], sale: Sale) -> list[Line]:
    """All that a sold loan posts besides, oldest sale first.

    A loan that was sold before it is paid out has no price yet, and nothing to sell.
    """
    if not any(item.type == "disbursement" and item.counts for item in items):
        return []
    found = [line for cession in sale.cessions for line in cession_lines(cession)]
    returned = servicing.returns(items)
    for held in sale.holdings:
        found += _passed(items, runs, held.since, 1)
        for item in items:
            if held.on(item.effective_date):
                found += investor_lines(item, held.servicing_fee, returned)
        interest = sum((_nights(run, held.since, held.until) for run in runs), ZERO)
        found += _balanced(_written(INVESTORS[:1], {"claim": interest}), RESTS["interest"])
        if held.until is not None:
            found += _passed(items, runs, held.until, -1)
    return found


def _passed(
    items: Sequence[Transaction], runs: Sequence[Run], day: date, sign: int
) -> Iterator[Line]:
    """The claim as ``day`` began passes to an investor, or (``sign`` -1) back."""
    stood = sum((claim(lines(item)) for item in items if item.effective_date < day), ZERO)
    stood += sum((_nights(run, date.min, day) for run in runs), ZERO)
    yield from _written(_PASSED, {"claim": sign * stood})


def _nights(run: Run, since: date, until: date | None) -> Decimal:
    """The interest of a run's nights that end from ``since`` on and before ``until``."""
    first = max(run.first, since)
    last = run.last if until is None else min(run.last, until - timedelta(days=1))
    if run.reverted_by or last < first:
        return ZERO
    free = sum(first <= day <= last for day in run.skipped)
    return run.amount * ((last - first).days + 1 - free)


def held(balances: Balances, overpayment: Decimal) -> dict[str, Decimal]:
    """What the accounts that mirror a loan's balances must stand at."""
    return {
        PRINCIPAL: balances.principal,
        INTEREST: balances.interest,
        FEES: balances.fee,
        OVERPAID: -overpayment,
    }
