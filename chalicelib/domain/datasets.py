"""The two data sets that investors get, ``loans`` and ``repayments``, joined by the loan's id.

One row a loan, one row a repayment, as they were known at the end of a day.  Nothing in them says
who the borrower is: no name, birth date, address or bank detail, and no id of the person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from chalicelib.domain.account import Account, Terms
from chalicelib.domain.data_windows import CLOSED, instant_of, learnt_on
from chalicelib.domain.ledger import Batch, Transaction
from chalicelib.domain.money import ZERO, exact, pence
from chalicelib.domain.products import TYPES

Sort = Literal["text", "day", "instant", "money", "rate", "count", "flag"]
Row = Mapping[str, Any]


class Column(NamedTuple):
    """One column: our name, the name that investors read, and what its values are."""

    name: str
    title: str
    sort: Sort


LOANS: tuple[Column, ...] = (
    Column("loan_id", "loanId", "text"),
    Column("product_id", "productId", "text"),
    Column("product_type", "productType", "text"),
    Column("status", "status", "text"),
    Column("balance_on", "balanceDate", "day"),
    Column("currency", "currency", "text"),
    Column("loan_amount", "loanAmount", "money"),
    Column("rate", "interestRate", "rate"),
    Column("installments", "installments", "count"),
    Column("apr", "apr", "rate"),
    Column("opened_on", "createdDate", "day"),
    Column("disbursed_on", "disbursementDate", "day"),
    Column("disbursed_amount", "disbursedAmount", "money"),
    Column("disbursements", "disbursements", "text"),
    Column("matures_on", "maturityDate", "day"),
    Column("principal", "principal", "money"),
    Column("interest", "interestAmount", "money"),
    Column("fee", "feeAmount", "money"),
    Column("overpayment", "overpaymentAmount", "money"),
    Column("written_off", "writtenOffAmount", "money"),
    Column("days_past_due", "daysPastDue", "count"),
    Column("late_since", "lateSinceDate", "day"),
    Column("arrears_since", "arrearsSinceDate", "day"),
    Column("closed_on", "closedDate", "day"),
    Column("close_substatus", "closeSubstatus", "text"),
    Column("ever_ceded", "everSold", "flag"),
    Column("investor", "investorId", "text"),
)
REPAYMENTS: tuple[Column, ...] = (
    Column("repayment_id", "repaymentId", "text"),
    Column("loan_id", "loanId", "text"),
    Column("at", "datetime", "instant"),
    Column("amount", "amount", "money"),
    Column("type", "type", "text"),
    Column("status", "status", "text"),
    Column("principal", "principalAmount", "money"),
    Column("interest", "interestAmount", "money"),
    Column("fee", "feeAmount", "money"),
    Column("overpayment", "overpaymentAmount", "money"),
    Column("stated_amount", "statedAmount", "money"),
    Column("effective_on", "effectiveDate", "day"),
    Column("known_on", "knownDate", "day"),
    Column("currency", "currency", "text"),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {"loans": LOANS, "repayments": REPAYMENTS}
SUMMED: Mapping[str, str] = {"loans": "principal", "repayments": "amount"}
"""The column whose sum is compared with the ledger."""

_TERM_LOANS: Mapping[str, str] = {
    shape.calculation: name for name, shape in TYPES.items() if shape.calculation
}


@dataclass(frozen=True, slots=True)
class Known:
    """A loan as it was known at the end of ``day``.

    ``batches`` is its journal of that day; empty where it was not needed: of an open term loan to
    which nothing happened since, the account says all.  ``ceded`` and ``investor`` say whether it
    had ever been sold by then, and whose it was.
    """

    terms: Terms
    account: Account
    day: date
    opened_on: date
    days_past_due: int = 0
    batches: Sequence[Batch] = ()
    ceded: bool = False
    investor: str | None = None

    @property
    def closed_on(self) -> date | None:
        """When it was closed, the last time; ``None`` while it is not.

        A chargeback that had reopened it and was withdrawn leaves it closed as it had been; but it
        is closed anew, to whoever had read that it was open, since that day.
        """
        if self.account.status != CLOSED:
            return None
        moves = [
            (change.seq, change.on)
            for batch in self.batches
            for change in batch.changes
            if (change.field, change.after) == ("status", CLOSED)
        ]
        closed = max(moves)[1] if moves else self.account.as_of
        assert closed is not None
        return max((closed, *self._given_back(closed)))

    def _given_back(self, since: date) -> Iterable[date]:
        """The days on which chargebacks of ``since`` or later were withdrawn."""
        for batch in self.batches:
            for item in batch.transactions:
                withdrawn = (item.type, item.status) == ("chargeback", "reverted")
                if withdrawn and item.effective_date >= since:
                    yield learnt_on(item, batch, self.account) or since


def loan_row(loan: Known, currency: str) -> Row:
    """The row of a loan; money in whole pence, as its resource shows it."""
    terms, account = loan.terms, loan.account
    paid = disbursed(loan)
    return {
        "loan_id": terms.id,
        "product_id": terms.product,
        "product_type": product_type(terms),
        "status": account.status,
        "balance_on": loan.day,
        "currency": currency,
        "loan_amount": pence(terms.amount),
        "rate": terms.rate,
        "installments": terms.installments or None,
        "apr": account.apr,
        "opened_on": loan.opened_on,
        "disbursed_on": account.disbursed_on,
        "disbursed_amount": pence(sum((amount for _, amount in paid), ZERO)),
        "disbursements": ";".join(f"{on}:{pence(amount)}" for on, amount in paid) or None,
        "matures_on": terms.due_dates[-1].due if terms.due_dates else None,
        "principal": pence(account.principal),
        "interest": pence(account.interest),
        "fee": pence(account.fee),
        "overpayment": pence(account.overpayment),
        "written_off": pence(account.written_off),
        "days_past_due": loan.days_past_due,
        "late_since": account.late_since,
        "arrears_since": account.arrears_since,
        "closed_on": loan.closed_on,
        "close_substatus": account.close_substatus or None,
        "ever_ceded": loan.ceded,
        "investor": loan.investor,
    }


def product_type(terms: Terms) -> str:
    """The loan's type as its product's ``type`` says it (partner API, Products).

    However that was written: a term loan's names how its principal is repaid, which an investor's
    cash flow depends on.
    """
    return _TERM_LOANS[terms.interest_calculation] if terms.has_rows else terms.kind


def tells_what_was_paid_out(account: Account) -> bool:
    """Whether the account of a term loan still says so: its plan begins with the disbursement.

    An early repayment under ``reduced_instalments`` may have put another beginning in its place.
    """
    if not account.bases:
        return account.disbursed_on is None
    first = account.bases[0]
    return (first.first, first.start, first.last) == (1, account.disbursed_on, None)


def disbursed(loan: Known) -> list[tuple[date, Decimal]]:
    """What was paid out and when it counted, oldest first."""
    if not loan.batches and loan.account.bases:
        basis = loan.account.bases[0]
        return [(basis.start, basis.principal)] if loan.account.disbursed_on else []
    items = [
        item
        for batch in loan.batches
        for item in batch.transactions
        if item.type == "disbursement" and item.status == "applied"
    ]
    items.sort(key=lambda item: (item.effective_date, item.seq))
    return [(item.effective_date, item.amount) for item in items]


@exact
def repayment_row(item: Transaction, loan: Known, known_on: date, currency: str) -> Row:
    """The row of a repayment, or of a chargeback, which is negative.

    ``amount`` is what has arrived: nothing of one that failed late or was reverted.  What the
    transaction says is its ``stated_amount``.
    """
    sign = (1 if item.type == "repayment" else -1) if item.status == "applied" else 0
    principal, interest, fee = (pence(part * sign) for part in item.split)
    return {
        "repayment_id": item.id,
        "loan_id": item.loan,
        "at": instant_of(item),
        "amount": pence(item.amount * sign),
        "type": _type(item, loan),
        "status": item.status,
        "principal": principal,
        "interest": interest,
        "fee": fee,
        "overpayment": pence(item.overpayment * abs(sign)),
        "stated_amount": pence(item.amount),
        "effective_on": item.effective_date,
        "known_on": known_on,
        "currency": currency,
    }


def _type(item: Transaction, loan: Known) -> str:
    """``disbursement_return`` for money that came back from where it was paid out to."""
    if item.compensates is None or item.type != "repayment":
        return item.type
    paid_out = {
        one.id for batch in loan.batches for one in batch.transactions if one.type == "disbursement"
    }
    return "disbursement_return" if item.compensates in paid_out else item.type


def received(loan: Known) -> Iterable[tuple[Transaction, date]]:
    """What has arrived of a loan's repayments, or was taken back, and when that became known.

    A journal's order; the loan's journal has to be there.
    """
    for batch in loan.batches:
        for item in batch.transactions:
            known_on = learnt_on(item, batch, loan.account)
            if known_on is not None:
                yield item, known_on


# --- as text --------------------------------------------------------------------------------------


def _plain(value: Any) -> str:
    return format(value or abs(value), "f")  # nothing of a chargeback is 0.00, not -0.00


_TEXTS: Mapping[Sort, Callable[[Any], str]] = {
    "text": str,
    "day": date.isoformat,
    "instant": datetime.isoformat,
    "money": _plain,
    "rate": _plain,
    "count": str,
    "flag": lambda value: "true" if value else "false",
}


def texts(columns: Sequence[Column], row: Row) -> list[str]:
    """A row's cells in the order of ``columns``; nothing known is an empty one."""
    return ["" if row[name] is None else _TEXTS[sort](row[name]) for name, _, sort in columns]
