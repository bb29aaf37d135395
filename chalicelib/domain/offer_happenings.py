"""What may happen to an offer: answers to our calls, its loan's life, a person's word, time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chalicelib.domain.blackmoon_answers import Remedy


@dataclass(frozen=True, slots=True)
class Begun:
    """A worker is about to make a call; ``Step.call`` says whether it shall."""

    command: str


@dataclass(frozen=True, slots=True)
class Bid:
    """Their answer to a creation."""

    will_participate: bool
    offer_id: str | None = None
    origination_fee: Decimal | None = None
    servicing_fee: Decimal | None = None
    bid_amount: Decimal | None = None
    loan_amount: Decimal | None = None
    investor_legal_entity_id: str | None = None
    updated_datetime: str | None = None
    warning_code: str | None = None

    def misread(self, offered: Decimal | None) -> str | None:
        """Why these cannot be the terms of a loan of ``offered``; ``None`` if they can.

        The servicing fee is a fraction of each payment, the origination fee money out of the loan.
        """
        if offered is not None and self.loan_amount != offered:
            return "loan_amount_differs"
        servicing, origination = self.servicing_fee or 0, self.origination_fee or 0
        if 0 <= servicing <= 1 and 0 <= origination <= (self.loan_amount or 0):
            return None
        return "fees_out_of_range"


@dataclass(frozen=True, slots=True)
class Moved:
    """Their answer to another command; ``remedy`` is what its warning comes to, ``day`` today."""

    command: str
    day: date
    remedy: Remedy = "success"
    updated_datetime: str | None = None
    warning_code: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A call that came to nothing; ``lost`` says that it may have been done all the same."""

    command: str
    remedy: Remedy
    day: date
    code: str | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Disbursed:
    """A disbursement of the loan was applied."""

    transaction: str
    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LoanCancelled:
    """The loan was cancelled, or (``disbursement_returned``) nothing was lent after all."""

    reason: str = "loan_cancelled"


@dataclass(frozen=True, slots=True)
class ByHand:
    """The partner says so."""

    command: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Happening = Begun | Bid | Moved | Trouble | Disbursed | LoanCancelled | ByHand | Tick
