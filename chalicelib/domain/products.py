"""Products: what a partner lends, and on what terms.

A product is a draft until it is published; from then on it never changes (partner API, Products).
What a loan takes from it, its own wishes included, is settled here too: :meth:`Product.figures` and
:meth:`Product.terms`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from chalicelib.domain.account import (
    DEFAULT_ALLOCATION,
    LINE_OF_CREDIT,
    REVOLVING_CREDIT,
    TERM_LOAN,
    DefaultFee,
    Terms,
)
from chalicelib.domain.decision import Decision
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.money import PENNY, ZERO

EQUAL_PRINCIPAL = "equal_principal_payments"
EQUAL_INSTALMENTS = "equal_instalments"
MOST_PERCENT = Decimal(100)


class Shape(NamedTuple):
    """What a product's type says: the kind of loan and, for some, how interest is calculated."""

    kind: str
    calculation: str | None = None


#: Every type that is accepted; it is shown as it was sent.
TYPES: Mapping[str, Shape] = {
    "revolving_credit": Shape(REVOLVING_CREDIT),
    "line_of_credit": Shape(LINE_OF_CREDIT),
    "simple_revolving_credit": Shape(LINE_OF_CREDIT),
    "term_loan_equal_principal": Shape(TERM_LOAN, EQUAL_PRINCIPAL),
    "term_loan_equal_instalments": Shape(TERM_LOAN, EQUAL_INSTALMENTS),
    "term_loan": Shape(TERM_LOAN),
}


class Approved(Protocol):
    """What an approved application says of the loan; ``None`` leaves it to the product."""

    @property
    def id(self) -> str: ...
    @property
    def end_user(self) -> str: ...
    @property
    def amount(self) -> Decimal | None: ...
    @property
    def rate(self) -> Decimal | None: ...
    @property
    def installments(self) -> int | None: ...


class Figures(NamedTuple):
    """The figures of one loan, defaults filled in and limits checked.

    ``amount`` in money, ``rate`` in percent a year; the three counts are 0 without a schedule.
    """

    amount: Decimal
    rate: Decimal
    installments: int = 0
    grace_instalments: int = 0
    principal_repayment_grace: int = 0


#: A figure -> the product's field that it is taken from where it was not asked for.
DEFAULTS: Mapping[str, str] = {
    "amount": "default_loan_amount",
    "rate": "default_interest_rate",
    "installments": "installments",
    "grace_instalments": "default_grace_instalments",
    "principal_repayment_grace": "principal_repayment_grace",
}


#: A default -> what it must not be more than.
MAXIMA: Mapping[str, str] = {
    "default_loan_amount": "max_loan_amount",
    "default_interest_rate": "max_interest_rate",
}


@dataclass(frozen=True, slots=True)
class Product:
    """A product; money in the partner's currency, rates and percentages as ``5`` for 5 %.

    ``interest_calculation`` is what the type says or what was sent; ``None`` only where there is
    no schedule.  Tolerances are in days.
    """

    id: str
    type: str
    name: str
    max_loan_amount: Decimal
    max_interest_rate: Decimal
    is_draft: bool = True
    default_loan_amount: Decimal | None = None
    default_interest_rate: Decimal | None = None
    installments: int | None = None
    default_grace_instalments: int = 0
    principal_repayment_grace: int = 0
    default_fees: tuple[DefaultFee, ...] = ()
    arrears_tolerance: int = 7
    default_tolerance: int | None = None
    interest_calculation: str | None = None
    early_repayment_recalculation: str = "from_last_instalment"
    repayment_holiday_scheduling: str = "on_day"
    calculate_interest_on_holidays: bool = True
    repayment_date_type: str | None = None
    repayment_date_period: int | None = None
    statement_day: int | None = None
    minimum_repayment_percentage: Decimal | None = None
    minimum_repayment_amount: Decimal | None = None
    repayment_allocation: tuple[str, ...] = DEFAULT_ALLOCATION
    automatic_collection: bool = True
    collection_retries: int = 2
    sell_to_blackmoon: bool = False

    @property
    def kind(self) -> str:
        """``term_loan``, ``line_of_credit`` or ``revolving_credit``."""
        return TYPES[self.type].kind

    def figures(self, asked: Mapping[str, Any], approved_amount: Decimal | None = None) -> Figures:
        """The figures of a loan: what was ``asked`` for (absent or ``None``: the product's own).

        ``asked`` is keyed as :class:`Figures`; other keys are ignored.  Raises :class:`Invalid`
        with every figure that is missing, above the product's maxima or above what was approved.
        """
        wanted = {
            name: getattr(self, default) if asked.get(name) is None else asked[name]
            for name, default in DEFAULTS.items()
        }
        if self.kind != TERM_LOAN:
            wanted = {"amount": wanted["amount"], "rate": wanted["rate"]}
        flaws = [
            Flaw(name, "required", f"Required: the product has no {DEFAULTS[name]}.")
            for name, value in wanted.items()
            if value is None
        ]
        flaws += _beyond("amount", wanted["amount"], self.max_loan_amount, "max_loan_amount")
        flaws += _beyond("amount", wanted["amount"], approved_amount, "amount that was approved")
        flaws += _beyond("rate", wanted["rate"], self.max_interest_rate, "max_interest_rate")
        flaws += _too_much_grace(wanted, "grace_instalments", "principal_repayment_grace")
        if flaws:
            raise Invalid(*flaws)
        return Figures(**wanted)

    def terms(
        self,
        *,
        loan_id: str,
        application: Approved,
        asked: Mapping[str, Any],
        calendar: str,
        shard: int,
    ) -> Terms:
        """What is agreed when a loan is opened for an approved application.

        ``asked`` holds what the request says: any of :class:`Figures` and ``arrears_tolerance``;
        what it does not say comes from the application, then from the product.  ``calendar`` is an
        ISO 3166-2 code.  Raises :class:`Invalid` as :meth:`figures` does.
        """
        applied = {name: getattr(application, name) for name in ("amount", "rate", "installments")}
        wanted = {**applied, **{name: value for name, value in asked.items() if value is not None}}
        figures = self.figures(wanted, application.amount)
        terms = self.priced(figures, calendar)
        tolerance = wanted.get("arrears_tolerance", self.arrears_tolerance)
        return replace(
            terms,
            id=loan_id,
            application=application.id,
            end_user=application.end_user,
            arrears_tolerance=tolerance,
            shard=shard,
        )

    def priced(self, figures: Figures, calendar: str) -> Terms:
        """The terms of a loan that nobody has taken yet: without ids, for a quote."""
        return Terms(
            id="",
            application="",
            end_user="",
            product=self.id,
            kind=self.kind,
            **figures._asdict(),
            arrears_tolerance=self.arrears_tolerance,
            default_tolerance=self.default_tolerance,
            interest_calculation=self.interest_calculation or EQUAL_INSTALMENTS,
            early_repayment_recalculation=self.early_repayment_recalculation,
            calculate_interest_on_holidays=self.calculate_interest_on_holidays,
            repayment_date_type=self.repayment_date_type or "day_of_month",
            repayment_date_period=self.repayment_date_period,
            repayment_holiday_scheduling=self.repayment_holiday_scheduling,
            repayment_allocation=self.repayment_allocation,
            default_fees=self.default_fees,
            calendar=calendar,
            automatic_collection=self.automatic_collection,
            collection_retries=self.collection_retries,
            statement_day=self.statement_day,
            minimum_repayment_percentage=self.minimum_repayment_percentage or ZERO,
            minimum_repayment_amount=self.minimum_repayment_amount or ZERO,
        )


# --- decisions ------------------------------------------------------------------------------------


def create(product_id: str, values: Mapping[str, Any]) -> Decision[Product]:
    """A new draft of every field in ``values``.  Raises :class:`Invalid`."""
    says = TYPES[values["type"]].calculation
    calculation = values.get("interest_calculation") or says
    return _decided(Product(product_id, **{**values, "interest_calculation": calculation}))


def change(product: Product, values: Mapping[str, Any]) -> Decision[Product]:
    """The draft with other values: all of them (``PUT``) or some (``PATCH``).

    A new type that says how interest is calculated says it without being asked; one that does not
    leaves it as it was.  Raises :class:`Refused` (``product_published``) and :class:`Invalid`.
    """
    _refuse_published(product, "changed")
    says = TYPES[values.get("type", product.type)].calculation
    if "interest_calculation" in values:
        calculation = values["interest_calculation"] or says
    elif "type" in values:
        calculation = says or product.interest_calculation
    else:
        calculation = product.interest_calculation
    return _decided(replace(product, **{**values, "interest_calculation": calculation}))


def publish(product: Product) -> Decision[Product]:
    """The published product.

    Raises :class:`Refused` if it is published already, :class:`Invalid` with every field that its
    type still misses.
    """
    _refuse_published(product, "published again")
    missing = list(_missing(product))
    if missing:
        raise Invalid(*missing)
    return _decided(replace(product, is_draft=False))


def delete(product: Product) -> None:
    """Whether the product may go; :class:`Refused` once it is published."""
    _refuse_published(product, "deleted")


def _refuse_published(product: Product, done: str) -> None:
    if not product.is_draft:
        message = f"The product {product.name!r} is published and cannot be {done}."
        raise Refused("product_published", message, {"product": product.id})


# --- rules between fields -------------------------------------------------------------------------


def _decided(product: Product) -> Decision[Product]:
    flaws = list(_flaws(product))
    if flaws:
        raise Invalid(*flaws)
    return Decision(product)


def _flaws(product: Product) -> Iterator[Flaw]:
    yield from _calculation_flaws(product)
    if product.kind == TERM_LOAN:
        if product.installments is None:
            yield Flaw("installments", "required", "A term loan needs a number of installments.")
        values = {name: getattr(product, name) for name in DEFAULTS.values()}
        yield from _too_much_grace(values, "default_grace_instalments", "principal_repayment_grace")
    amount, rate = product.default_loan_amount, product.default_interest_rate
    yield from _beyond("default_loan_amount", amount, product.max_loan_amount, "max_loan_amount")
    yield from _beyond(
        "default_interest_rate", rate, product.max_interest_rate, "max_interest_rate"
    )
    yield from _fee_flaws(product.default_fees)
    if sorted(product.repayment_allocation) != sorted(DEFAULT_ALLOCATION):
        message = f"Must name each of {', '.join(DEFAULT_ALLOCATION)} once."
        yield Flaw("repayment_allocation", "not_an_order", message)


def _calculation_flaws(product: Product) -> Iterator[Flaw]:
    kind, says = TYPES[product.type]
    calculation = product.interest_calculation
    if says is not None and calculation != says:
        message = f"{calculation} contradicts the type {product.type}, which is {says}."
        yield Flaw("interest_calculation", "contradiction", message)
    if kind == TERM_LOAN and calculation is None:
        message = f"The type {product.type} needs {EQUAL_PRINCIPAL} or {EQUAL_INSTALMENTS}."
        yield Flaw("interest_calculation", "required", message)


def _fee_flaws(fees: tuple[DefaultFee, ...]) -> Iterator[Flaw]:
    seen: set[str] = set()
    for index, fee in enumerate(fees):
        if fee.name in seen:
            message = f"There is another fee {fee.name!r} in this product."
            yield Flaw(f"default_fees[{index}].name", "not_unique", message)
        seen.add(fee.name)
        if fee.type == "percent" and fee.amount > MOST_PERCENT:
            yield Flaw(f"default_fees[{index}].amount", "too_large", "Must be 100 or less.")
        if fee.type == "flat" and fee.amount % PENNY:
            message = "At most 2 decimals."
            yield Flaw(f"default_fees[{index}].amount", "too_many_decimals", message)


def _beyond(field: str, value: Decimal | None, most: Decimal | None, name: str) -> list[Flaw]:
    if value is None or most is None or value <= most:
        return []
    return [Flaw(field, "too_large", f"{value:f} is more than the {name}, {most:f}.")]


def _too_much_grace(values: Mapping[str, Any], *names: str) -> list[Flaw]:
    """Grace periods are part of the installments, and at least one of these must pay principal."""
    installments = values.get("installments")
    if installments is None:
        return []
    together = sum(values[name] for name in names)
    if together < installments:
        return []
    message = f"{together} periods of grace leave none of the {installments} to pay in."
    return [Flaw(name, "too_large", message) for name in names if values[name]]


def _missing(product: Product) -> Iterator[Flaw]:
    """What its type needs before a product can be lent."""
    kind = product.kind
    if kind in (TERM_LOAN, REVOLVING_CREDIT):
        yield from missing_repayment_date(product)
    if kind != REVOLVING_CREDIT:
        return
    if product.statement_day is None:
        yield Flaw("statement_day", "required", "Revolving credit needs a statement day.")
    if not product.minimum_repayment_percentage and not product.minimum_repayment_amount:
        message = "Revolving credit needs a minimum percentage or a minimum amount above zero."
        for name in ("minimum_repayment_percentage", "minimum_repayment_amount"):
            yield Flaw(name, "required", message)


def missing_repayment_date(product: Product) -> Iterator[Flaw]:
    """What the product does not say of its repayment dates."""
    if product.repayment_date_type is None:
        yield Flaw("repayment_date_type", "required", "The product has no repayment date.")
    elif product.repayment_date_type == "day_of_month" and product.repayment_date_period is None:
        message = "day_of_month needs the day, 1 to 31."
        yield Flaw("repayment_date_period", "required", message)
