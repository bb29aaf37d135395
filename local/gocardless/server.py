"""The API over HTTP: who asks, what is wrong on purpose, what is answered and noted."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from local.gocardless import api, errors, pages, signatures
from local.gocardless.control import Control
from local.gocardless.errors import ApiError
from local.gocardless.organisation import Organisation
from local.gocardless.webhooks import Sender
from local.gocardless.world import World, new_id
from local.simulating.control import Done, Order
from local.simulating.faults import Fault, Faults
from local.simulating.front import (
    BAD_GATEWAY,
    HTML_502,
    SILENCE,
    Request,
    Response,
    as_json,
    as_page,
)

VERSION = "2015-07-06"
LARGEST_BODY_BYTES = 1_000_000


@dataclass
class Simulator:
    """Everything behind the front; ``hold_seconds`` is how long a ``timeout`` fault is silent."""

    world: World
    faults: Faults
    sender: Sender
    hold_seconds: float = 12.5
    rate_limit: int = 10_000
    nonces: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.control = Control(self.world, self.faults, self.sender)
        self._minutes: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._lock = threading.Lock()

    @property
    def largest_body_bytes(self) -> int:
        """A longer body is not read."""
        return LARGEST_BODY_BYTES

    def start(self) -> None:
        """The sender begins."""
        self.sender.start()

    def stop(self) -> None:
        """The sender ends, the store is closed."""
        self.sender.stop()
        self.world.store.close()

    def ordered(self, order: Order) -> Done:
        """A control call."""
        return self.control.answer(order)

    def overview(self) -> tuple[int, str]:
        """The page at ``/``."""
        return pages.overview(self.world, self.faults)

    def broken(self) -> Response:
        """What is answered when the simulator itself fails."""
        return _failed(errors.broken(), str(uuid4()))

    def answer(self, request: Request) -> Response:
        """The customer's form, or the API."""
        if found := re.fullmatch(r"/flow/([A-Z0-9]+)", request.path):
            return self._flow(request, found[1])
        return _Exchange(self, request).answer()

    def _flow(self, request: Request, identity: str) -> Response:
        org = self.world.of_flow(identity)
        if org is None:
            return as_page(404, pages.missing())
        if request.method not in ("GET", "HEAD", "POST"):
            return Response(405, headers={"Allow": "GET, POST"})
        form = dict(parse_qsl(request.raw.decode("utf-8", "replace"), keep_blank_values=True))
        posted = form if request.method == "POST" else None
        status, text, location = pages.flow(self.world, org, identity, posted)
        if org.waiting["events"]:
            self.sender.wake(org)
        if location is not None:
            return Response(303, headers={"Location": location, "Cache-Control": "no-store"})
        return as_page(status, text)

    def remaining(self, org: Organisation, wall: float) -> int:
        """Counts a request; how many are left of this minute, -1 when it was one too many."""
        minute = int(wall // 60)
        with self._lock:
            known, count = self._minutes[org.head.partner]
            count = count + 1 if known == minute else 1
            self._minutes[org.head.partner] = (minute, count)
        return max(self.rate_limit - count, -1)


class _Exchange:
    """One request to the API: who asks, what is wrong on purpose, what is answered and noted."""

    def __init__(self, simulator: Simulator, request: Request) -> None:
        self.simulator, self.request = simulator, request
        self.headers = request.lower
        self.method, self.path, self.raw = request.method, request.path, request.raw
        self.request_id = str(uuid4())
        self.wall = time.time()
        self.body: Any = None

    def answer(self) -> Response:
        """The response, as a fault leaves it."""
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        org = self.simulator.world.of_token(token)
        if org is None:
            return _failed(errors.unauthorised(), self.request_id)
        fault = self.simulator.faults.take(org.head.partner, f"{self.method} {self.path}")
        try:
            self.body = json.loads(self.raw) if self.raw else None
        except ValueError:
            self.body = errors.bad_document("The body is not JSON")
        day = org.today.isoformat()
        response, shown = self._suffer(org, fault)
        self._note(org, day, fault, response, shown)
        if org.waiting["events"]:
            self.simulator.sender.wake(org)
        return response

    def _suffer(self, org: Organisation, fault: Fault | None) -> tuple[Response, Any]:
        kind = None if fault is None else fault.kind
        if kind == "timeout":
            time.sleep(self.simulator.hold_seconds)
            return SILENCE, None
        if kind == "429":
            return self._refuse(org, errors.too_many())
        if kind == "500":
            return self._refuse(org, errors.broken())
        if kind == "html502":
            return BAD_GATEWAY, HTML_502
        try:
            answered = self._work(org)
        except ApiError as refusal:
            return self._refuse(org, refusal)
        if kind == "drop_answer":
            return SILENCE, None
        headers = self._limits(org, answered.status)
        if answered.location:
            headers["Location"] = answered.location
        if answered.body is None:
            return Response(answered.status, headers=headers), None
        return as_json(answered.status, answered.body, headers), answered.body

    def _refuse(self, org: Organisation, refusal: ApiError) -> tuple[Response, Any]:
        headers = self._limits(org, refusal.status)
        return _failed(refusal, self.request_id, headers), refusal.body(self.request_id)

    def _work(self, org: Organisation) -> api.Answer:
        simulator = self.simulator
        if simulator.remaining(org, self.wall) < 0:
            raise errors.too_many()
        version = self.headers.get("gocardless-version")
        if version != VERSION:
            reason = "version_not_found" if version else "missing_version_header"
            raise errors.usage(400, reason, f"The header GoCardless-Version must be {VERSION}")
        if isinstance(self.body, ApiError):
            raise self.body
        if api.must_be_signed(self.method, self.path):
            signed = signatures.Signed(self.method, self.request.target, self.headers, self.raw)
            signatures.verify(signed, org.head.public_keys, simulator.nonces, self.wall)
        if found := re.fullmatch(r"/webhooks/([^/]+)/actions/retry", self.path):
            record = simulator.sender.retry(org, found[1])
            return api.Answer(200, {"webhooks": record.doc})
        call = api.Call(
            org,
            self.method,
            self.path,
            self.request.query,
            self.body,
            self.headers.get("idempotency-key"),
            self.request.base_url,
            new_id("SESS"),
        )
        if self.method == "GET":
            with simulator.world.looking(org):
                return api.answer(call)
        with simulator.world.changing(org):
            return api.answer(call)

    def _limits(self, org: Organisation, status: int) -> dict[str, str]:
        minute = int(self.wall // 60)
        with self.simulator._lock:
            _, count = self.simulator._minutes[org.head.partner]
        left = 0 if status == 429 else max(self.simulator.rate_limit - count, 0)
        headers = {
            "RateLimit-Limit": str(self.simulator.rate_limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": formatdate((minute + 1) * 60, usegmt=True),
            "X-Request-Id": self.request_id,
        }
        if status == 429:
            headers["Retry-After"] = str(int((minute + 1) * 60 - self.wall) + 1)
        return headers

    def _note(
        self, org: Organisation, day: str, fault: Fault | None, response: Response, shown: Any
    ) -> None:
        body = None if isinstance(self.body, ApiError) else self.body
        entry = self.request.noted(self.wall, day, fault, response, shown, json=body, files={})
        self.simulator.faults.note(org.head.partner, entry)


def _failed(error: ApiError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    more = {"X-Request-Id": request_id, **(headers or {})}
    return as_json(error.status, error.body(request_id), more)
