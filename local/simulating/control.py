"""``/_control/...``: what tests and the sandbox do to an organisation (header ``X-Partner``).

Loopback only and without a token.  Errors are ``{"error": words}``.  Here are the routes that every
simulator has; each adds its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from local.simulating.faults import ANSWERS, MOST_TIMES, Fault, Faults
from local.simulating.fields import Fields, Flaws
from local.simulating.records import Holding, Json
from local.simulating.world import Organisations

Org = TypeVar("Org", bound=Holding[Any])

PARTNER = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Refusal(Exception):
    """An answer other than a success."""

    def __init__(self, status: int, words: str, code: str | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Order:
    """A request to the control routes."""

    method: str
    path: str
    partner: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


Done = tuple[int, Json]
Routes = Mapping[str, Callable[[Order], Done]]


class Controls(Generic[Org]):
    """The common routes, over the organisations and the faults."""

    kinds = ANSWERS

    def __init__(self, world: Organisations[Org], faults: Faults) -> None:
        self.organisations = world
        self.faults = faults
        self._routes: Routes = {
            "POST faults": self._add_fault,
            "DELETE faults": self._clear_faults,
            "GET faults": self._faults,
            "GET requests": self._requests,
            **self.routes(),
        }

    def routes(self) -> Routes:
        """The simulator's own routes, ``POST clock`` and the like."""
        return {}

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
            code = {"code": refusal.code} if refusal.code else {}
            return refusal.status, {"error": str(refusal), **code}
        except Flaws as flaws:
            fields = {str(error["field"]): error["message"] for error in flaws.errors}
            return 400, {"error": str(flaws), "code": "validation_failed", "fields": fields}

    def org(self, order: Order) -> Org:
        """The organisation that is meant."""
        org = self.organisations.of_partner(order.partner)
        if org is None:
            raise Refusal(404, "This partner has no organisation yet")
        return org

    def match(self, fields: Fields, kind: str) -> str:
        """What a fault is for; a flaw is noted where that is nothing."""
        raise NotImplementedError

    def code(self, fields: Fields, kind: str) -> int | None:
        """The code that a fault of the kind has."""
        return None

    def cleared(self, org: Org) -> None:
        """What to do after the faults were cleared."""

    def _add_fault(self, order: Order) -> Done:
        self.org(order)
        fields = Fields(order.body)
        kind = fields.choice("kind", self.kinds)
        match = self.match(fields, kind)
        times = fields.whole("times", required=False) or 1
        if times > MOST_TIMES:
            fields.wrong("times", "is too many")
        code = self.code(fields, kind)
        fields.done()
        fault = Fault(match, kind, times, code)
        self.faults.add(order.partner, fault)
        return 201, _told(fault)

    def _clear_faults(self, order: Order) -> Done:
        org = self.org(order)
        self.faults.clear(order.partner)
        self.cleared(org)
        return 200, {"faults": []}

    def _faults(self, order: Order) -> Done:
        self.org(order)
        return 200, {"faults": [_told(fault) for fault in self.faults.left(order.partner)]}

    def _requests(self, order: Order) -> Done:
        self.org(order)
        asked = (order.query.get(name) for name in ("match", "business_date"))
        found = self.faults.requests(order.partner, *asked)
        return 200, {"requests": found}


def _told(fault: Fault) -> Json:
    code = {} if fault.code is None else {"code": fault.code}
    return {"match": fault.match, "kind": fault.kind, "times": fault.times, **code}
