"""Webhooks: events on their way to the partner's URL, signed, in order, tried again.

A lane for each organisation.  In the background a lane waits a moment, so that what belongs
together leaves together, and tries again by the wall clock.  A *drain* sends at once everything
that is there and tries a failed one twice more without waiting; then all webhooks have had their
first attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.gocardless.errors import Json, invalid_state
from local.gocardless.organisation import Organisation, Record
from local.gocardless.world import World
from local.simulating.faults import WEBHOOKS, Faults

log = logging.getLogger("local")

MOST_EVENTS = 250
DRAIN_TRIES = 3
DRAIN_PAUSE_SECONDS = 0.05
#: An endpoint that hangs is not asked again by a drain that has lasted so long.
DRAIN_PATIENCE_SECONDS = 5.0
LONGEST_BODY = 10_000
#: Held back webhooks that no drain asks for leave after this time all the same.
HELD_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds; ``retries`` is the wait before each further try."""

    linger: float = 0.1
    timeout: float = 10.0
    retries: Sequence[float] = (1, 5, 30, 120, 600, 1800, 3600, 7200)


class Lane:
    """One organisation's webhooks: one sender at a time."""

    def __init__(self) -> None:
        self.sending = threading.RLock()
        self.woken = threading.Event()
        self.thread: threading.Thread | None = None


class Sender:
    """Sends what the organisations have to tell."""

    def __init__(self, world: World, faults: Faults, pace: Pace | None = None) -> None:
        self.world = world
        self.faults = faults
        self.pace = pace or Pace()
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = {}

    def start(self) -> None:
        """Goes on with what a former process has left."""
        for org in self.world.all():
            if org.waiting["events"] or self._undelivered(org):
                self.wake(org)

    def stop(self) -> None:
        """No further attempts from the background."""
        self.stopped.set()
        for lane in list(self._lanes.values()):
            lane.woken.set()

    def wake(self, org: Organisation) -> None:
        """There is something to be sent."""
        lane = self._lane(org)
        lane.woken.set()
        with self._lock:
            if lane.thread is None and not self.stopped.is_set():
                name = f"webhooks-{org.head.id}"
                lane.thread = threading.Thread(
                    target=self._run, args=(org, lane), name=name, daemon=True
                )
                lane.thread.start()

    def _lane(self, org: Organisation) -> Lane:
        with self._lock:
            return self._lanes.setdefault(org.head.partner, Lane())

    # -- in the background

    def _run(self, org: Organisation, lane: Lane) -> None:
        held_since: float | None = None
        wait: float | None = 0.0
        while not self.stopped.is_set():
            lane.woken.wait(wait)
            lane.woken.clear()
            if self.stopped.wait(self.pace.linger):
                return
            try:
                with lane.sending:
                    held = (
                        self.faults.has(org.head.partner, "reorder_webhooks")
                        and org.waiting["events"]
                    )
                    if not held:
                        held_since = None
                        self._send_new(org, self._sendable(org))
                    elif held_since is None:
                        held_since = time.monotonic()
                    elif time.monotonic() - held_since > HELD_SECONDS:
                        self._send_reordered(org, self._sendable(org))
                        held_since = None
                    self._send_again(org)
            except Exception:
                log.exception("webhooks of %s", org.head.id)
            wait = self._next(org, held_since)

    def _next(self, org: Organisation, held_since: float | None) -> float | None:
        """Seconds until there is something to do, None: until somebody wakes the lane."""
        dues = [float(record.hidden["next"]) for record in self._undelivered(org)]
        waits = [max(due - time.time(), 0.05) for due in dues]
        if held_since is not None:
            waits.append(HELD_SECONDS)
        return min(waits, default=None)

    def _undelivered(self, org: Organisation) -> list[Record]:
        with self.world.looking(org):
            return org.waiting_of("webhooks")

    def _send_again(self, org: Organisation) -> None:
        for record in self._undelivered(org):
            if float(record.hidden["next"]) <= time.time():
                self._attempt(org, record)

    # -- at once

    def drain(self, org: Organisation) -> Json:
        """Everything sent, each tried up to three times; what is left over."""
        lane = self._lane(org)
        until = time.monotonic() + DRAIN_PATIENCE_SECONDS
        with lane.sending:
            self._insist(org, until)
            while ready := self._sendable(org):
                if self.faults.has(org.head.partner, "reorder_webhooks"):
                    self._send_reordered(org, ready)
                else:
                    self._send_new(org, ready)
                self._insist(org, until)
            left = self._undelivered(org)
        if left:
            self.wake(org)
        return {"unsent": len(org.waiting["events"]), "undelivered": len(left)}

    def _insist(self, org: Organisation, until: float) -> None:
        for record in self._undelivered(org):
            for _ in range(max(DRAIN_TRIES - int(record.hidden["attempts"]), 0)):
                if time.monotonic() > until:
                    return
                time.sleep(DRAIN_PAUSE_SECONDS)
                if self._attempt(org, record):
                    break

    def retry(self, org: Organisation, identity: str) -> Record:
        """``POST /webhooks/WB/actions/retry``: once more, whatever became of it."""
        record = org.get("webhooks", identity)
        if not org.head.webhook_url:
            raise invalid_state("webhook_endpoint_missing", "There is no endpoint")
        with self._lane(org).sending:
            self._attempt(org, record)
        return org.get("webhooks", identity)

    # -- composing

    def _sendable(self, org: Organisation) -> list[str]:
        """Events that may leave now, oldest first; none without an endpoint."""
        with self.world.looking(org):
            unsent = org.waiting_of("events") if org.head.webhook_url else []
            if not self.faults.has(org.head.partner, "delay_webhooks"):
                return [event.id for event in unsent]
            today = org.today.isoformat()
            ready = [event.id for event in unsent if event.doc["created_at"][:10] < today]
        if ready:
            self.faults.take_kind(org.head.partner, {"delay_webhooks"})
        return ready

    def _send_new(self, org: Organisation, ready: Sequence[str]) -> None:
        for start in range(0, len(ready), MOST_EVENTS):
            self._attempt(org, self._compose(org, ready[start : start + MOST_EVENTS]))

    def _send_reordered(self, org: Organisation, ready: Sequence[str]) -> None:
        """The newest first, one event each."""
        self.faults.take_kind(org.head.partner, {"reorder_webhooks"})
        for identity in reversed(ready):
            self._attempt(org, self._compose(org, [identity]))

    def _compose(self, org: Organisation, identities: Sequence[str]) -> Record:
        with self.world.changing(org):
            events = [org.get("events", identity) for identity in identities]
            record = org.add("webhooks", _unsent(org), attempts=0, next=time.time())
            body = {"events": [e.doc for e in events], "meta": {"webhook_id": record.id}}
            text = json.dumps(body, separators=(",", ":"))
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "gocardless-webhook-service/1.2",
                "Origin": "https://api-sandbox.gocardless.com",
                "Webhook-Signature": signature(org.head.webhook_secret, text.encode()),
            }
            for event in events:
                org.change(event, {"webhook": record.id})
            return org.change(record, request_body=text, request_headers=headers)

    # -- attempting

    def _attempt(self, org: Organisation, record: Record) -> bool:
        """One attempt, noted; whether the endpoint has taken it."""
        partner = org.head.partner
        suffered = self.faults.take(partner, WEBHOOKS)
        fault = None if suffered is None else suffered.kind
        answered: Json | None = None
        if fault in (None, "drop_answer"):
            answered = self._post(record)
        if fault is not None:
            answered = None
        elif answered and self.faults.take_kind(partner, {"duplicate_webhook"}):
            self._post(record)
        taken = answered is not None and 200 <= int(answered["response_code"]) < 300
        with self.world.changing(org):
            known = org.get("webhooks", record.id)
            tries = int(known.hidden["attempts"]) + 1
            retries = self.pace.retries
            again = None if taken or tries > len(retries) else time.time() + retries[tries - 1]
            org.change(
                known, {"attempts": tries, "next": again}, successful=taken, **(answered or {})
            )
        return taken

    def _post(self, record: Record) -> Json | None:
        try:
            return post(
                str(record.doc["url"]),
                record.doc["request_body"].encode(),
                record.doc["request_headers"],
                self.pace.timeout,
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            log.info("webhook %s: %s", record.id, type(error).__name__)
            return None


def signature(secret: str, body: bytes) -> str:
    """The ``Webhook-Signature`` of a raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _unsent(org: Organisation) -> dict[str, Any]:
    return {
        "url": org.head.webhook_url,
        "request_headers": {},
        "request_body": "",
        "response_code": None,
        "response_body": None,
        "response_body_truncated": False,
        "response_headers": {},
        "response_headers_content_truncated": False,
        "response_headers_count_truncated": False,
        "successful": False,
        "is_test": True,
    }


def post(url: str, body: bytes, headers: dict[str, str], timeout: float) -> Json:
    """One POST, no redirects; what a webhook's record says of the answer."""
    parts = urlsplit(url)
    connect: Callable[..., http.client.HTTPConnection] = (
        http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    )
    connection = connect(parts.hostname, parts.port, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read(LONGEST_BODY + 1).decode("utf-8", "replace")
        return {
            "response_code": answer.status,
            "response_body": text[:LONGEST_BODY],
            "response_body_truncated": len(text) > LONGEST_BODY,
            "response_headers": dict(answer.getheaders()),
        }
    finally:
        connection.close()
