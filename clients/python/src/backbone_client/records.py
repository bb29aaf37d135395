"""What the API answers: frozen records, fields named as on the wire.

Money and rates are ``Decimal`` (rates are annual percentages), dates ``date``, instants aware
``datetime``, ids and names of states ``str``: a new state does not break an old client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from backbone_client.wire import Record

#: A value of an input source; its type says which.
Scalar = bool | int | Decimal | str | None


@dataclass(frozen=True, kw_only=True)
class Thing(Record):
    """What has an id and was made at some time."""

    id: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Fee(Record):
    """A product's fee and the event that charges it."""

    name: str
    type: str
    amount: Decimal
    event: str


@dataclass(frozen=True, kw_only=True)
class Product(Thing):
    """What is lent, and how."""

    type: str
    is_draft: bool
    name: str
    max_loan_amount: Decimal
    default_loan_amount: Decimal | None
    max_interest_rate: Decimal
    default_interest_rate: Decimal | None
    installments: int | None
    default_grace_instalments: int
    principal_repayment_grace: int
    default_fees: tuple[Fee, ...]
    arrears_tolerance: int
    default_tolerance: int | None
    interest_calculation: str | None
    early_repayment_recalculation: str
    repayment_holiday_scheduling: str
    calculate_interest_on_holidays: bool
    repayment_date_type: str | None
    repayment_date_period: int | None
    statement_day: int | None
    minimum_repayment_percentage: Decimal | None
    minimum_repayment_amount: Decimal | None
    repayment_allocation: tuple[str, ...]
    automatic_collection: bool
    collection_retries: int
    sell_to_blackmoon: bool


@dataclass(frozen=True, kw_only=True)
class QuoteRow(Record):
    """One row of a quote; ``days`` counts charged nights."""

    number: int
    due_date: date
    days: int
    principal: Decimal
    interest: Decimal
    total_amount: Decimal
    principal_after_repayment: Decimal


@dataclass(frozen=True, kw_only=True)
class Totals(Record):
    """The sums of a schedule."""

    principal: Decimal
    interest: Decimal
    total_amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Quote(Record):
    """What a loan would cost."""

    product: str
    amount: Decimal
    rate: Decimal
    installments: int
    start_date: date
    first_repayment_date: date
    schedule: tuple[QuoteRow, ...]
    totals: Totals
    apr: Decimal | None


@dataclass(frozen=True, kw_only=True)
class EndUser(Thing):
    """A borrower; its ``repr`` leaves out the birth date and the bank details."""

    type: str
    first_name: str
    last_name: str
    birth_date: date | None = field(repr=False)
    address_line_1: str
    address_line_2: str
    address_line_3: str
    city: str
    postal_code: str
    country: str | None
    bank_account_number: str | None = field(repr=False)
    sort_code: str | None = field(repr=False)
    mobile_number: str
    email: str
    company_name: str
    company_number: str
    sensitive: bool
    regulated: bool


@dataclass(frozen=True, kw_only=True)
class Address(Thing):
    """One address of an end user."""

    end_user: str
    address_line_1: str
    address_line_2: str
    address_line_3: str
    city: str
    postal_code: str
    country: str | None
    valid_from: date
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class Assignment(Thing):
    """A person of a company."""

    company: str
    end_user: str
    role: str


@dataclass(frozen=True, kw_only=True)
class InputSource(Thing):
    """Something that risk rules can read."""

    name: str
    type: str
    default: Scalar
    description: str
    preconfigured: bool


@dataclass(frozen=True, kw_only=True)
class DataPoint(Thing):
    """The value of an input source for one application."""

    input_source: str
    application: str
    value: Scalar


@dataclass(frozen=True, kw_only=True)
class ScorecardRule(Record):
    """One rule of a scorecard."""

    name: str | None
    statement: str
    weight: Decimal
    threshold: Decimal


@dataclass(frozen=True, kw_only=True)
class Scorecard(Thing):
    """Weighted rules and the score that passes."""

    name: str
    threshold: Decimal
    stop_on_first_fail: bool
    is_active: bool
    rules: tuple[ScorecardRule, ...]


@dataclass(frozen=True, kw_only=True)
class RiskEngine(Thing):
    """A version of scorecards that decide together."""

    version: str
    is_active: bool
    scorecards: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EngineChoice(Record):
    """A risk engine and its share of the applications."""

    version: str
    weight: Decimal


@dataclass(frozen=True, kw_only=True)
class Selector(Thing):
    """Which risk engines decide a product's applications."""

    product: str
    risk_engines: tuple[EngineChoice, ...]


@dataclass(frozen=True, kw_only=True)
class RuleResult(Record):
    """One rule of a decision: what it read, what came of it, and why it failed on the data."""

    name: str | None
    statement: str
    inputs: Mapping[str, Scalar]
    value: Scalar
    weight: Decimal
    threshold: Decimal
    passed: bool
    evaluated: bool
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class ScorecardResult(Record):
    """One scorecard of a decision; ``decision`` is ``pass`` or ``fail``."""

    name: str
    decision: str
    score: Decimal
    threshold: Decimal
    stop_on_first_fail: bool
    rules: tuple[RuleResult, ...]


@dataclass(frozen=True, kw_only=True)
class DecisionResult(Record):
    """What all scorecards came to; ``decision`` is ``accept`` or ``decline``."""

    decision: str
    scorecards: tuple[ScorecardResult, ...]


@dataclass(frozen=True, kw_only=True)
class Decision(Thing):
    """How an application was decided."""

    application: str
    risk_engine_version: str
    result: DecisionResult


@dataclass(frozen=True, kw_only=True)
class Application(Thing):
    """An end user's wish for a loan."""

    status: str
    product: str
    end_user: str
    amount: Decimal
    installments: int | None
    rate: Decimal
    custom_fields: Mapping[str, Any]
    reason: str
    decision: str | None
    loan: str | None
