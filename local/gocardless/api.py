"""The API's routes: what each takes and gives, as GoCardless documents it.

``answer(call)`` finds the route, checks the idempotency key, unwraps the envelope, runs the core
and wraps the result.  It changes the organisation; whoever calls has opened ``changing()``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from local.gocardless import (
    billing,
    customers,
    flows,
    lists,
    magic,
    mandates,
    outbound,
    payments,
    payouts,
    refunds,
    scenarios,
)
from local.gocardless.errors import Json, bad_document, key_conflict, not_found
from local.gocardless.organisation import Organisation, Record


@dataclass(frozen=True, slots=True)
class Call:
    """One request; ``body`` is its JSON (None where there is none)."""

    org: Organisation
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    key: str | None = None
    base_url: str = ""
    token: str = ""


class Answer(NamedTuple):
    """What leaves."""

    status: int
    body: Json | None
    location: str | None = None


Handle = Callable[..., Answer]
SHOW: Mapping[str, Callable[[Organisation, Record], Json]] = {
    "billing_requests": billing.shown,
    "mandates": mandates.shown,
}


def shown(org: Organisation, record: Record) -> Json:
    """A record as the API shows it."""
    show = SHOW.get(record.kind)
    return show(org, record) if show else record.doc


def _wrapped(call: Call, record: Record, status: int = 200) -> Answer:
    location = f"{call.base_url}/{record.kind}/{record.id}" if status == 201 else None
    return Answer(status, {record.kind: shown(call.org, record)}, location)


def _envelope(call: Call, name: str) -> Any:
    if not isinstance(call.body, dict) or not isinstance(call.body.get(name), dict):
        raise bad_document(f"The body must be an object with the member {name}")
    return call.body[name]


def _data(call: Call) -> Json | None:
    """What an action was sent: ``{"data": {...}}``, ``null`` or nothing."""
    if call.body is None:
        return None
    found = call.body.get("data") if isinstance(call.body, dict) else call.body
    if found is not None and not isinstance(found, dict):
        raise bad_document("The body must be an object with the member data")
    return found


def _creates(
    kind: str,
    make: Callable[[Organisation, Any], Record],
    after: Callable[[Organisation, Record], None] | None = None,
) -> Handle:
    def handle(call: Call) -> Answer:
        _check_key(call, kind)
        record = make(call.org, _envelope(call, kind))
        _remember_key(call, kind, record.id)
        answer = _wrapped(call, record, 201)
        if after is not None:
            after(call.org, record)
        return answer

    return handle


def _check_key(call: Call, kind: str) -> None:
    if call.key and (made := call.org.keys.get((kind, call.key))):
        raise key_conflict(made)


def _remember_key(call: Call, kind: str, identity: str) -> None:
    if call.key:
        call.org.remember(kind, call.key, identity)


def _flow(call: Call) -> Answer:
    kind = "billing_request_flows"
    _check_key(call, kind)
    record = flows.create(call.org, _envelope(call, kind), call.base_url)
    _remember_key(call, kind, record.id)
    return Answer(201, {kind: record.doc})


def _with_actions(call: Call) -> Answer:
    _check_key(call, "billing_requests")
    kind = "billing_request_with_actions"
    found = billing.create_with_actions(call.org, _envelope(call, kind))
    _remember_key(call, "billing_requests", found["billing_requests"]["id"])
    return Answer(201, {kind: found})


def _withdrawal(call: Call) -> Answer:
    _check_key(call, "outbound_payments")
    record = outbound.withdraw(call.org, _data(call))
    _remember_key(call, "outbound_payments", record.id)
    answer = _wrapped(call, record, 201)
    outbound.begin(call.org, record.id)
    return answer


def _reads(kind: str) -> Handle:
    def handle(call: Call, identity: str) -> Answer:
        record = call.org.get(kind, identity)
        if "removed" in record.hidden:
            raise not_found()
        return _wrapped(call, record)

    return handle


def _lists(kind: str) -> Handle:
    return lambda call: Answer(200, lists.page(call.org, kind, call.query, shown))


def _acts(action: Callable[[Organisation, str, Json | None], Record]) -> Handle:
    return lambda call, identity: _wrapped(call, action(call.org, identity, _data(call)))


def _updates(kind: str) -> Handle:
    def handle(call: Call, identity: str) -> Answer:
        body = _envelope(call, kind)
        return _wrapped(call, customers.update_metadata(call.org, kind, identity, body))

    return handle


def _reinstate(call: Call, identity: str) -> Answer:
    record = mandates.reinstate(call.org, identity, _data(call))
    answer = _wrapped(call, record)
    magic.on_mandate(call.org, record)
    return answer


def _retry(call: Call, identity: str) -> Answer:
    record = payments.retry(call.org, identity, _data(call))
    answer = _wrapped(call, record)
    magic.on_payment(call.org, record)
    return answer


def _update_customer(call: Call, identity: str) -> Answer:
    return _wrapped(call, customers.update(call.org, identity, _envelope(call, "customers")))


def _remove_customer(call: Call, identity: str) -> Answer:
    mandates.remove_customer(call.org, identity)
    return Answer(204, None)


def _disable_account(call: Call, identity: str) -> Answer:
    return _wrapped(call, mandates.disable_account(call.org, identity))


def _initialise(call: Call, identity: str) -> Answer:
    return _wrapped(call, flows.initialise(call.org, identity, call.token))


def _scenario(call: Call, name: str) -> Answer:
    return Answer(200, {"scenario_simulators": scenarios.run(call.org, name, _data(call))})


def _stats(call: Call) -> Answer:
    return Answer(200, {"outbound_payments": outbound.stats(call.org)})


def _items(call: Call) -> Answer:
    payout = call.org.get("payouts", call.query.get("payout"))
    found = [r for r in call.org.all("payout_items") if r.doc["payout"] == payout.id]
    meta = {"cursors": {"before": None, "after": None}, "limit": lists.MOST}
    return Answer(200, {"payout_items": [payouts.shown_item(r) for r in found], "meta": meta})


def _billing_action(call: Call, identity: str, action: str) -> Answer:
    if action not in billing.ACTIONS:
        raise not_found()
    return _wrapped(call, billing.ACTIONS[action](call.org, identity, _data(call)))


def _begin_outbound(org: Organisation, record: Record) -> None:
    outbound.begin(org, record.id)


_LISTED = tuple(lists.FILTERS)
_TABLE: tuple[tuple[str, Handle], ...] = (
    ("POST /customers", _creates("customers", customers.create)),
    ("PUT /customers/*", _update_customer),
    ("DELETE /customers/*", _remove_customer),
    (
        "POST /customer_bank_accounts",
        _creates("customer_bank_accounts", customers.create_account),
    ),
    ("PUT /customer_bank_accounts/*", _updates("customer_bank_accounts")),
    ("POST /customer_bank_accounts/*/actions/disable", _disable_account),
    ("POST /billing_requests", _creates("billing_requests", billing.create)),
    ("POST /billing_requests/create_with_actions", _with_actions),
    ("POST /billing_requests/*/actions/*", _billing_action),
    ("POST /billing_request_flows", _flow),
    ("POST /billing_request_flows/*/actions/initialise", _initialise),
    ("POST /mandates", _creates("mandates", mandates.create, magic.on_mandate)),
    ("PUT /mandates/*", _updates("mandates")),
    ("POST /mandates/*/actions/cancel", _acts(mandates.cancel)),
    ("POST /mandates/*/actions/reinstate", _reinstate),
    ("POST /payments", _creates("payments", payments.create, magic.on_payment)),
    ("PUT /payments/*", _updates("payments")),
    ("POST /payments/*/actions/cancel", _acts(payments.cancel)),
    ("POST /payments/*/actions/retry", _retry),
    ("POST /refunds", _creates("refunds", refunds.create)),
    ("PUT /refunds/*", _updates("refunds")),
    ("PUT /payouts/*", _updates("payouts")),
    ("GET /payout_items", _items),
    (
        "POST /outbound_payments",
        _creates("outbound_payments", outbound.create, _begin_outbound),
    ),
    ("POST /outbound_payments/withdrawal", _withdrawal),
    ("POST /outbound_payments/*/actions/approve", _acts(outbound.approve)),
    ("POST /outbound_payments/*/actions/cancel", _acts(outbound.cancel)),
    ("PUT /outbound_payments/*", _updates("outbound_payments")),
    ("GET /outbound_payments/stats", _stats),
    ("POST /scenario_simulators/*/actions/run", _scenario),
    *((f"GET /{kind}", _lists(kind)) for kind in _LISTED),
    *((f"GET /{kind}/*", _reads(kind)) for kind in _LISTED),
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", "([^/]+)"))


ROUTES = tuple((_pattern(text), handle) for text, handle in _TABLE)


def answer(call: Call) -> Answer:
    """What the request comes to; raises :class:`ApiError`."""
    for pattern, handle in ROUTES:
        if found := pattern.fullmatch(f"{call.method} {call.path}"):
            return handle(call, *found.groups())
    raise not_found()


def must_be_signed(method: str, path: str) -> bool:
    """Whether the request moves money out and is taken with a signature only."""
    return method == "POST" and path.split("/")[1] == "outbound_payments"
