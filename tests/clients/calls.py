"""Each operation of the API and the client's call of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backbone_client import Client

PK, SUB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
Call = Callable[[Client], Any]


def collection(path: str, of: Callable[[Client], Any], verbs: str) -> dict[str, Call]:
    """The calls of a collection at ``path``: ``verbs`` are the first letters of their names."""
    item = path + ("/{sub}" if "{pk}" in path else "/{pk}")
    id = SUB if "{pk}" in path else PK
    known: dict[str, tuple[str, Call]] = {
        "l": (f"GET {path}", lambda client: of(client).list()),
        "c": (f"POST {path}", lambda client: of(client).create()),
        "r": (f"GET {item}", lambda client: of(client).read(id)),
        "u": (f"PATCH {item}", lambda client: of(client).update(id)),
        "p": (f"PUT {item}", lambda client: of(client).replace(id)),
        "d": (f"DELETE {item}", lambda client: of(client).delete(id)),
    }
    return dict(known[verb] for verb in verbs)


def actions(path: str, of: Callable[[Client], Any], *names: str) -> dict[str, Call]:
    """The actions of a thing that take nothing."""

    def call(name: str) -> Call:
        return lambda client: getattr(of(client), name)(PK)

    return {f"POST {path}/{{pk}}/{name}": call(name) for name in names}


V = "/api/v1"
CALLS: Mapping[str, Call] = {
    **collection(f"{V}/product", lambda c: c.products, "lcrupd"),
    **actions(f"{V}/product", lambda c: c.products, "publish"),
    f"GET {V}/product/{{pk}}/quote": lambda c: c.products.quote(PK),
    **collection(f"{V}/end_user", lambda c: c.end_users, "lcrup"),
    **collection(f"{V}/end_user/{{pk}}/address", lambda c: c.end_users.addresses(PK), "lcrupd"),
    **collection(f"{V}/end_user/{{pk}}/assign-enduser", lambda c: c.end_users.people(PK), "lcrupd"),
    **collection(f"{V}/end_user/{{pk}}/loans", lambda c: c.end_users.loans(PK), "l"),
    **collection(f"{V}/input_source", lambda c: c.input_sources, "lcrup"),
    **collection(f"{V}/data_point", lambda c: c.data_points, "lcrup"),
    **collection(f"{V}/scorecard", lambda c: c.scorecards, "lcrup"),
    **actions(f"{V}/scorecard", lambda c: c.scorecards, "activate"),
    **collection(f"{V}/risk_engine", lambda c: c.risk_engines, "lcrup"),
    **actions(f"{V}/risk_engine", lambda c: c.risk_engines, "activate"),
    **collection(f"{V}/risk_engine_selector", lambda c: c.selectors, "lcrup"),
    **collection(f"{V}/decision", lambda c: c.decisions, "lr"),
    **collection(f"{V}/application", lambda c: c.applications, "lcrup"),
    **actions(
        f"{V}/application", lambda c: c.applications, "complete", "reopen", "withdraw"
    ),
    **collection(f"{V}/loan", lambda c: c.loans, "lcr"),
    **actions(
        f"{V}/loan", lambda c: c.loans, "make_arrears", "make_default", "cancel",
        "stop_interest_calculation", "start_interest_calculation",
    ),
    f"GET {V}/loan/{{pk}}/schedule": lambda c: c.loans.schedule(PK),
    f"GET {V}/loan/{{pk}}/payoff": lambda c: c.loans.payoff(PK),
    f"POST {V}/loan/{{pk}}/close": lambda c: c.loans.close(PK, close_substatus="paid_in_full"),
    f"POST {V}/loan/{{pk}}/set_go_cardless_mandate": lambda c: c.loans.set_go_cardless_mandate(
        PK, mandate=SUB
    ),
    **collection(f"{V}/transaction", lambda c: c.transactions, "lcr"),
    **actions(f"{V}/transaction", lambda c: c.transactions, "apply", "retry", "revert"),
    **collection(f"{V}/statement", lambda c: c.statements, "lr"),
    **collection(f"{V}/mandate", lambda c: c.mandates, "lcr"),
    f"POST {V}/mandate/{{pk}}/manage_state": lambda c: c.mandates.manage_state(
        PK, is_disabled=True
    ),
    **collection(f"{V}/webhook_endpoint", lambda c: c.webhook_endpoints, "lcrupd"),
    **actions(f"{V}/webhook_endpoint", lambda c: c.webhook_endpoints, "rotate_secret"),
    **collection(f"{V}/webhook", lambda c: c.webhooks, "lr"),
    **actions(f"{V}/webhook", lambda c: c.webhooks, "retry"),
    f"GET {V}/partner": lambda c: c.partner.read(),
    f"PATCH {V}/partner": lambda c: c.partner.update(),
    **collection(f"{V}/api_key", lambda c: c.api_keys, "lcd"),
    **collection(f"{V}/blackmoon/offer", lambda c: c.blackmoon.offers, "lr"),
    **actions(
        f"{V}/blackmoon/offer", lambda c: c.blackmoon.offers, "accept", "decline", "cancel"
    ),
    **collection(f"{V}/blackmoon/cession", lambda c: c.blackmoon.cessions, "lr"),
    **collection(f"{V}/blackmoon/collateral", lambda c: c.blackmoon.collaterals, "lr"),
    **collection(f"{V}/blackmoon/reconciliation", lambda c: c.blackmoon.reconciliations, "lr"),
    **collection(f"{V}/blackmoon/file", lambda c: c.blackmoon.files, "lr"),
    **actions(f"{V}/blackmoon/file", lambda c: c.blackmoon.files, "resend"),
    f"GET {V}/report/trial_balance": lambda c: c.reports.trial_balance(),
    f"GET {V}/report/portfolio": lambda c: c.reports.portfolio("2026-03-02"),
    f"GET {V}/report/settlement": lambda c: c.reports.settlement("24", "2026-03"),
    **collection(f"{V}/provider_event", lambda c: c.provider_events, "l"),
    **collection(f"{V}/alarm", lambda c: c.alarms, "l"),
    f"GET {V}/sandbox/clock": lambda c: c.sandbox.clock(),
    f"POST {V}/sandbox/clock": lambda c: c.sandbox.move_clock("2026-03-02"),
    f"GET {V}/sandbox/simulators": lambda c: c.sandbox.simulators(),
    f"POST {V}/sandbox/partner": lambda c: c.sandbox.create_partner(),
    "GET /healthz": lambda c: c.health(),
    "GET /openapi.json": lambda c: c.openapi(),
}  # fmt: skip

#: Operations that the client has no method for, and why.
LEFT_OUT: Mapping[str, str] = {
    "GET /direct-debit/{token}": "a link for an end user's browser",
    "POST /providers/gocardless/webhook": "for the payments provider alone",
    "GET /docs": "a page for a browser",
    "GET /docs/redoc.js": "a part of that page",
    "GET /docs/page.css": "a part of that page",
}
