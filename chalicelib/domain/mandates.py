"""Direct debit mandates: an end user's leave to collect (partner API, Mandates).

Mandates come from the payments provider.  Until a stage has one, there are none: everything that
would need it is refused with ``collections_not_configured``.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.errors import Refused

STATUSES = (
    "pending_customer_approval",
    "pending_submission",
    "submitted",
    "active",
    "failed",
    "cancelled",
    "expired",
    "consumed",
    "blocked",
    "suspended_by_payer",
)
"""GoCardless's names."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """A mandate; ``loans`` are the ids of the loans that it was set on."""

    id: str
    end_user: str
    success_url: str
    failure_url: str
    authorisation_url: str = ""
    status: str = STATUSES[0]
    is_disabled: bool = False
    reference: str | None = None
    provider_mandate_id: str | None = None
    loans: tuple[str, ...] = ()


def not_configured() -> Refused:
    """Why nothing can be collected here."""
    return Refused(
        "collections_not_configured",
        "Collections are not configured on this stage: there is no provider that could hold a "
        "mandate. Repayments can be recorded by hand.",
    )
