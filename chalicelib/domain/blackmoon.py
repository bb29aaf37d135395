"""What a partner sees of loans that are sold to Blackmoon's investors (partner API, Blackmoon).

Ids and codes of the other side are texts, kept as they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote

from chalicelib.domain.hours import UNASKED, Asking

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
MOST_SHOWN = 500
"""Differences of one kind that are kept: an item has 400 KB."""

LONGEST_BUYER = 200
DIRECT, TOPUP, REVERSE = "direct", "topup", "reverse"
"""Types of cessions: a first disbursement sold, a further one, and the loan given back."""


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
    become cessions, ``transactions`` are the disbursements that are known.  ``ceded`` says that
    there is a direct cession, ``priced`` that its price is what was paid out (until then: what was
    bid); ``price`` is the sum of all cessions, ``returned`` says that the loan was sold back.
    ``clocked`` says that its time is a sandbox's.
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
    priced: bool = False
    price: Decimal = Decimal(0)
    returned: bool = False
    paid: tuple[Paid, ...] = ()
    transactions: tuple[str, ...] = ()

    @property
    def swept(self) -> datetime | None:
        """When the sweeper has to look at it; a sandbox's time goes by its clock."""
        return None if self.clocked else self.wakes


@dataclass(frozen=True, slots=True)
class Cession:
    """A loan, or a further disbursement of it, that became an investor's, or came back.

    ``expected`` is ours alone: a reversal that follows from a cancelled offer, of which Blackmoon
    has not told yet.
    """

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
    expected: bool = False

    @property
    def buyer(self) -> str | None:
        """Under which name the loans that an investor has bought are found; see :func:`buyer`."""
        return buyer(self.investor_legal_entity_id) if self.type == DIRECT else None


def buyer(investor: str | None) -> str | None:
    """An investor's id as a part of a key; ``None`` for one that can be none."""
    name = quote(investor or "", safe="")
    return name if 0 < len(name) <= LONGEST_BUYER else None


@dataclass(frozen=True, slots=True)
class Collateral:
    """A loan on one of the collateral lists, ``relevant``, ``retained`` or ``left``.

    ``flaw`` says what does not fit (see ``domain/collateral.py``).  ``generation`` is ours alone:
    the rows of one markup, of which one is shown at a time.
    """

    id: str
    loan: str
    list: str
    flici: str
    investor_id: str
    as_of: date
    flaw: str | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A cession that one side alone knows; a ``reverse`` one has no fees."""

    loan: str
    type: str
    day: date | None
    price: Decimal
    origination_fee: Decimal | None = None
    servicing_fee: Decimal | None = None
    investor_legal_entity_id: str | None = None
    reverse_type: str | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One business date's comparison of cessions; ``platform_only`` and ``platform_missing`` are
    the cessions that one side alone knows, the first :data:`MOST_SHOWN` of each.

    ``direct`` and ``reverse`` say how far its two questions have come; ``ready`` and ``tries`` are
    the first one's.  ``unexplained`` are reversals of loans that are not sold.
    """

    id: str
    business_date: date
    status: str = "waiting"
    direct: Asking = UNASKED
    reverse: Asking = UNASKED
    total_count: int | None = None
    correct_count: int | None = None
    direct_only: tuple[Difference, ...] = ()
    platform_missing: tuple[Difference, ...] = ()
    unexplained: tuple[Difference, ...] = ()
    alarmed_at: datetime | None = None

    @property
    def ready(self) -> bool:
        """Whether the comparison is there."""
        return self.direct.ready

    @property
    def tries(self) -> int:
        """How often it was asked for."""
        return self.direct.tries

    @property
    def reverse_ready(self) -> bool:
        """Whether the loans that were sold back are known."""
        return self.reverse.ready

    @property
    def reverse_tries(self) -> int:
        """How often they were asked for."""
        return self.reverse.tries

    @property
    def error_code(self) -> str | None:
        """Blackmoon's last error, if it has not been mended since."""
        return self.direct.error_code or self.reverse.error_code

    @property
    def platform_only(self) -> tuple[Difference, ...]:
        """What Blackmoon alone knows, reversals that cannot be included."""
        return self.direct_only + self.unexplained
