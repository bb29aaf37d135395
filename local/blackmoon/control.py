"""``/_control/...``: what tests and the sandbox do to an organisation (header ``X-Partner``)."""

from __future__ import annotations

from datetime import date

from local.blackmoon import api, days, state, tokens
from local.blackmoon.errors import ERRORS
from local.blackmoon.organisation import Organisation
from local.blackmoon.world import World
from local.simulating.control import Controls, Done, Order, Routes
from local.simulating.faults import ANSWERS, Faults, fits
from local.simulating.fields import Fields

ERROR = "error"


class Control(Controls[Organisation]):
    """The routes, over the world and the faults."""

    kinds = ANSWERS | {ERROR}

    def __init__(self, world: World, faults: Faults) -> None:
        super().__init__(world, faults)
        self.world = world

    def routes(self) -> Routes:
        """Blackmoon's own."""
        return {
            "POST organisations": self._open,
            "POST clock": self._clock,
            "POST blackmoon-state": self._set,
            "GET blackmoon-state": self._state,
        }

    def match(self, fields: Fields, kind: str) -> str:
        """A method, ``offers.*`` for several, ``POST /offers.create``, or ``*``."""
        match = fields.text("match") or ""
        names = (f"{verb} /{name}" for verb in ("GET", "POST") for name in api.METHODS)
        if not match or not any(fits(match, name) for name in names):
            fields.wrong("match", "must be a method of Blackmoon's, or *")
        return match

    def code(self, fields: Fields, kind: str) -> int | None:
        """One of the documented error codes, for the kind ``error``."""
        if kind != ERROR:
            return None
        code = fields.whole("code")
        if code and code not in ERRORS:
            fields.wrong("code", "is no error code of Blackmoon's")
        return code

    def _open(self, order: Order) -> Done:
        fields = Fields(order.body or {})
        day = fields.day("business_date")
        fields.done()
        org, made = self.world.open(order.partner, {"business_date": day} if day else {})
        with self.world.looking(org):
            head = org.head
            return (201 if made else 200), {
                "partner": head.partner,
                "organization_id": head.id,
                "access_token": head.access_token,
                "refresh_token": head.refresh_token,
                "access_token_expiration_time": tokens.expiration(org),
                "business_date": head.business_date.isoformat(),
                "time": head.time,
            }

    def _clock(self, order: Order) -> Done:
        org = self.org(order)
        fields = Fields(order.body)
        to = fields.day("business_date")
        if to is None and not fields.errors:
            fields.wrong("business_date", "can't be blank")
        at = fields.text("time", pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]", words="must be HH:MM")
        reset, renew = fields.flag("reset"), fields.flag("renew")
        fields.done()
        assert isinstance(to, date)
        with self.world.changing(org):
            days.send(org, to, at, reset, renew)
        return 200, {"business_date": org.today.isoformat(), "time": org.head.time}

    def _set(self, order: Order) -> Done:
        org = self.org(order)
        with self.world.changing(org):
            state.put(org, order.body)
            return 200, state.told(org)

    def _state(self, order: Order) -> Done:
        org = self.org(order)
        with self.world.looking(org):
            return 200, state.told(org)
