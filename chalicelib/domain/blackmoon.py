"""What a partner sees of loans that are sold to Blackmoon's investors (partner API, Blackmoon).

Ids and codes of the other side are texts, kept as they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

OFFER_STATUSES = (
    "pending",
    "retrying",
    "offered",
    "refused",
    "accepted",
    "declined",
    "cancelled",
    "failed",
)


@dataclass(frozen=True, slots=True)
class Paid:
    """A disbursement that was applied, and is not a cession yet."""

    transaction: str
    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Offer:
    """A loan offered to investors.

    ``origination_fee``, ``bid_amount`` and ``loan_amount`` in money, ``servicing_fee`` a fraction.
    ``updated_datetime`` is the other side's text, word for word.  ``reason`` says why it was
    declined or failed.

    What follows is ours alone.  ``amount`` is what was offered.  ``asked`` is the command under
    way, ``tries`` counts its calls, ``calling`` says that one was begun and nothing is known of it.
    ``attempt`` is 2 once a lost offer is asked for again, ``lost`` says that its hour is waited
    for; the hour counts from ``asked_at``.  ``wakes`` is when something is due.  ``paid`` waits to
    become cessions, ``transactions`` are the disbursements that are known.  ``clocked`` says that
    its time is a sandbox's.
    """

    id: str
    loan: str
    status: str = OFFER_STATUSES[0]
    offer_id: str | None = None
    will_participate: bool | None = None
    origination_fee: Decimal | None = None
    servicing_fee: Decimal | None = None
    bid_amount: Decimal | None = None
    loan_amount: Decimal | None = None
    investor_legal_entity_id: str | None = None
    updated_datetime: str | None = None
    warning_code: str | None = None
    error_code: str | None = None
    reason: str | None = None
    partner: str = ""
    amount: Decimal | None = None
    asked: str | None = None
    tries: int = 0
    calling: bool = False
    attempt: int = 1
    lost: bool = False
    asked_at: datetime | None = None
    wakes: datetime | None = None
    clocked: bool = False
    loan_cancelled: bool = False
    accepted_on: date | None = None
    ceded: bool = False
    paid: tuple[Paid, ...] = ()
    transactions: tuple[str, ...] = ()

    @property
    def swept(self) -> datetime | None:
        """When the sweeper has to look at it; a sandbox's time goes by its clock."""
        return None if self.clocked else self.wakes


@dataclass(frozen=True, slots=True)
class Cession:
    """A loan, or a further disbursement of it, that became an investor's, or came back."""

    id: str
    loan: str
    type: str
    day: date
    price: Decimal
    offer: str | None = None
    origination_fee: Decimal | None = None
    servicing_fee: Decimal | None = None
    investor_legal_entity_id: str | None = None
    reverse_type: str | None = None


@dataclass(frozen=True, slots=True)
class Collateral:
    """A loan on one of the collateral lists, ``relevant``, ``retained`` or ``left``."""

    id: str
    loan: str
    list: str
    flici: str
    investor_id: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One business date's comparison of cessions; ``platform_only`` and ``platform_missing`` are
    the cessions that one side alone knows.
    """

    id: str
    business_date: date
    status: str = "waiting"
    ready: bool = False
    tries: int = 0
    total_count: int | None = None
    correct_count: int | None = None
    platform_only: tuple[str, ...] = ()
    platform_missing: tuple[str, ...] = ()
    alarmed_at: datetime | None = None
