"""The table of contents: every resource that is served, in the order of the documentation."""

from __future__ import annotations

from chalicelib.handlers import (
    applications,
    data_points,
    decisions,
    end_users,
    health,
    input_sources,
    loans,
    products,
    risk_engine_selectors,
    risk_engines,
    sandbox,
    scorecards,
    transactions,
)
from chalicelib.handlers.routing import Resource

RESOURCES: tuple[Resource, ...] = (
    products.api,
    end_users.api,
    input_sources.api,
    data_points.api,
    scorecards.api,
    risk_engines.api,
    risk_engine_selectors.api,
    decisions.api,
    applications.api,
    loans.borrower_api,
    loans.api,
    transactions.api,
    sandbox.api,
    health.api,
)
