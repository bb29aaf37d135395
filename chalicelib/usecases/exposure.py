"""What a borrower already owes, for the decision on a new application."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from chalicelib.domain.money import ZERO
from chalicelib.domain.status import OPEN
from chalicelib.usecases import loans

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

PAGE = 100


@dataclass(frozen=True, slots=True)
class Exposure:
    """Open loans, all that is owed on them, and the longest that one is past due."""

    open_loans: int = 0
    outstanding: Decimal = ZERO
    worst_days_past_due: int = 0


def of(ctx: Context, end_user_id: str) -> Exposure:
    """The borrower's exposure on the business date."""
    count, owed, worst = 0, ZERO, 0
    cursor: str | None = None
    while True:
        page = loans.of_end_user(ctx, end_user_id, PAGE, 0, cursor)
        for shown in page.results:
            if shown.view.account.status in OPEN:
                count += 1
                owed += loans.outstanding(shown)
                worst = max(worst, shown.view.days_past_due)
        cursor = page.cursor
        if cursor is None:
            return Exposure(count, owed, worst)
