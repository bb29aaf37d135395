"""What requests take, field by field; which of them a new thing needs is for the API to say.

Numbers are ``Decimal``, ``int`` or text, never a float.  What was read may be sent back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from backbone_client.records import EngineChoice, Fee, Scalar, ScorecardRule
from backbone_client.resource import Day, Number


class FeeFields(TypedDict):
    """A fee: ``type`` is ``flat`` or ``percent``, ``event`` is what charges it."""

    name: str
    type: str
    amount: Number
    event: str


class ProductFields(TypedDict, total=False):
    """A product; ``type``, ``name`` and the maxima are needed for a draft."""

    type: str
    name: str
    max_loan_amount: Number
    default_loan_amount: Number | None
    max_interest_rate: Number
    default_interest_rate: Number | None
    installments: int | str | None
    default_grace_instalments: int | str
    principal_repayment_grace: int | str
    default_fees: Sequence[FeeFields | Fee]
    arrears_tolerance: int | str
    default_tolerance: int | str | None
    interest_calculation: str | None
    early_repayment_recalculation: str
    repayment_holiday_scheduling: str
    calculate_interest_on_holidays: bool
    repayment_date_type: str | None
    repayment_date_period: int | str | None
    statement_day: int | str | None
    minimum_repayment_percentage: Number | None
    minimum_repayment_amount: Number | None
    repayment_allocation: Sequence[str]
    automatic_collection: bool
    collection_retries: int | str
    sell_to_blackmoon: bool


class QuoteFields(TypedDict, total=False):
    """What is to be quoted; the product says the rest."""

    amount: Number
    rate: Number
    installments: int | str
    grace_instalments: int | str
    principal_repayment_grace: int | str
    start_date: Day


class EndUserFields(TypedDict, total=False):
    """A borrower; an individual needs its names."""

    type: str
    first_name: str | None
    last_name: str | None
    birth_date: Day | None
    address_line_1: str | None
    address_line_2: str | None
    address_line_3: str | None
    city: str | None
    postal_code: str | None
    country: str | None
    bank_account_number: str | None
    sort_code: str | None
    mobile_number: str | None
    email: str | None
    company_name: str | None
    company_number: str | None


class AddressFields(TypedDict, total=False):
    """An address."""

    address_line_1: str | None
    address_line_2: str | None
    address_line_3: str | None
    city: str | None
    postal_code: str | None
    country: str | None
    valid_from: Day | None
    is_current: bool | None


class AssignmentFields(TypedDict, total=False):
    """A person of a company and what it is there."""

    end_user: str
    role: str


class InputSourceFields(TypedDict, total=False):
    """Something that risk rules can read."""

    name: str
    type: str
    default: Scalar
    description: str


class DataPointFields(TypedDict, total=False):
    """The value of an input source for an application."""

    input_source: str
    application: str
    value: Scalar


class ScorecardRuleFields(TypedDict, total=False):
    """One rule; the weights of a scorecard sum to 1."""

    name: str | None
    statement: str
    weight: Number
    threshold: Number


class ScorecardFields(TypedDict, total=False):
    """A scorecard."""

    name: str
    threshold: Number
    stop_on_first_fail: bool
    rules: Sequence[ScorecardRuleFields | ScorecardRule]
    is_active: bool | None


class RiskEngineFields(TypedDict, total=False):
    """A version and the ids of its scorecards."""

    version: str
    scorecards: Sequence[str]
    is_active: bool | None


class EngineChoiceFields(TypedDict):
    """A risk engine's version and its share; the weights of a selector sum to 1."""

    version: str
    weight: Number


class SelectorFields(TypedDict, total=False):
    """Which risk engines decide a product's applications."""

    product: str
    risk_engines: Sequence[EngineChoiceFields | EngineChoice]


class ApplicationFields(TypedDict, total=False):
    """An application; the product says what is missing."""

    product: str
    end_user: str
    amount: Number | None
    installments: int | str | None
    rate: Number | None
    custom_fields: Mapping[str, Any] | None


class LoanFields(TypedDict, total=False):
    """A loan; its application says what is missing."""

    application: str
    amount: Number | None
    rate: Number | None
    installments: int | str | None
    grace_instalments: int | str | None
    principal_repayment_grace: int | str | None
    arrears_tolerance: int | str | None


class TransactionFields(TypedDict, total=False):
    """A disbursement, a repayment or a fee; a key is made where none is given."""

    loan: str
    type: str
    amount: Number | None
    name: str
    fee_type: str | None
    idempotency_key: str
    reference: str
    effective_date: Day | None
    collect: bool | None


class MandateFields(TypedDict):
    """Who is asked for a mandate, and where they come back to."""

    end_user: str
    success_url: str
    failure_url: str


class WebhookEndpointFields(TypedDict, total=False):
    """Where which events go; ``["*"]`` is all of them."""

    url: str
    events: Sequence[str]
    is_disabled: bool


class PartnerFields(TypedDict, total=False):
    """What you may change of yourself."""

    name: str
    currency: str
    calendar: str
    timezone: str
    disbursement_provider: str
