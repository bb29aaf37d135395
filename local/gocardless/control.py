"""``/_control/...``: what tests and the sandbox do to an organisation (header ``X-Partner``)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from local.gocardless import days, happenings, scenarios
from local.gocardless.checks import Fields
from local.gocardless.errors import ApiError, Json
from local.gocardless.organisation import Organisation
from local.gocardless.signatures import public_key
from local.gocardless.webhooks import Sender
from local.gocardless.world import World
from local.simulating import fields as shared
from local.simulating.control import Controls, Done, Order, Refusal, Routes
from local.simulating.faults import ANSWERS, DELIVERIES, WEBHOOKS, Faults

METHODS = r"(GET|POST|PUT|DELETE|PATCH) /\S*"


class Control(Controls[Organisation]):
    """The routes, over the world, the faults and the sender."""

    kinds = ANSWERS | DELIVERIES

    def __init__(self, world: World, faults: Faults, sender: Sender) -> None:
        super().__init__(world, faults)
        self.world = world
        self.sender = sender

    def routes(self) -> Routes:
        """GoCardless's own."""
        return {
            "POST organisations": self._open,
            "POST clock": self._clock,
            "POST drain": self._drain,
            "POST events": self._happen,
            "POST public-keys": self._public_key,
        }

    def answer(self, order: Order) -> Done:
        """Status and JSON."""
        try:
            return super().answer(order)
        except ApiError as error:
            status = 409 if error.kind == "invalid_state" else 400
            fields = {str(e.get("field")): e["message"] for e in error.errors if "field" in e}
            words = error.errors[0].get("reason", error.kind) if error.errors else error.kind
            return status, {"error": error.message, "code": words, "fields": fields}

    def match(self, fields: shared.Fields, kind: str) -> str:
        """A method and a path, ``webhooks`` or ``*``."""
        match = fields.text("match") or (WEBHOOKS if kind in DELIVERIES else "")
        if kind in DELIVERIES and match in ("*", WEBHOOKS):
            return WEBHOOKS
        if match not in ("*", WEBHOOKS) and not re.fullmatch(METHODS, match):
            fields.wrong("match", "must be a method and a path, webhooks, or *")
        return match

    def cleared(self, org: Organisation) -> None:
        """What was held back goes on."""
        self.sender.wake(org)

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
        org = self.org(order)
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
        org = self.org(order)
        return 200, self._told(org, self.sender.drain(org))

    def _told(self, org: Organisation, webhooks: Json) -> Json:
        return {"business_date": org.today.isoformat(), "webhooks": webhooks}

    def _happen(self, order: Order) -> Done:
        org = self.org(order)
        with self.world.changing(org):
            events = happenings.happen(org, order.body)
        self.sender.wake(org)
        return 201, {"events": [event.doc for event in events]}

    def _public_key(self, order: Order) -> Done:
        org = self.org(order)
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
