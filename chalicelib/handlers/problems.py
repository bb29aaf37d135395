"""Every error that a caller can see: one table from code to status and title (RFC 9457).

Partner API, Conventions, Errors.  The domain knows codes only; this table alone knows HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from chalicelib.domain.errors import Flaw, Invalid, NotFound, Refused
from chalicelib.handlers import encoding
from chalicelib.models.store_errors import Unavailable

#: Problem types are identifiers first: the same on every stage and for ever.
ERRORS_URL = "https://backbone.example/errors/"
CONTENT_TYPE = "application/problem+json"

#: code -> (status, title).
CODES: Mapping[str, tuple[int, str]] = {
    "validation_error": (400, "Validation error"),
    "end_user_immutable": (400, "End user immutable"),
    "not_authenticated": (401, "Not authenticated"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "application_immutable": (409, "Application immutable"),
    "application_not_approved": (409, "Application not approved"),
    "clock_backwards": (409, "Clock backwards"),
    "collections_not_configured": (409, "Collections not configured"),
    "conflict": (409, "Conflict"),
    "credit_limit_exceeded": (409, "Credit limit exceeded"),
    "data_points_missing": (409, "Data points missing"),
    "exceeds_outstanding": (409, "Exceeds outstanding"),
    "idempotency_key_reused": (409, "Idempotency key reused"),
    "invalid_status": (409, "Invalid status"),
    "loan_exists": (409, "Loan exists"),
    "loan_not_open": (409, "Loan not open"),
    "mandate_not_usable": (409, "Mandate not usable"),
    "outstanding_balance": (409, "Outstanding balance"),
    "product_is_draft": (409, "Product is draft"),
    "product_published": (409, "Product published"),
    "risk_engine_not_configured": (409, "Risk engine not configured"),
    "statement_closed": (409, "Statement closed"),
    "transaction_pending": (409, "Transaction pending"),
    "payload_too_large": (413, "Payload too large"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "throttled": (429, "Throttled"),
    "invalid_signature": (498, "Invalid signature"),
    "internal_error": (500, "Internal error"),
    "unavailable": (503, "Unavailable"),
}

#: What a framework or a gateway answers by itself -> our code.  403 is what API Gateway says where
#: no route matches; a caller never gets a 403 from us.
FRAMEWORK_CODES: Mapping[int, tuple[str, str]] = {
    400: ("validation_error", "The request could not be read."),
    401: ("not_authenticated", "The request has no valid API key."),
    403: ("not_found", "There is no such resource."),
    404: ("not_found", "There is no such resource."),
    405: ("method_not_allowed", "This method is not allowed here."),
    408: ("validation_error", "The request did not arrive whole."),
    411: ("validation_error", "The request does not say its length."),
    413: ("payload_too_large", "The body is larger than 1 MB."),
    414: ("validation_error", "The address is too long."),
    415: ("unsupported_media_type", "The body must be JSON in UTF-8."),
    429: ("throttled", "Too many requests; try again shortly."),
    431: ("validation_error", "The headers are too large."),
    501: ("method_not_allowed", "This method is not known."),
    503: ("unavailable", "The service is not available just now; try again shortly."),
    504: ("unavailable", "The service did not answer in time; try again shortly."),
}

RETRY_AFTER_SECONDS = "1"
RETRY_CODES = frozenset({"throttled", "unavailable"})


@dataclass(frozen=True, slots=True)
class Problem:
    """An error on its way out: a code of :data:`CODES`, what happened, bad fields, headers."""

    code: str
    detail: str
    flaws: Sequence[Flaw] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return CODES[self.code][0]

    def document(self, request_id: str) -> dict[str, Any]:
        """The problem document as plain data."""
        status, title = CODES[self.code]
        return {
            "type": ERRORS_URL + self.code.replace("_", "-"),
            "title": title,
            "status": status,
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id,
            "errors": [
                {"field": flaw.field, "code": flaw.code, "message": flaw.message}
                for flaw in self.flaws
            ],
        }

    def response(self, request_id: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        headers = {"Content-Type": CONTENT_TYPE, "X-Request-Id": request_id, **self.headers}
        if self.code in RETRY_CODES:
            headers.setdefault("Retry-After", RETRY_AFTER_SECONDS)
        return self.status, headers, encoding.encode(self.document(request_id))


class Rejected(Exception):
    """The edge itself says no, before any use case: carries a :class:`Problem`."""

    def __init__(self, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(code, detail, headers=dict(headers or {}))


def problem_of(error: Exception) -> Problem | None:
    """The problem that a known refusal stands for; None for anything unexpected."""
    if isinstance(error, Rejected):
        return error.problem
    if isinstance(error, Invalid):
        return Problem(error.code, "; ".join(_said(flaw) for flaw in error.flaws), error.flaws)
    if isinstance(error, NotFound):
        return Problem("not_found", str(error))
    if isinstance(error, Refused) and error.code in CODES:
        return Problem(error.code, error.message)
    if isinstance(error, Unavailable):
        return Problem("unavailable", "The service is not available just now; try again shortly.")
    return None


def internal_error() -> Problem:
    """What the caller is told of a fault of ours: nothing but that it is one."""
    return Problem("internal_error", "Something went wrong on our side. Nothing was changed by it.")


def framework_problem(
    status: int, headers: Mapping[str, Any], body: str | bytes | None, request_id: str
) -> tuple[int, dict[str, str], str]:
    """Turn an error that the framework or its gateway made by itself into ours.

    ``headers`` are the framework's (``Allow`` and ``Retry-After`` are kept); its ``body`` is
    dropped, because it has another shape and may say too much.
    """
    del body
    code, detail = FRAMEWORK_CODES.get(status, (_fallback(status), HTTPStatus(status).phrase + "."))
    kept = {
        name.title(): str(value)
        for name, value in headers.items()
        if name.lower() in {"allow", "retry-after"}
    }
    problem = internal_error() if code == "internal_error" else Problem(code, detail, headers=kept)
    return problem.response(request_id)


def _fallback(status: int) -> str:
    return "validation_error" if 400 <= status < 500 else "internal_error"


def _said(flaw: Flaw) -> str:
    return f"{flaw.field}: {flaw.message}" if flaw.field else flaw.message
