"""The sandbox's GoCardless simulator: what a real provider has no call for.

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

PROVIDER = "gocardless-simulator"
OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Access:
    """An organisation's tokens, and the scenarios that can be run in it."""

    access_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    creditor: str = ""
    scenarios: tuple[str, ...] = ()


class GoCardlessSimulator:
    """The control calls of one simulator.  Raise :class:`NoAnswer` where it cannot be reached."""

    def __init__(self, base_url: str, transport: Transport) -> None:
        self._base_url = base_url
        self._transport = transport

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

    def _post(self, what: str, partner_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        operation = f"POST /_control/{what}"
        call = Call(
            PROVIDER,
            operation,
            "POST",
            f"{self._base_url}/_control/{what}",
            {"X-Partner": partner_id, "Content-Type": "application/json"},
            json.dumps(body).encode(),
        )
        response = self._transport.send(call)
        if response.status_code not in OK:
            raise NoAnswer(PROVIDER, operation, f"status {response.status_code}")
        found = response.json() if response.content else {}
        return found if isinstance(found, dict) else {}
