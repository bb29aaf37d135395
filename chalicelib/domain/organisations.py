"""A partner's account at the payments provider."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Organisation:
    """One partner's organisation at GoCardless; neither secret is ever shown, logged or in a URL.

    ``id`` is the partner's, ``creditor`` the provider's id of who collects and pays.  Requests that
    pay money out are signed with ``signing_key`` (PEM), which the provider knows by its id.
    """

    id: str
    access_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    creditor: str = ""
    signing_key_id: str = ""
    signing_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SandboxKey:
    """A sandbox partner's signing key: ``id`` is the partner's, ``private_pem`` is never shown."""

    id: str
    key_id: str
    private_pem: str = field(repr=False)
