"""``/statement/``: the monthly statements of revolving credit."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out, PageQuery
from chalicelib.handlers.values import Instant, MoneyOut
from chalicelib.models.keys import STATEMENT
from chalicelib.usecases import views
from chalicelib.usecases.context import Context, Source

if TYPE_CHECKING:
    from chalicelib.domain.statements import Statement
    from chalicelib.models.unit import Stored

api = Resource("/statement", tag="Statements")


class StatementOut(Out):
    """One closed period of a loan, with the minimum repayment that is due for it."""

    id: str
    loan: str
    end_user: str
    product: str
    number: int
    period_start: date
    period_end: date
    opening_balance: MoneyOut
    closing_balance: MoneyOut
    principal: MoneyOut
    interest: MoneyOut
    fee: MoneyOut
    minimum_repayment: MoneyOut
    due_date: date
    repaid: MoneyOut
    status: Literal["open", "paid", "missed"]
    transactions: list[str]
    created_at: Instant
    updated_at: Instant


@api.collection(answer=StatementOut, summary="List statements")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[Statement]]:
    """Newest first."""
    return views.listing(ctx, STATEMENT, query.criteria)


@api.get("/{pk}", answer=StatementOut, summary="Read a statement")
def read(ctx: Context, pk: str) -> Stored[Statement]:
    """One statement."""
    return views.read(ctx, STATEMENT, "statement", pk)
