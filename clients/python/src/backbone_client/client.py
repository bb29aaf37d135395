"""The client: one key, all resources."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from backbone_client import lending, origination
from backbone_client.lending_records import Health
from backbone_client.session import PREFIX, Answer, Session

TIMEOUT_SECONDS = 30.0
RETRIES = 3


class Client:
    """The partner API with one key; safe to share between threads.

    ``base_url`` is the service's address without ``/api/v1``.  ``timeout`` is in seconds, for each
    try; ``retries`` is how often a request is sent again when the connection fails or the service
    says 429, 502, 503 or 504.  Only requests that may be repeated are: a ``POST`` has an
    idempotency key of its own for that, a ``PATCH`` is sent once.  ``transport`` replaces the
    network.

    Proxies of the environment are not used, redirects are not followed.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        timeout: float | httpx.Timeout = TIMEOUT_SECONDS,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        session = self._session = Session(base_url, api_key, timeout, retries, transport)
        self.products = origination.Products(session)
        self.end_users = origination.EndUsers(session)
        self.input_sources = origination.InputSources(session)
        self.data_points = origination.DataPoints(session)
        self.scorecards = origination.Scorecards(session)
        self.risk_engines = origination.RiskEngines(session)
        self.selectors = origination.Selectors(session)
        self.decisions = origination.Decisions(session)
        self.applications = origination.Applications(session)
        self.loans = lending.Loans(session)
        self.transactions = lending.Transactions(session)
        self.statements = lending.Statements(session)
        self.mandates = lending.Mandates(session)
        self.webhook_endpoints = lending.WebhookEndpoints(session)
        self.webhooks = lending.Webhooks(session)
        self.partner = lending.PartnerResource(session)
        self.api_keys = lending.ApiKeys(session)
        self.blackmoon = lending.Blackmoon(session)
        self.reports = lending.Reports(session)
        self.provider_events = lending.ProviderEvents(session)
        self.alarms = lending.Alarms(session)
        self.sandbox = lending.Sandbox(session)

    def health(self) -> Health:
        """That the service answers; needs no key."""
        data = self._session.ask("GET", "/healthz")
        return self._session.record(Health, "GET /healthz", data)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of this service; needs no key."""
        document: dict[str, Any] = self._session.ask("GET", "/openapi.json")
        return document

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A request as it is, for what has no method here: ``path`` begins below ``/api/v1``.

        Refusals are answers too; :class:`NoAnswer` where none came.
        """
        return self._session.send(method, PREFIX + path, body, query=query, headers=headers)

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self._session.base_url}>"
