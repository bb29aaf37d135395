"""``/_control/...``: what tests and the sandbox do to an organisation (header ``X-Partner``).

Loopback only and without a token.  Errors are ``{"error": words}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from local.gocardless import days, happenings, scenarios
from local.gocardless.checks import Fields
from local.gocardless.errors import ApiError, Json
from local.gocardless.faults import DELIVERIES, KINDS, MOST_TIMES, WEBHOOKS, Fault, Faults
from local.gocardless.organisation import Organisation
from local.gocardless.signatures import public_key
from local.gocardless.webhooks import Sender
from local.gocardless.world import World

PARTNER = re.compile(r"[A-Za-z0-9._-]{1,100}")
METHODS = r"(GET|POST|PUT|DELETE|PATCH) /\S*"


class Refusal(Exception):
    """An answer other than a success."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Order:
    """A request to the control routes."""

    method: str
    path: str
    partner: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


Done = tuple[int, Json]


class Control:
    """The routes, over the world, the faults and the sender."""

    def __init__(self, world: World, faults: Faults, sender: Sender) -> None:
        self.world = world
        self.faults = faults
        self.sender = sender
        self._routes: Mapping[str, Callable[[Order], Done]] = {
            "POST organisations": self._open,
            "POST clock": self._clock,
            "POST drain": self._drain,
            "POST faults": self._add_fault,
            "DELETE faults": self._clear_faults,
            "GET faults": self._faults,
            "GET requests": self._requests,
            "POST events": self._happen,
            "POST public-keys": self._public_key,
        }

    def answer(self, order: Order) -> Done:
        """Status and JSON."""
        name = order.path.removeprefix("/_control/").rstrip("/")
        route = self._routes.get(f"{order.method} {name}")
        if route is None:
            known = any(key.endswith(f" {name}") for key in self._routes)
            return (405 if known else 404), {"error": f"There is no {order.method} {order.path}"}
        if not PARTNER.fullmatch(order.partner):
            return 400, {"error": "The header X-Partner must hold the partner's id"}
        try:
            return route(order)
        except Refusal as refusal:
            return refusal.status, {"error": str(refusal)}
        except ApiError as error:
            status = 409 if error.kind == "invalid_state" else 400
            fields = {str(e.get("field")): e["message"] for e in error.errors if "field" in e}
            words = error.errors[0].get("reason", error.kind) if error.errors else error.kind
            return status, {"error": error.message, "code": words, "fields": fields}

    def _org(self, order: Order) -> Organisation:
        org = self.world.of_partner(order.partner)
        if org is None:
            raise Refusal(404, "This partner has no organisation yet")
        return org

    def _open(self, order: Order) -> Done:
        fields = Fields(order.body or {}, "")
        settings: Json = {}
        if fields.has("business_date"):
            settings["business_date"] = fields.day("business_date")
        if "webhook_url" in fields.data:
            settings["webhook_url"] = fields.url("webhook_url")
        for name in ("mandates_need_approval", "outbound_needs_approval"):
            if name in fields.data:
                settings[name] = fields.flag(name)
        fields.done()
        org, made = self.world.open(order.partner, settings)
        self.sender.wake(org)  # an address that was missing may be there now
        head = org.head
        return (201 if made else 200), {
            "partner": head.partner,
            "organisation": head.id,
            "creditor": head.creditor,
            "access_token": head.access_token,
            "webhook_secret": head.webhook_secret,
            "webhook_url": head.webhook_url,
            "business_date": head.business_date.isoformat(),
            "mandates_need_approval": head.mandates_need_approval,
            "outbound_needs_approval": head.outbound_needs_approval,
            "scenarios": sorted(scenarios.SCENARIOS),
        }

    def _clock(self, order: Order) -> Done:
        org = self._org(order)
        fields = Fields(order.body, "")
        to = fields.day("business_date")
        if to is None and not fields.errors:
            fields.wrong("business_date", "can't be blank")
        reset, drain = fields.flag("reset"), fields.flag("drain", True)
        fields.done()
        assert isinstance(to, date)
        with self.world.changing(org):
            days.send(org, to, reset)
        if not drain:
            self.sender.wake(org)
            return 200, self._told(org, {})
        return 200, self._told(org, self.sender.drain(org))

    def _drain(self, order: Order) -> Done:
        org = self._org(order)
        return 200, self._told(org, self.sender.drain(org))

    def _told(self, org: Organisation, webhooks: Json) -> Json:
        return {"business_date": org.today.isoformat(), "webhooks": webhooks}

    def _add_fault(self, order: Order) -> Done:
        self._org(order)
        fields = Fields(order.body, "")
        kind = fields.choice("kind", KINDS)
        match = fields.text("match") or (WEBHOOKS if kind in DELIVERIES else "")
        if kind in DELIVERIES and match in ("*", WEBHOOKS):
            match = WEBHOOKS
        elif match not in ("*", WEBHOOKS) and not re.fullmatch(METHODS, match):
            fields.wrong("match", "must be a method and a path, webhooks, or *")
        times = fields.pence("times", required=False) or 1
        if times > MOST_TIMES:
            fields.wrong("times", "is too many")
        fields.done()
        self.faults.add(order.partner, Fault(match, kind, times))
        return 201, {"match": match, "kind": kind, "times": times}

    def _clear_faults(self, order: Order) -> Done:
        org = self._org(order)
        self.faults.clear(order.partner)
        self.sender.wake(org)  # what was held back goes on
        return 200, {"faults": []}

    def _faults(self, order: Order) -> Done:
        found = self.faults.left(order.partner)
        return 200, {
            "faults": [{"match": f.match, "kind": f.kind, "times": f.times} for f in found]
        }

    def _requests(self, order: Order) -> Done:
        self._org(order)
        found = self.faults.requests(order.partner, order.query.get("match"))
        return 200, {"requests": found}

    def _happen(self, order: Order) -> Done:
        org = self._org(order)
        with self.world.changing(org):
            events = happenings.happen(org, order.body)
        self.sender.wake(org)
        return 201, {"events": [event.doc for event in events]}

    def _public_key(self, order: Order) -> Done:
        org = self._org(order)
        fields = Fields(order.body, "")
        identity = fields.text("id", required=True)
        pem = fields.text("public_key_pem", required=True, most=5000)
        fields.done()
        assert identity is not None
        assert pem is not None
        try:
            public_key(pem)
        except ValueError as error:
            raise Refusal(400, f"public_key_pem: {error}") from None
        with self.world.changing(org):
            keys = {**org.head.public_keys, identity: pem}
            org.head = replace(org.head, public_keys=keys)
        return 201, {"id": identity}
