"""What Blackmoon answers, as far as we act on it; money and fees exact, ids as texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chalicelib.domain.blackmoon_answers import Remedy
from chalicelib.integrations.blackmoon import reading
from chalicelib.integrations.blackmoon.reading import Incomplete

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning beside a success, and what the table says of it."""

    code: str | None = None
    remedy: Remedy = "success"


NO_WARNING = Warned()


@dataclass(frozen=True, slots=True)
class Bid:
    """``offers.create``: without participation there is no offer, and the amounts are zero.

    ``origination_fee``, ``bid_amount`` and ``loan_amount`` are money, ``servicing_fee`` a fraction.
    """

    will_participate: bool
    updated_datetime: str | None = None
    offer_id: str | None = None
    origination_fee: Decimal = ZERO
    servicing_fee: Decimal = ZERO
    bid_amount: Decimal = ZERO
    loan_amount: Decimal = ZERO
    investor_legal_entity_id: str | None = None
    warning: Warned = NO_WARNING


@dataclass(frozen=True, slots=True)
class Moved:
    """``offers.accept``, ``offers.decline`` and ``offers.cancel``; see ``warning.remedy``."""

    offer_id: str | None = None
    updated_datetime: str | None = None
    warning: Warned = NO_WARNING


@dataclass(frozen=True, slots=True)
class Sent:
    """``data.sendApplications`` and ``data.sendRepayments``: the file was taken."""

    warning: Warned = NO_WARNING


@dataclass(frozen=True, slots=True)
class Pledged:
    """A loan on a collateral list."""

    loan_id: str
    flici: str
    investor_id: str


@dataclass(frozen=True, slots=True)
class CollateralList:
    """The three collateral lists; while it is not ``ready`` it says nothing."""

    ready: bool
    loans: tuple[Pledged, ...] = ()
    warning: Warned = NO_WARNING


@dataclass(frozen=True, slots=True)
class LastUpdate:
    """``collateral.getLastUpdateDate``; ``None`` before the first one."""

    day: date | None
    warning: Warned = NO_WARNING


@dataclass(frozen=True, slots=True)
class CessionRow:
    """A cession transaction, as both sides write it down."""

    loan_id: str
    type: str
    day: date | None
    price: Decimal
    origination_fee: Decimal = ZERO
    servicing_fee: Decimal = ZERO
    investor_legal_entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """``portfolio.reconcileDirectCessionTransactions``: what one side alone knows."""

    ready: bool
    total_count: int | None = None
    correct_count: int | None = None
    platform_only: tuple[CessionRow, ...] = ()
    platform_missing: tuple[CessionRow, ...] = ()
    warning: Warned = NO_WARNING


@dataclass(frozen=True, slots=True)
class ReverseRow:
    """A loan that an investor sold back; ``type`` is their word for why."""

    loan_id: str
    price: Decimal
    type: str
    day: date | None


@dataclass(frozen=True, slots=True)
class ReverseCessions:
    """``portfolio.getReverseCessionTransactions``: of all time."""

    ready: bool
    rows: tuple[ReverseRow, ...] = ()
    warning: Warned = NO_WARNING


@dataclass(frozen=True, slots=True)
class NewTokens:
    """``auth.refreshTokens``: the pair that takes the old one's place."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pong:
    """``ping``; the parameters that it echoes are left alone."""

    message: str
    date: str | None = None


def bid(data: Any, warning: Warned) -> Bid:
    """Of ``offers.create``."""
    told = _object(data)
    willing = reading.truth(told.get("willParticipate"))
    if not willing:
        return Bid(False, reading.verbatim(told.get("updatedDatetime")), warning=warning)
    offer_id = reading.identity(told.get("offerId"))
    if offer_id is None:
        raise Incomplete("offerId")
    return Bid(
        will_participate=True,
        updated_datetime=reading.verbatim(told.get("updatedDatetime")),
        offer_id=offer_id,
        origination_fee=reading.number(told, "originationFee"),
        servicing_fee=reading.number(told, "servicingFee"),
        bid_amount=reading.number(told, "bidAmount"),
        loan_amount=reading.number(told, "loanAmount"),
        investor_legal_entity_id=reading.identity(told.get("investorLegalEntityId")),
        warning=warning,
    )


def moved(data: Any, warning: Warned) -> Moved:
    """Of an answer to an offer; a repeated one may say nothing but the warning."""
    told = data if isinstance(data, Mapping) else {}
    return Moved(
        reading.identity(told.get("offerId")),
        reading.verbatim(told.get("updatedDatetime")),
        warning,
    )


def sent(_: Any, warning: Warned) -> Sent:
    """Of a data file: that there is a success is all it says."""
    return Sent(warning)


def collateral(data: Any, warning: Warned, name: str) -> CollateralList:
    """Of a collateral list; ``name`` is its member (``relevant``)."""
    told = _object(data)
    if not reading.truth(told.get("ready")):
        return CollateralList(ready=False, warning=warning)
    found = tuple(
        Pledged(_id(row, "loanId"), _id(row, "flici"), _id(row, "investorId"))
        for row in reading.rows(told.get(name))
    )
    return CollateralList(True, found, warning)


def last_update(data: Any, warning: Warned) -> LastUpdate:
    """Of ``collateral.getLastUpdateDate``."""
    return LastUpdate(reading.day(data), warning)


def reconciled(data: Any, warning: Warned) -> Reconciled:
    """Of the reconciliation; both spellings of its counts are understood."""
    told = _object(data)
    if not reading.truth(told.get("ready")):
        return Reconciled(ready=False, warning=warning)
    return Reconciled(
        ready=True,
        total_count=_either(told, "total"),
        correct_count=_either(told, "correct"),
        platform_only=tuple(map(_cession, reading.rows(told.get("platformOnly")))),
        platform_missing=tuple(map(_cession, reading.rows(told.get("platformMissing")))),
        warning=warning,
    )


def reverse_cessions(data: Any, warning: Warned) -> ReverseCessions:
    """Of the loans sold back."""
    told = _object(data)
    if not reading.truth(told.get("ready")):
        return ReverseCessions(ready=False, warning=warning)
    found = tuple(
        ReverseRow(
            _id(row, "loanId"),
            reading.number(row, "price"),
            reading.code(row.get("type")) or "",
            reading.day(row.get("date")),
        )
        for row in reading.rows(told.get("reverseCessionTransactions"))
    )
    return ReverseCessions(True, found, warning)


def new_tokens(data: Any, _: Warned) -> NewTokens:
    """Of ``auth.refreshTokens``."""
    told = _object(data)
    access, refresh = told.get("accessToken"), told.get("refreshToken")
    if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        raise Incomplete("accessToken, refreshToken")
    return NewTokens(access, refresh, reading.instant(told.get("accessTokenExpirationTime")))


def pong(data: Any, _: Warned) -> Pong:
    """Of ``ping``."""
    told = _object(data)
    return Pong(reading.verbatim(told.get("message")) or "", reading.verbatim(told.get("date")))


def _object(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise Incomplete("an object")
    return data


def _id(row: Mapping[str, Any], name: str) -> str:
    found = reading.code(row.get(name))
    if found is None:
        raise Incomplete(name)
    return found


def _either(told: Mapping[str, Any], which: str) -> int | None:
    """``totalCessionTransactionsCount`` or ``totalDirectCessionTransactionsCount``."""
    for word in ("Cession", "DirectCession"):
        found = reading.count(told.get(f"{which}{word}TransactionsCount"))
        if found is not None:
            return found
    return None


def _cession(row: Mapping[str, Any]) -> CessionRow:
    return CessionRow(
        loan_id=_id(row, "loanId"),
        type=reading.code(row.get("type")) or "",
        day=reading.day(row.get("day")),
        price=reading.number(row, "price"),
        origination_fee=reading.maybe_number(row.get("originationFee")) or ZERO,
        servicing_fee=reading.maybe_number(row.get("servicingFee")) or ZERO,
        investor_legal_entity_id=reading.identity(row.get("investorLegalEntityId")),
    )
