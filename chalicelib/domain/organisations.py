"""A partner's account at the payments provider."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Organisation:
    """One partner's organisation at GoCardless; neither secret is ever shown, logged or in a URL.

    ``id`` is the partner's, ``creditor`` the provider's id of who collects.
    """

    id: str
    access_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    creditor: str = ""
