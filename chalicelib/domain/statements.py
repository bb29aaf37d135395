"""Monthly statements of revolving credit (partner API, Statements)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

OPEN, PAID, MISSED = "open", "paid", "missed"


@dataclass(frozen=True, slots=True)
class Statement:
    """One closed period of a loan.

    ``end_user`` and ``product`` are the loan's; ``principal``, ``interest`` and ``fee`` are the
    closing balances; ``repaid`` is what has been repaid of the ``minimum_repayment`` that is due on
    ``due_date``; ``transactions`` are ids.
    """

    id: str
    loan: str
    end_user: str
    product: str
    number: int
    period_start: date
    period_end: date
    opening_balance: Decimal
    closing_balance: Decimal
    principal: Decimal
    interest: Decimal
    fee: Decimal
    minimum_repayment: Decimal
    due_date: date
    repaid: Decimal = Decimal(0)
    status: str = OPEN
    transactions: tuple[str, ...] = ()
