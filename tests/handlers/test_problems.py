"""Errors as problem documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.domain.errors import Flaw, Invalid, NotFound, Refused
from chalicelib.handlers import problems
from chalicelib.handlers.problems import CODES, framework_problem, problem_of

DOCUMENTED = [
    "validation_error",
    "not_authenticated",
    "not_found",
    "method_not_allowed",
    "product_published",
    "product_is_draft",
    "end_user_immutable",
    "application_immutable",
    "invalid_status",
    "risk_engine_not_configured",
    "data_points_missing",
    "application_not_approved",
    "loan_exists",
    "credit_limit_exceeded",
    "exceeds_outstanding",
    "loan_not_open",
    "outstanding_balance",
    "idempotency_key_reused",
    "transaction_pending",
    "statement_closed",
    "mandate_not_usable",
    "clock_backwards",
    "conflict",
]


def test_every_documented_code_has_its_status() -> None:
    assert set(DOCUMENTED) <= set(CODES)
    not_409 = {code: CODES[code][0] for code in DOCUMENTED if CODES[code][0] != 409}
    assert not_409 == {
        "validation_error": 400,
        "end_user_immutable": 400,
        "not_authenticated": 401,
        "not_found": 404,
        "method_not_allowed": 405,
    }


def test_every_code_that_the_house_refuses_with_is_in_the_table() -> None:
    import re

    house = Path(problems.__file__).parent.parent
    used = {
        code
        for path in house.rglob("*.py")
        for code in re.findall(r'Refused\(\s*"([a-z_]+)"', path.read_text())
    }
    assert used and used <= set(CODES)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("loan_exists", "One."), "loan_exists"),
        (Invalid(Flaw("a", "b", "c")), "validation_error"),
        (Invalid(Flaw("product", "b", "c"), code="end_user_immutable"), "end_user_immutable"),
        (NotFound("loan"), "not_found"),
    ],
)
def test_what_the_domain_raises(error: Exception, code: str) -> None:
    problem = problem_of(error)
    assert problem is not None and problem.code == code


@pytest.mark.parametrize("error", [Refused("no_such_code", "x"), KeyError("x"), RuntimeError()])
def test_everything_else_is_a_fault(error: Exception) -> None:
    assert problem_of(error) is None


@pytest.mark.parametrize(
    ("status", "ours", "code"),
    [
        (403, 404, "not_found"),
        (404, 404, "not_found"),
        (405, 405, "method_not_allowed"),
        (400, 400, "validation_error"),
        (413, 413, "payload_too_large"),
        (415, 415, "unsupported_media_type"),
        (418, 400, "validation_error"),
        (429, 429, "throttled"),
        (500, 500, "internal_error"),
        (502, 500, "internal_error"),
        (504, 503, "unavailable"),
    ],
)
def test_what_the_framework_answers_by_itself(status: int, ours: int, code: str) -> None:
    framework = {"allow": "GET", "x-amzn-ErrorType": "Secret"}
    found, headers, body = framework_problem(status, framework, b"Traceback: x", "r-1")
    document = json.loads(body)
    assert (found, document["status"], document["code"]) == (ours, ours, code)
    assert document["request_id"] == headers["X-Request-Id"] == "r-1"
    assert headers["Content-Type"] == "application/problem+json"
    assert "Traceback" not in body and "x-amzn-ErrorType" not in headers
    assert ("Retry-After" in headers) == (code in {"throttled", "unavailable"})
    if code != "internal_error":
        assert headers["Allow"] == "GET"


def test_the_gateways_own_retry_after_is_kept() -> None:
    _, headers, _ = framework_problem(429, {"retry-after": "7"}, None, "r")
    assert headers["Retry-After"] == "7"
