"""The API over HTTP: who asks, what is wrong on purpose, what is answered and noted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from local.blackmoon import api, forms, pages, wire
from local.blackmoon.control import Control
from local.blackmoon.errors import ApiError
from local.blackmoon.organisation import Organisation
from local.blackmoon.world import World
from local.simulating.control import Done, Order
from local.simulating.faults import Fault, Faults
from local.simulating.front import BAD_GATEWAY, HTML_502, SILENCE, Request, Response

LARGEST_BODY_BYTES = 400_000_000
NOT_ALLOWED = Response(405, b"Method Not Allowed", {"Allow": "GET, POST"})
NOT_FOUND = Response(404, b"Not Found", {"Content-Type": "text/plain"})
TOO_MANY = Response(429, b"Too Many Requests", {"Content-Type": "text/plain", "Retry-After": "1"})
BROKEN = Response(500, b"Internal Server Error", {"Content-Type": "text/plain"})
#: Answers that are no work of the API's.
OUTSIDE = {"429": TOO_MANY, "500": BROKEN, "html502": BAD_GATEWAY}


@dataclass
class Simulator:
    """Everything behind the front; ``hold_seconds`` is how long a ``timeout`` fault is silent."""

    world: World
    faults: Faults
    hold_seconds: float = 12.5

    def __post_init__(self) -> None:
        self.control = Control(self.world, self.faults)

    @property
    def largest_body_bytes(self) -> int:
        """A longer body is not read."""
        return LARGEST_BODY_BYTES

    def start(self) -> None:
        """Nothing runs beside the requests."""

    def stop(self) -> None:
        """The store is closed."""
        self.world.store.close()

    def ordered(self, order: Order) -> Done:
        """A control call."""
        return self.control.answer(order)

    def overview(self) -> tuple[int, str]:
        """The page at ``/``."""
        return pages.overview(self.world, self.faults)

    def broken(self) -> Response:
        """What is answered when the simulator itself fails."""
        return _json(ApiError(10).body({}))

    def answer(self, request: Request) -> Response:
        """A method's answer."""
        method = request.path[1:]
        if not api.known(method):
            return NOT_FOUND
        if request.method not in ("GET", "POST"):
            return NOT_ALLOWED
        form = forms.read(request.query, request.lower.get("content-type", ""), request.raw)
        org = self.world.of_id(form.parameters.get("organizationId", ""))
        if org is None:
            return _json(ApiError(2).body(form.parameters))
        return self._exchange(request, org, api.Call(org, method, form))

    def _exchange(self, request: Request, org: Organisation, call: api.Call) -> Response:
        wall, day = time.time(), org.today.isoformat()
        fault = self.faults.take(org.head.partner, f"{request.method} {request.path}")
        response, shown = self._suffer(org, call, fault)
        form, files = dict(call.parameters), call.form.files
        texts = {part: file.content.decode("utf-8", "replace") for part, file in files.items()}
        entry = request.noted(wall, day, fault, response, shown, form=form, files=texts)
        self.faults.note(org.head.partner, entry)
        return response

    def _suffer(
        self, org: Organisation, call: api.Call, fault: Fault | None
    ) -> tuple[Response, Any]:
        kind = None if fault is None else fault.kind
        if kind == "timeout":
            time.sleep(self.hold_seconds)
            return SILENCE, None
        if kind in OUTSIDE:
            return OUTSIDE[kind], HTML_502 if kind == "html502" else OUTSIDE[kind].body.decode()
        try:
            if fault is not None and fault.code is not None:
                raise ApiError(fault.code)
            with self.world.changing(org):
                body = api.answer(call)
        except ApiError as refusal:
            body = refusal.body(call.parameters)
        return (SILENCE, None) if kind == "drop_answer" else (_json(body), _told(body))


def _told(body: Any) -> Any:
    """The answer as plain JSON values, for those who ask what was answered."""
    return json.loads(wire.written(body))


def _json(body: Any) -> Response:
    """Errors too come with status 200: what happened is said by the body alone."""
    return Response(200, wire.written(body).encode(), {"Content-Type": "application/json"})
