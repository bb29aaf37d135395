"""The sandbox's simulators of providers: what a real provider has no call for.

Each sandbox partner has an organisation there, and the organisation a date, which follows the
partner's clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from chalicelib.integrations.transport import Call, NoAnswer

if TYPE_CHECKING:
    from chalicelib.integrations.transport import Transport

OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Access:
    """An organisation's tokens, and the scenarios that can be run in it."""

    access_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    creditor: str = ""
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SellerAccess:
    """An organisation at Blackmoon with its present tokens; ``expires`` is ISO text."""

    organization_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires: str = ""


class _Controls:
    """The control calls of one simulator.  Raise :class:`NoAnswer` where it cannot be reached."""

    provider: str

    def __init__(self, base_url: str, transport: Transport) -> None:
        self._base_url = base_url
        self._transport = transport

    def _post(self, what: str, partner_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        operation = f"POST /_control/{what}"
        call = Call(
            self.provider,
            operation,
            "POST",
            f"{self._base_url}/_control/{what}",
            {"X-Partner": partner_id, "Content-Type": "application/json"},
            json.dumps(body).encode(),
        )
        response = self._transport.send(call)
        if response.status_code not in OK:
            raise NoAnswer(self.provider, operation, f"status {response.status_code}")
        found = response.json() if response.content else {}
        return found if isinstance(found, dict) else {}


class BlackmoonSimulator(_Controls):
    """Blackmoon's."""

    provider = "blackmoon-simulator"

    def organisation(self, partner_id: str, day: date) -> SellerAccess:
        """The partner's organisation, made on ``day`` if it is not there yet."""
        found = self._post("organisations", partner_id, {"business_date": day.isoformat()})
        return SellerAccess(
            str(found["organization_id"]),
            str(found["access_token"]),
            str(found["refresh_token"]),
            str(found["access_token_expiration_time"]),
        )

    def move(
        self, partner_id: str, day: date, *, hour: int | None = None, renew: bool = False
    ) -> None:
        """Bring the organisation to ``day``, as it begins or at a full ``hour`` of London's time.

        A date before its own begins its time and its tokens' lives anew; ``renew`` does the latter.
        """
        at = {} if hour is None else {"time": f"{hour:02d}:00"}
        body = {"business_date": day.isoformat(), "reset": True, "renew": renew, **at}
        self._post("clock", partner_id, body)


class GoCardlessSimulator(_Controls):
    """GoCardless's."""

    provider = "gocardless-simulator"

    def organisation(self, partner_id: str, webhook_url: str, day: date) -> Access:
        """The partner's organisation, made on ``day`` if it is not there yet."""
        asked = {"webhook_url": webhook_url, "business_date": day.isoformat()}
        found = self._post("organisations", partner_id, asked)
        return Access(
            str(found["access_token"]),
            str(found["webhook_secret"]),
            str(found.get("creditor", "")),
            tuple(str(name) for name in found.get("scenarios", ())),
        )

    def move(self, partner_id: str, day: date) -> None:
        """Bring the organisation's date to ``day``; its webhooks have had their first attempt.

        A date before its own begins its time anew.
        """
        self._post("clock", partner_id, {"business_date": day.isoformat(), "reset": True})

    def drain(self, partner_id: str) -> None:
        """Have what the organisation has to tell sent now."""
        self._post("drain", partner_id, {})

    def register_key(self, partner_id: str, key_id: str, public_pem: str) -> None:
        """Let the organisation's money go out by requests signed with this key."""
        self._post("public-keys", partner_id, {"id": key_id, "public_key_pem": public_pem})
