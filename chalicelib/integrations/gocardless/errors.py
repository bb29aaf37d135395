"""What a failure means: one table from what GoCardless (or nobody) answered to what is to be done.

* ``retry``: nothing is known of the work; the same call with the same key, later.
* ``conflict``: it may have been done before: fetch the existing resource and compare.
* ``permanent``: it will never go through as it stands; the thing that asked for it has failed.
* ``person``: something is wrong with us or with our account; nobody else can mend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.integrations.transport import NoAnswer

Remedy = Literal["retry", "conflict", "permanent", "person"]

CONFLICT = "idempotent_creation_conflict"


class ProviderTrouble(Exception):
    """A call that came to nothing.

    ``reason`` is the provider's own word (``mandate_is_inactive``), ``fields`` the names of bad
    fields, ``resource`` the id of what is there already.  No value of the request is in its text.
    """

    def __init__(
        self,
        operation: str,
        remedy: Remedy,
        reason: str,
        *,
        status: int | None = None,
        fields: Sequence[str] = (),
        resource: str | None = None,
    ) -> None:
        told = f"{operation}: {reason}" + (f" ({', '.join(fields)})" if fields else "")
        super().__init__(told)
        self.operation = operation
        self.remedy = remedy
        self.reason = reason
        self.status = status
        self.fields = tuple(fields)
        self.resource = resource


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table; ``None`` fits whatever there is."""

    remedy: Remedy
    kind: str | None = None
    reason: str | None = None
    status: range | None = None


SERVER, CLIENT = range(500, 600), range(400, 500)
CREDENTIALS, THROTTLED, MISSING = range(401, 402), range(429, 430), range(404, 405)

TABLE: tuple[Rule, ...] = (
    Rule("retry", kind="no_answer"),
    Rule("retry", status=SERVER),
    Rule("retry", status=THROTTLED),
    Rule("retry", kind="gocardless"),
    Rule("conflict", reason=CONFLICT),
    Rule("person", status=CREDENTIALS),
    Rule("person", status=range(403, 404)),
    Rule("permanent", kind="invalid_state", reason="mandate_is_inactive"),
    Rule("conflict", kind="invalid_state", reason="cancellation_failed"),
    Rule("conflict", kind="invalid_state", reason="retry_failed"),
    Rule("conflict", kind="invalid_state", reason="mandate_not_inactive"),
    Rule("permanent", kind="invalid_state"),
    Rule("conflict", kind="validation_failed", reason="bank_account_exists"),
    Rule("permanent", kind="validation_failed"),
    Rule("permanent", kind="invalid_api_usage", status=MISSING),
    Rule("permanent", kind="invalid_api_usage", reason="resource_not_found"),
    Rule("person", kind="invalid_api_usage"),
    Rule("person", kind="malformed", status=CLIENT),
    Rule("retry", kind="malformed"),
    Rule("person"),
)
"""The first row that fits counts."""


def remedy_of(kind: str, reason: str = "", status: int | None = None) -> Remedy:
    """The table's word on a failure of ``kind`` (the error's ``type``, or one of ours)."""
    for rule in TABLE:
        if rule.kind is not None and rule.kind != kind:
            continue
        if rule.reason is not None and rule.reason != reason:
            continue
        if rule.status is not None and (status is None or status not in rule.status):
            continue
        return rule.remedy
    raise AssertionError("the last row fits everything")


def trouble_of(error: Exception, operation: str, status: int | None) -> ProviderTrouble:
    """What an exception of the client or the transport means; ``status`` is HTTP's, if any."""
    if isinstance(error, ProviderTrouble):
        return error
    if isinstance(error, NoAnswer):
        return ProviderTrouble(operation, remedy_of("no_answer"), error.why)
    body = getattr(error, "error", None)
    if not isinstance(body, Mapping):
        # The client's own complaints: no JSON, an unknown type, a body of another shape.
        remedy = remedy_of("malformed", status=status)
        return ProviderTrouble(operation, remedy, "malformed_answer", status=status)
    details = _details(body)
    kind, reason = str(body.get("type", "")), _reason(body, details)
    return ProviderTrouble(
        operation,
        remedy_of(kind, reason, status),
        reason,
        status=status,
        fields=[str(one["field"])[:60] for one in details if "field" in one],
        resource=_resource(details),
    )


def _details(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = body.get("errors")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _reason(body: Mapping[str, Any], details: Sequence[Mapping[str, Any]]) -> str:
    reasons = [one["reason"] for one in details if isinstance(one.get("reason"), str)]
    chosen = CONFLICT if CONFLICT in reasons else next(iter(reasons), None)
    return str(chosen or body.get("type") or "unknown")[:60]


def _resource(details: Sequence[Mapping[str, Any]]) -> str | None:
    """``conflicting_resource_id``, or whatever else is linked as being there already."""
    for one in details:
        links = one.get("links")
        if isinstance(links, Mapping):
            found = links.get("conflicting_resource_id") or next(iter(links.values()), None)
            if isinstance(found, str) and found:
                return found
    return None
