"""Blackmoon's codes: every row of the table, against the documentation's own list."""

from __future__ import annotations

import pytest

from chalicelib.domain.blackmoon_answers import (
    ACCEPT,
    CANCEL,
    CREATE,
    DECLINE,
    MALFORMED,
    NO_ANSWER,
    REFUSED,
    TABLE,
    THROTTLED,
    TOO_LARGE,
    Kind,
    Remedy,
    remedy_of_warning,
    rule_of,
)

ERRORS: dict[str, Remedy] = {
    "1": "permanent",  # Validation failed
    "2": "reread",  # Bad access token
    "3": "person",  # Bad refresh token
    "5": "refresh",  # Access token expired
    "6": "permanent",  # This is a sandbox-only method
    "7": "permanent",  # File not valid
    "8": "retry",  # Error while reading file
    "9": "permanent",  # Offer not found
    "10": "retry",  # Internal API error
    "11": "permanent",  # Access denied
    "12": "split",  # File was not uploaded, possibly too big
    "100": "permanent",  # Unable to decode applicationFields
    "101": "few_retries",  # Unable to calculate fee
    "102": "compare",  # A resolved offer already exists for this loan
    "103": "compare",  # An offer already exists for this loan
    "110": "compare",  # Cannot accept, bad offer status
    "120": "compare",  # Cannot decline, bad offer status
    "130": "permanent",  # No loans file passed
    "140": "permanent",  # No repayments file passed
    "150": "few_retries",  # Unable to calculate limits
    "160": "few_retries",  # Unable to reconcile offer
    "170": "compare",  # Unable to cancel offer, bad offer status
}
"""The documentation's list of error codes, in its order."""


@pytest.mark.parametrize("code", ERRORS)
def test_each_documented_error_code(code: str) -> None:
    assert rule_of("error", code, "any.method").remedy == ERRORS[code]


def test_the_table_knows_what_is_documented_and_nothing_else() -> None:
    known = [rule.code for rule in TABLE if rule.kind == "error" and rule.code is not None]
    assert sorted(known) == sorted(ERRORS), "each once"


@pytest.mark.parametrize("code", ["4", "99", "999", "unknown", "", None])
def test_an_unknown_error_is_permanent(code: str | None) -> None:
    assert rule_of("error", code, CREATE).remedy == "permanent"


WARNINGS: list[tuple[str, str, Remedy]] = [
    (ACCEPT, "100", "success"),
    (ACCEPT, "101", "refusal"),
    (DECLINE, "101", "success"),
    (DECLINE, "100", "refusal"),
    (CANCEL, "100", "notice"),
    (CREATE, "101", "notice"),
    (ACCEPT, "102", "notice"),
    ("data.sendApplications", "unknown", "notice"),
]


@pytest.mark.parametrize(("method", "code", "remedy"), WARNINGS)
def test_each_warning_by_its_method(method: str, code: str, remedy: Remedy) -> None:
    assert remedy_of_warning(code, method) == remedy


def test_no_warning_is_a_success() -> None:
    assert remedy_of_warning(None, ACCEPT) == "success"


TRANSPORT: list[tuple[str, Remedy]] = [
    (NO_ANSWER, "retry"),
    (THROTTLED, "retry"),
    (MALFORMED, "retry"),
    (TOO_LARGE, "split"),
    (REFUSED, "person"),
]


@pytest.mark.parametrize(("code", "remedy"), TRANSPORT)
def test_each_failure_of_the_way_there(code: str, remedy: Remedy) -> None:
    assert rule_of("transport", code, CREATE).remedy == remedy


@pytest.mark.parametrize("kind", ["transport", "error", "warning"])
def test_each_kind_ends_with_a_row_for_everything(kind: Kind) -> None:
    last = [rule for rule in TABLE if rule.kind == kind][-1]
    assert (last.code, last.method) == (None, None)


def test_every_row_can_be_reached() -> None:
    for rule in TABLE:
        assert rule_of(rule.kind, rule.code, rule.method or "any.method") is rule
