"""What the API answers about loans and their money, and about the partner itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from backbone_client.records import QuoteRow, Thing, Totals
from backbone_client.wire import Record


@dataclass(frozen=True, kw_only=True)
class Loan(Thing):
    """A loan account on the business date."""

    application: str
    end_user: str
    product: str
    amount: Decimal
    rate: Decimal
    installments: int | None
    grace_instalments: int | None
    principal_repayment_grace: int | None
    arrears_tolerance: int
    status: str
    principal: Decimal
    interest: Decimal
    fee: Decimal
    pending_principal: Decimal
    pending_interest: Decimal
    pending_fee: Decimal
    overpayment: Decimal
    written_off: Decimal
    is_interest_calculation_enabled: bool
    close_reason: str
    close_substatus: str
    mandate: str | None
    disbursed_at: date | None
    next_repayment_date: date | None
    next_repayment_amount: Decimal | None
    late_since: date | None
    arrears_since: date | None
    days_past_due: int
    apr: Decimal | None
    investor: str | None


@dataclass(frozen=True, kw_only=True)
class ScheduleRow(QuoteRow):
    """One row of a running loan's schedule, and what has been paid of it."""

    status: str
    paid_principal: Decimal
    paid_interest: Decimal
    paid_at: date | None


@dataclass(frozen=True, kw_only=True)
class Schedule(Record):
    """A term loan's schedule."""

    loan: str
    schedule: tuple[ScheduleRow, ...]
    totals: Totals


@dataclass(frozen=True, kw_only=True)
class Payoff(Record):
    """What settles a loan on a date."""

    date: date
    principal: Decimal
    interest: Decimal
    fee: Decimal
    total: Decimal


@dataclass(frozen=True, kw_only=True)
class AccountRow(Record):
    """One account's net, on one of its sides."""

    account: str
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, kw_only=True)
class TrialBalance(Record):
    """Every account at the end of a day; the totals are equal."""

    date: date
    accounts: tuple[AccountRow, ...]
    total_debit: Decimal
    total_credit: Decimal


@dataclass(frozen=True, kw_only=True)
class PortfolioTotals(Record):
    """How many loans, and what they owe."""

    loans: int
    principal: Decimal
    interest: Decimal
    fee: Decimal


@dataclass(frozen=True, kw_only=True)
class PortfolioRow(PortfolioTotals):
    """The loans of one product and status that are as many days past due (``31-60``)."""

    product: str
    status: str
    days_past_due: str


@dataclass(frozen=True, kw_only=True)
class Portfolio(Record):
    """The book at the end of a day."""

    date: date
    rows: tuple[PortfolioRow, ...]
    totals: PortfolioTotals


@dataclass(frozen=True, kw_only=True)
class SettlementTotals(Record):
    """What was collected, what of it stays with you, and what is the investor's."""

    collected: Decimal
    servicing_fee: Decimal
    payable: Decimal


@dataclass(frozen=True, kw_only=True)
class SettlementRow(SettlementTotals):
    """One loan's month; what was taken back is negative."""

    loan: str


@dataclass(frozen=True, kw_only=True)
class Settlement(Record):
    """An investor's month (``2026-03``)."""

    investor: str
    month: str
    rows: tuple[SettlementRow, ...]
    totals: SettlementTotals


@dataclass(frozen=True, kw_only=True)
class Split(Record):
    """An amount, or balances, in their three parts."""

    principal: Decimal
    interest: Decimal
    fee: Decimal


@dataclass(frozen=True, kw_only=True)
class Transaction(Thing):
    """One operation on a loan account; ``exact`` is its split to ten decimals."""

    loan: str
    type: str
    status: str
    amount: Decimal
    principal: Decimal
    interest: Decimal
    fee: Decimal
    overpayment: Decimal
    exact: Split
    name: str
    fee_type: str | None
    idempotency_key: str | None
    reference: str
    collect: bool | None
    origin: str
    provider: str | None
    provider_transaction_id: str | None
    processing_date: date
    effective_date: date
    applied_at: datetime | None
    failure_reason: str
    reverted_by: str | None
    balance_after: Split


@dataclass(frozen=True, kw_only=True)
class Difference(Record):
    """A transaction as it is and as it would be; ``None`` where there is none."""

    id: str
    before: Transaction | None
    after: Transaction | None


@dataclass(frozen=True, kw_only=True)
class Preview(Record):
    """What a revert or a repayment would change."""

    before: Loan
    after: Loan
    transactions: tuple[Difference, ...]


@dataclass(frozen=True, kw_only=True)
class Statement(Thing):
    """A month of a revolving credit."""

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
    repaid: Decimal
    status: str
    transactions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Mandate(Thing):
    """A direct debit authorisation.

    Whoever has ``authorisation_url`` can use it: its ``repr`` leaves it out.
    """

    end_user: str
    success_url: str
    failure_url: str
    authorisation_url: str = field(repr=False)
    status: str
    is_disabled: bool
    reference: str | None
    provider_mandate_id: str | None
    loans: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint(Thing):
    """Where events are sent."""

    url: str
    events: tuple[str, ...]
    is_disabled: bool


@dataclass(frozen=True, kw_only=True)
class NewWebhookEndpoint(WebhookEndpoint):
    """An endpoint that was just made.

    ``secret`` is shown once: ``None`` where a lost answer was asked for again.  Rotate it then.
    """

    secret: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class NewSecret(Record):
    """An endpoint's new secret, shown once; ``None`` where a lost answer was asked for again."""

    secret: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Delivery(Record):
    """One attempt to send a webhook."""

    attempted_at: datetime
    response_status: int | None
    error: str | None
    next_attempt_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Webhook(Thing):
    """One event for one endpoint."""

    event: str
    webhook_endpoint: str
    data: Mapping[str, Any]
    timestamp: datetime
    deliveries: tuple[Delivery, ...]
    status: str


@dataclass(frozen=True, kw_only=True)
class Partner(Thing):
    """Yourself."""

    name: str
    currency: str
    calendar: str
    timezone: str
    disbursement_provider: str


@dataclass(frozen=True, kw_only=True)
class ApiKey(Thing):
    """A key's visible part."""

    prefix: str
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NewApiKey(ApiKey):
    """A key that was just made.

    ``key`` is shown once: ``None`` where a lost answer was asked for again.  Revoke it then.
    """

    key: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Offer(Thing):
    """A loan offered to Blackmoon's investors."""

    loan: str
    status: str
    offer_id: str | None
    will_participate: bool | None
    origination_fee: Decimal | None
    servicing_fee: Decimal | None
    bid_amount: Decimal | None
    loan_amount: Decimal | None
    investor_legal_entity_id: str | None
    updated_datetime: str | None
    warning_code: str | None
    error_code: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Cession(Thing):
    """A sale of a loan, or of more of it, or its return."""

    loan: str
    offer: str | None
    type: str
    day: date
    price: Decimal
    origination_fee: Decimal | None
    servicing_fee: Decimal | None
    investor_legal_entity_id: str | None
    reverse_type: str | None


@dataclass(frozen=True, kw_only=True)
class Collateral(Thing):
    """A loan on one of the collateral lists."""

    loan: str
    list: str
    flici: str
    investor_id: str
    as_of: date
    flaw: str | None


@dataclass(frozen=True, kw_only=True)
class CessionDifference(Record):
    """A cession that one side alone knows."""

    loan: str
    type: str
    day: date | None
    price: Decimal
    origination_fee: Decimal | None
    servicing_fee: Decimal | None
    investor_legal_entity_id: str | None
    reverse_type: str | None


@dataclass(frozen=True, kw_only=True)
class Reconciliation(Thing):
    """One business date's comparison with Blackmoon."""

    business_date: date
    status: str
    ready: bool
    tries: int
    total_count: int | None
    correct_count: int | None
    platform_only: tuple[CessionDifference, ...]
    platform_missing: tuple[CessionDifference, ...]
    reverse_ready: bool
    reverse_tries: int
    error_code: str | None
    alarmed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DataFile(Thing):
    """One business date's file of loans or repayments for Blackmoon."""

    business_date: date
    kind: str
    status: str
    rows: int
    sum: Decimal
    size: int
    sent_at: datetime | None
    error_code: str | None
    tries: int


@dataclass(frozen=True, kw_only=True)
class ProviderEvent(Thing):
    """Something that a provider told."""

    provider: str
    event_id: str
    resource_type: str
    action: str
    outcome: str
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Alarm(Thing):
    """Something that a person should look at."""

    name: str
    raised_at: datetime
    detail: str


@dataclass(frozen=True, kw_only=True)
class Clock(Record):
    """The sandbox's business date."""

    business_date: date


@dataclass(frozen=True, kw_only=True)
class SandboxPartner(Record):
    """Another sandbox partner; ``api_key`` is shown once."""

    id: str
    api_key: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class GoCardlessSimulator(Record):
    """Your organisation at the GoCardless simulator."""

    url: str
    access_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    creditor: str
    scenarios: list[str]


@dataclass(frozen=True, kw_only=True)
class BlackmoonSimulator(Record):
    """Your organisation at the Blackmoon simulator, with the tokens that are good now."""

    url: str
    organization_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Simulators(Record):
    """The sandbox's simulators; ``None`` where there is none."""

    gocardless: GoCardlessSimulator | None
    blackmoon: BlackmoonSimulator | None


@dataclass(frozen=True, kw_only=True)
class Health(Record):
    """That the service answers, and which version it is."""

    status: str
    version: str
