"""``/product/``: what a partner lends, and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, field_serializer, model_validator

from chalicelib.domain.account import DefaultFee
from chalicelib.domain.products import Product
from chalicelib.domain.quotes import Quote
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery, Query
from chalicelib.handlers.values import (
    Day,
    Flag,
    Instant,
    Money,
    MoneyOut,
    Number,
    Percent,
    PositiveMoney,
    Rate,
    RateOut,
    Text,
    Whole,
    money,
    plain,
)
from chalicelib.usecases import products
from chalicelib.usecases.context import Context, Source

if TYPE_CHECKING:
    from chalicelib.models.unit import Stored

api = Resource("/product", tag="Products", alias="/products/product")

MOST_FEES = 50
MOST_DAYS = 3650
MOST_RETRIES = 10

ProductType = Literal[
    "revolving_credit",
    "line_of_credit",
    "simple_revolving_credit",
    "term_loan_equal_principal",
    "term_loan_equal_instalments",
    "term_loan",
]
Calculation = Literal["equal_principal_payments", "equal_instalments"]
Recalculation = Literal["from_last_instalment", "reduced_instalments"]
HolidayScheduling = Literal[
    "last_business_day_before_the_day", "first_business_day_after_the_day", "on_day"
]
DateType = Literal["day_of_month", "last_day_of_month", "first_day_of_month"]
Balance = Literal["fee", "interest", "principal"]  # in the order of the default
DayOfMonth = Annotated[int, Whole(1, 31)]
Installments = Annotated[int, Whole(1, 600)]
Grace = Annotated[int, Whole(0, 599)]
Days = Annotated[int, Whole(0, MOST_DAYS)]


class FeeIn(Body):
    """A fee by name: ``flat`` money or ``percent`` of the account's balance.

    The older spellings ``Amount`` and ``Event`` are taken too.
    """

    name: Text
    type: Literal["flat", "percent"]
    amount: Annotated[Decimal, Number(12, 6, above=Decimal(0))]
    event: Literal["disbursement", "arrears", "default", "manual"]

    @model_validator(mode="before")
    @classmethod
    def _spelling(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {"Amount": "amount", "Event": "event"}
        return {
            known[name] if name in known and known[name] not in data else name: value
            for name, value in data.items()
        }


def _listed(value: Any) -> Any:
    """One fee may come without its list."""
    return [value] if isinstance(value, dict) else value


Fees = Annotated[list[FeeIn], BeforeValidator(_listed), Field(max_length=MOST_FEES)]
#: Each balance once: the domain says so of the whole list.
Allocation = Annotated[
    list[Balance], Field(max_length=3, json_schema_extra={"minItems": 3, "uniqueItems": True})
]


class ProductIn(Body):
    """A product; everything but ``type``, ``name`` and the maxima has a default or may wait."""

    read_only: ClassVar[frozenset[str]] = frozenset({"is_draft"})

    type: ProductType
    name: Text
    max_loan_amount: PositiveMoney
    default_loan_amount: PositiveMoney | None = None
    max_interest_rate: Rate
    default_interest_rate: Rate | None = None
    installments: Installments | None = None
    default_grace_instalments: Grace = 0
    principal_repayment_grace: Grace = 0
    default_fees: Fees = Field(default_factory=list)
    arrears_tolerance: Days = 7
    default_tolerance: Days | None = None
    interest_calculation: Calculation | None = None
    early_repayment_recalculation: Recalculation = "from_last_instalment"
    repayment_holiday_scheduling: HolidayScheduling = "on_day"
    calculate_interest_on_holidays: Flag = True
    repayment_date_type: DateType | None = None
    repayment_date_period: DayOfMonth | None = None
    statement_day: DayOfMonth | None = None
    minimum_repayment_percentage: Percent | None = None
    minimum_repayment_amount: Money | None = None
    repayment_allocation: Allocation = Field(default_factory=lambda: [*get_args(Balance)])
    automatic_collection: Flag = True
    collection_retries: Annotated[int, Whole(0, MOST_RETRIES)] = 2
    sell_to_blackmoon: Flag = False


class FeeOut(Out):
    """A default fee; ``amount`` is money or a percentage by its ``type``."""

    name: str
    type: str
    amount: Annotated[Decimal, WithJsonSchema({"type": "number", "format": "decimal"})]
    event: str

    @field_serializer("amount")
    def _amount(self, amount: Decimal) -> Decimal:
        return money(amount) if self.type == "flat" else plain(amount)


class ProductOut(Out):
    """A product; values that do not concern its type are shown as they were sent."""

    id: str
    type: str
    is_draft: bool
    name: str
    max_loan_amount: MoneyOut
    default_loan_amount: MoneyOut | None
    max_interest_rate: RateOut
    default_interest_rate: RateOut | None
    installments: int | None
    default_grace_instalments: int
    principal_repayment_grace: int
    default_fees: list[FeeOut]
    arrears_tolerance: int
    default_tolerance: int | None
    interest_calculation: str | None
    early_repayment_recalculation: str
    repayment_holiday_scheduling: str
    calculate_interest_on_holidays: bool
    repayment_date_type: str | None
    repayment_date_period: int | None
    statement_day: int | None
    minimum_repayment_percentage: RateOut | None
    minimum_repayment_amount: MoneyOut | None
    repayment_allocation: list[str]
    automatic_collection: bool
    collection_retries: int
    sell_to_blackmoon: bool
    created_at: Instant
    updated_at: Instant


class QuoteQuery(Query):
    """The loan to quote; what is not said comes from the product."""

    amount: PositiveMoney | None = None
    rate: Rate | None = None
    installments: Installments | None = None
    grace_instalments: Grace | None = None
    principal_repayment_grace: Grace | None = None
    start_date: Day | None = None


class QuoteRowOut(Out):
    """One repayment; ``days`` are the nights that are charged."""

    number: int
    due_date: date
    days: int
    principal: MoneyOut
    interest: MoneyOut
    total_amount: MoneyOut
    principal_after_repayment: MoneyOut


class QuoteTotalsOut(Out):
    """The sums of the exact rows, each rounded on its own."""

    principal: MoneyOut
    interest: MoneyOut
    total_amount: MoneyOut


class QuoteOut(Out):
    """A schedule with its totals and its annual percentage rate of charge."""

    product: str
    amount: MoneyOut
    rate: RateOut
    installments: int
    start_date: date
    first_repayment_date: date
    schedule: list[QuoteRowOut]
    totals: QuoteTotalsOut
    apr: RateOut | None


def shown(_: Context, stored: Stored[Product]) -> Mapping[str, Any]:
    """A product as its resource shows it."""
    values = {each.name: getattr(stored.value, each.name) for each in fields(Product)}
    return {**values, "created_at": stored.created_at, "updated_at": stored.updated_at}


def _values(body: ProductIn) -> dict[str, Any]:
    """What was sent, in the domain's own types."""
    values = body.values()
    if "default_fees" in values:
        values["default_fees"] = tuple(
            DefaultFee(fee.name, fee.type, fee.amount, fee.event) for fee in values["default_fees"]
        )
    if "repayment_allocation" in values:
        values["repayment_allocation"] = tuple(values["repayment_allocation"])
    return values


@api.collection(answer=ProductOut, view=shown)
def listing(ctx: Context, query: PageQuery) -> Source[Stored[Product]]:
    """List products."""
    return products.listing(ctx, query.criteria)


@api.post(body=ProductIn, answer=ProductOut, view=shown)
def create(ctx: Context, body: ProductIn) -> Stored[Product]:
    """Create a product, as a draft."""
    return products.create(ctx, _values(body))


@api.get("/{pk}", answer=ProductOut, view=shown)
def read(ctx: Context, pk: str) -> Stored[Product]:
    """Read a product."""
    return products.read(ctx, pk)


@api.put("/{pk}", body=ProductIn, answer=ProductOut, view=shown, refuses=("product_published",))
@api.patch("/{pk}", body=ProductIn, answer=ProductOut, view=shown, refuses=("product_published",))
def change(ctx: Context, pk: str, body: ProductIn) -> Stored[Product]:
    """Change a draft."""
    return products.change(ctx, pk, _values(body))


@api.delete("/{pk}", refuses=("product_published",))
def delete(ctx: Context, pk: str) -> None:
    """Delete a draft."""
    products.delete(ctx, pk)


@api.post("/{pk}/publish", answer=ProductOut, view=shown, refuses=("product_published",))
def publish(ctx: Context, pk: str) -> Stored[Product]:
    """Publish a draft: from then on it can be lent and never changes."""
    return products.publish(ctx, pk)


@api.get("/{pk}/quote", query=QuoteQuery, answer=QuoteOut, refuses=("invalid_status",))
def quote(ctx: Context, pk: str, query: QuoteQuery) -> Quote:
    """Quote a term loan: its schedule, its totals and its APR."""
    return products.quote(ctx, pk, query.model_dump(exclude={"start_date"}), query.start_date)
