"""What API Gateway answers by itself, in the words of our own errors (``handlers/problems.py``)."""

from __future__ import annotations

from typing import Any

from chalicelib.handlers.problems import framework_problem

#: The gateway's kind of answer -> the status that a caller sees.  403 is none of ours.
STATUSES = {
    "MISSING_AUTHENTICATION_TOKEN": 404,  # its word for a path that it does not know
    "RESOURCE_NOT_FOUND": 404,
    "REQUEST_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
    "WAF_FILTERED": 400,
    "INTEGRATION_FAILURE": 503,
    "INTEGRATION_TIMEOUT": 504,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 500,
}
REQUEST_ID = "$context.requestId"


def responses() -> dict[str, Any]:
    """The template's ``GatewayResponses``."""
    return {kind: _response(status) for kind, status in STATUSES.items()}


def _response(status: int) -> dict[str, Any]:
    seen, headers, body = framework_problem(status, {}, None, REQUEST_ID)
    named = {name: f"'{value}'" for name, value in headers.items()}
    return {
        "StatusCode": seen,
        "ResponseParameters": {"Headers": {**named, "X-Request-Id": "context.requestId"}},
        "ResponseTemplates": {"application/json": body},
    }
