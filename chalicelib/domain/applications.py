"""Applications: what a borrower asks for, and what was decided (partner API, "Applications").

``incomplete`` is the only state in which anything can be changed; completing it leads through the
risk engine to ``approved`` or ``declined``.  Once a loan exists nothing moves any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from chalicelib.domain.decision import Decision, Event
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.machine import Machine

if TYPE_CHECKING:
    from chalicelib.domain.products import Product

INCOMPLETE, APPROVED, DECLINED, WITHDRAWN = "incomplete", "approved", "declined", "withdrawn"
DECIDED = (APPROVED, DECLINED)

APPLICATION = Machine(
    "application",
    states=(INCOMPLETE, APPROVED, DECLINED, WITHDRAWN),
    initial=INCOMPLETE,
    moves={
        "update": {INCOMPLETE: INCOMPLETE},
        "complete: accept": {INCOMPLETE: APPROVED},
        "complete: decline": {INCOMPLETE: DECLINED},
        "reopen": dict.fromkeys((APPROVED, DECLINED, WITHDRAWN), INCOMPLETE),
        "withdraw": dict.fromkeys((INCOMPLETE, APPROVED, DECLINED), WITHDRAWN),
    },
)

MAX_CUSTOM_FIELDS = 20_000
"""Characters of an application's custom fields, as JSON."""
MAX_DATA_POINTS = 500
"""Data points of one application."""

_IMMUTABLE = ("end_user", "product")
_PRODUCT_DEFAULTS = {
    "amount": "default_loan_amount",
    "rate": "default_interest_rate",
    "installments": "installments",
}
"""Field: which of the product's fields stands in for it."""
_MAXIMA = {"amount": "max_loan_amount", "rate": "max_interest_rate"}


@dataclass(frozen=True, slots=True)
class Application:
    """What one borrower asks for of one product.

    ``amount`` in money, ``rate`` an annual percentage, ``installments`` a count (None where the
    product has none).  ``data_points`` maps an input source's id to the id of the value given for
    it, so that all of them are found without an index, and each source has one value at most.
    """

    id: str
    product: str
    end_user: str
    amount: Decimal
    rate: Decimal
    installments: int | None = None
    status: str = INCOMPLETE
    reason: str = ""
    decision: str | None = None
    loan: str | None = None
    custom_fields: dict[str, Any] = field(default_factory=dict)
    data_points: dict[str, str] = field(default_factory=dict)


def create(
    application_id: str, end_user: str, product: Product, values: Mapping[str, Any]
) -> Decision[Application]:
    """A new application for ``product``.

    ``values`` are ``amount``, ``rate``, ``installments``, ``custom_fields``; what is missing or
    None comes from the product.  Raises ``product_is_draft``, or :class:`Invalid`.
    """
    if product.is_draft:
        raise Refused(
            "product_is_draft",
            "The product is still a draft: publish it before anybody applies for it.",
            {"product": product.id},
        )
    asked = _filled(product, values, [*_PRODUCT_DEFAULTS, "custom_fields"])
    made = Application(id=application_id, product=product.id, end_user=end_user, **asked)
    return Decision(_checked(made, product))


def change(
    application: Application, product: Product, values: Mapping[str, Any]
) -> Decision[Application]:
    """The application with other values; ``values`` holds only those that were sent.

    Raises ``application_immutable``, :class:`Invalid` (``end_user_immutable``) or
    ``invalid_status``.
    """
    _refuse_with_loan(application)
    moved = [
        Flaw(name, "immutable", "This cannot be changed after the application was created.")
        for name in _IMMUTABLE
        if name in values and values[name] != getattr(application, name)
    ]
    if moved:
        raise Invalid(*moved, code="end_user_immutable")
    status = APPLICATION.move(application.status, "update")
    own = [name for name in values if name not in _IMMUTABLE]
    changed = replace(application, status=status, **_filled(product, values, own))
    return Decision(_checked(changed, product))


def refuse_unless_incomplete(application: Application) -> None:
    """Raise unless the application and its data points may be changed now."""
    _refuse_with_loan(application)
    APPLICATION.move(application.status, "update")


def refuse_unless_completable(application: Application) -> None:
    """Raise unless the application can be completed now."""
    _refuse_with_loan(application)
    if not APPLICATION.can(application.status, "complete: accept"):
        raise Refused(
            "invalid_status",
            f"Only an application that is {INCOMPLETE} can be completed; it is "
            f"{application.status}.",
            {"status": application.status, "command": "complete"},
        )


def decided(
    application: Application, decision_id: str, accepted: bool, reason: str, now: datetime
) -> Decision[Application]:
    """The application after the risk engine: approved, or declined for ``reason``."""
    refuse_unless_completable(application)
    command = "complete: accept" if accepted else "complete: decline"
    status = APPLICATION.move(application.status, command)
    state = replace(application, status=status, reason=reason, decision=decision_id)
    data = {"id": state.id, "status": status, "reason": reason, "processed_at": now}
    return Decision(state, events=(Event("application_processing_finished", data),))


def reopen(application: Application) -> Decision[Application]:
    """Back to ``incomplete``; what was decided stays in the decisions, not on the application."""
    _refuse_with_loan(application)
    status = APPLICATION.move(application.status, "reopen")
    return Decision(replace(application, status=status, reason="", decision=None))


def withdraw(application: Application) -> Decision[Application]:
    """The borrower does not want it any more."""
    _refuse_with_loan(application)
    return Decision(replace(application, status=APPLICATION.move(application.status, "withdraw")))


def attach_loan(application: Application, loan_id: str) -> Application:
    """The application with its loan; ``loan_exists`` or ``application_not_approved`` otherwise."""
    if application.loan is not None:
        raise Refused(
            "loan_exists",
            f"The application has a loan already: {application.loan}.",
            {"loan": application.loan},
        )
    if application.status != APPROVED:
        raise Refused(
            "application_not_approved",
            f"The application is {application.status}; a loan needs one that is {APPROVED}.",
            {"status": application.status},
        )
    return replace(application, loan=loan_id)


def with_data_point(
    application: Application, source_id: str, data_point_id: str
) -> Decision[Application]:
    """The application with a value for an input source; ``conflict`` if it has one already."""
    refuse_unless_incomplete(application)
    if source_id in application.data_points:
        raise Refused(
            "conflict",
            "The application has a value for this input source already; change that one.",
            {"input_source": source_id, "data_point": application.data_points[source_id]},
        )
    if len(application.data_points) >= MAX_DATA_POINTS:
        raise Refused(
            "conflict",
            f"The application has {MAX_DATA_POINTS} data points, which is the most it can have.",
        )
    points = {**application.data_points, source_id: data_point_id}
    return Decision(replace(application, data_points=points))


def _refuse_with_loan(application: Application) -> None:
    if application.loan is not None:
        raise Refused(
            "application_immutable",
            f"The application has a loan, {application.loan}, and cannot change any more.",
            {"loan": application.loan},
        )


def _filled(product: Product, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The ``names`` of ``values``, with the product's own where there is none."""
    filled = {name: values.get(name) for name in names}
    for name, source in _PRODUCT_DEFAULTS.items():
        if name in filled and filled[name] is None:
            filled[name] = getattr(product, source)
    if "custom_fields" in filled:
        filled["custom_fields"] = filled["custom_fields"] or {}
    return filled


def _checked(application: Application, product: Product) -> Application:
    flaws = [
        Flaw(name, "required", f"Required: the product has no {_PRODUCT_DEFAULTS[name]}.")
        for name in _MAXIMA
        if getattr(application, name) is None
    ]
    for name, maximum in _MAXIMA.items():
        asked, most = getattr(application, name), getattr(product, maximum)
        if asked is not None and asked > most:
            message = f"{asked:f} is more than the product's {maximum}, {most:f}."
            flaws.append(Flaw(name, "too_large", message))
    size = len(json.dumps(application.custom_fields, default=str, ensure_ascii=False))
    if size > MAX_CUSTOM_FIELDS:
        message = f"At most {MAX_CUSTOM_FIELDS} characters as JSON; these are {size}."
        flaws.append(Flaw("custom_fields", "too_long", message))
    if flaws:
        raise Invalid(*flaws)
    return application
