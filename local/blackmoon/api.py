"""The methods: what each takes and gives, as Blackmoon documents it.

``answer(call)`` checks the token, runs the core and wraps the result.  It changes the organisation;
whoever calls has opened ``changing()``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.blackmoon import cessions, collateral, files, offers, tokens
from local.blackmoon.errors import ApiError, Json
from local.blackmoon.forms import Form
from local.blackmoon.organisation import LONDON, Organisation

SANDBOX_ONLY = "sandbox."
"""Methods of Blackmoon's own sandbox; here it plays its production."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    org: Organisation
    method: str
    form: Form = field(default_factory=Form)

    @property
    def parameters(self) -> Mapping[str, str]:
        """What was sent besides files."""
        return self.form.parameters


Answer = tuple[Any, Json | None]
Handle = Callable[[Call], Answer]


def _plain(work: Callable[[Organisation, Mapping[str, str]], Any]) -> Handle:
    return lambda call: (work(call.org, call.parameters), None)


def _warned(
    work: Callable[[Organisation, Mapping[str, str]], tuple[Json, Json | None]],
) -> Handle:
    return lambda call: work(call.org, call.parameters)


def _file(take: Callable[[Organisation, Mapping[str, Any]], None], part: str) -> Handle:
    def handle(call: Call) -> Answer:
        if part in call.parameters and part not in call.form.files:
            raise ApiError(12, f"{part} came as a text")
        take(call.org, call.form.files)
        return [], None

    return handle


def _list(name: str) -> Handle:
    return lambda call: (collateral.portfolio(call.org, call.method, name), None)


def _ping(call: Call) -> Answer:
    at = call.org.clock.astimezone(LONDON)
    sent = dict(call.parameters)
    told = {"message": "pong", "date": at.strftime("%Y-%m-%dT%H:%M:%S%z")}
    return {**told, "parameters": sent, "requestParameters": sent}, None


REFRESH = "auth.refreshTokens"
METHODS: Mapping[str, Handle] = {
    "offers.create": _plain(offers.create),
    "offers.accept": _warned(offers.accept),
    "offers.decline": _warned(offers.decline),
    "offers.cancel": _plain(offers.cancel),
    "data.sendApplications": _file(files.take_loans, "loans"),
    "data.sendRepayments": _file(files.take_repayments, "repayments"),
    "collateral.getRelevantPortfolio": _list("relevant"),
    "collateral.getRetainedPortfolio": _list("retained"),
    "collateral.getLeftPortfolio": _list("left"),
    "collateral.getLastUpdateDate": lambda call: (collateral.last_update(call.org), None),
    "portfolio.reconcileDirectCessionTransactions": _plain(cessions.reconcile),
    "portfolio.getReverseCessionTransactions": lambda call: (cessions.reverses(call.org), None),
    REFRESH: _plain(tokens.refresh),
    "ping": _ping,
}


def known(method: str) -> bool:
    """Whether there is such a method, here or in Blackmoon's own sandbox."""
    return method in METHODS or method.startswith(SANDBOX_ONLY)


def answer(call: Call) -> Json:
    """``{"success": ..., "warning"?}``; raises :class:`ApiError`."""
    if call.method != REFRESH:
        tokens.check(call.org, call.parameters)
    if call.method.startswith(SANDBOX_ONLY):
        raise ApiError(6)
    success, warning = METHODS[call.method](call)
    return {"success": success, **({} if warning is None else {"warning": warning})}
