"""Every error and warning code of the documentation, by what really brings it about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from local.blackmoon import days
from local.blackmoon.errors import ERRORS, WARNINGS
from local.blackmoon.forms import Upload
from local.blackmoon.organisation import Organisation
from tests.local.blackmoon.support import (
    RECONCILE,
    Partner,
    answered,
    fields,
    file,
    offered,
    organisation,
    refused,
    sold,
)


def validation(org: Organisation) -> int:
    return refused(org, "offers.create", applicationFields=fields(amount="-5"))


def bad_token(org: Organisation) -> int:
    return refused(org, "ping", accessToken="another")


def bad_refresh_token(org: Organisation) -> int:
    return refused(org, "auth.refreshTokens", refreshToken="another")


def expired(org: Organisation) -> int:
    days.send(org, date(2026, 1, 19))
    return refused(org, "ping")


def sandbox_only(org: Organisation) -> int:
    return refused(org, "sandbox.resetOffers")


def file_not_valid(org: Organisation) -> int:
    return refused(org, "data.sendApplications", {"loans": file("loan\n1\n")})


def unreadable_file(org: Organisation) -> int:
    latin = Upload("x.csv", "applicationId,name\n1,Zo\xe9\n".encode("latin-1"))
    return refused(org, "data.sendApplications", {"loans": latin})


def no_offer(org: Organisation) -> int:
    return refused(org, "offers.accept", offerId="1")


def access_denied(org: Organisation) -> int:
    org.head = replace(org.head, suspended=True)
    return refused(org, "ping")


def too_big(org: Organisation) -> int:
    org.head = replace(org.head, largest_file_bytes=20)
    return refused(org, "data.sendApplications", {"loans": file("applicationId\nloan-12345\n")})


def undecodable(org: Organisation) -> int:
    return refused(org, "offers.create", applicationFields="{")


def no_fee(org: Organisation) -> int:
    return refused(org, "offers.create", applicationFields=fields(amount="1000000.01"))


def resolved_offer(org: Organisation) -> int:
    sold(org)
    return refused(org, "offers.create", applicationFields=fields())


def open_offer(org: Organisation) -> int:
    offered(org)
    return refused(org, "offers.create", applicationFields=fields(amount=5))


def cancelled(org: Organisation) -> str:
    offer = sold(org)
    assert "success" in answered(org, "offers.cancel", offerId=offer)
    return offer


def bad_accept(org: Organisation) -> int:
    return refused(org, "offers.accept", offerId=cancelled(org))


def bad_decline(org: Organisation) -> int:
    return refused(org, "offers.decline", offerId=cancelled(org))


def bad_cancel(org: Organisation) -> int:
    return refused(org, "offers.cancel", offerId=offered(org))


def no_loans(org: Organisation) -> int:
    return refused(org, "data.sendApplications")


def no_repayments(org: Organisation) -> int:
    return refused(org, "data.sendRepayments", {"loans": file("applicationId\n1\n")})


def unreconcilable(org: Organisation) -> int:
    row = {"investorLegalEntityId": 24, "loanId": "1", "type": "direct", "day": "2026-01-05",
           "price": 10, "originationFee": 1, "servicingFee": "0.1"}  # fmt: skip
    return refused(org, RECONCILE, cessionTransactions=json.dumps([row, row]))


CONDITIONS: dict[int, Callable[[Organisation], int]] = {
    1: validation,
    2: bad_token,
    3: bad_refresh_token,
    5: expired,
    6: sandbox_only,
    7: file_not_valid,
    8: unreadable_file,
    9: no_offer,
    11: access_denied,
    12: too_big,
    100: undecodable,
    101: no_fee,
    102: resolved_offer,
    103: open_offer,
    110: bad_accept,
    120: bad_decline,
    130: no_loans,
    140: no_repayments,
    160: unreconcilable,
    170: bad_cancel,
}


def test_all_codes_but_two_have_a_condition() -> None:
    assert set(ERRORS) - set(CONDITIONS) == {10, 150}, "what goes wrong inside Blackmoon: faults"


@pytest.mark.parametrize("code", CONDITIONS)
def test_the_condition_of_an_error(code: int) -> None:
    assert CONDITIONS[code](organisation()) == code


@pytest.mark.parametrize("code", ERRORS)
def test_any_error_on_purpose(partner: Partner, code: int) -> None:
    partner.fails("offers.create", "error", code=code)
    partner.says(decision=True)
    answer = partner.asks("offers.create", applicationFields=fields())
    assert answer == {
        "error": {
            "errorMessage": ERRORS[code],
            "errorCode": code,
            "requestParameters": partner.form(applicationFields=fields()),
        }
    }
    again = partner.asks("offers.create", applicationFields=fields())
    assert again["success"]["willParticipate"] is True, "nothing had been done, once"


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        ("accept", "accept", 100),
        ("decline", "decline", 101),
        ("accept", "decline", 100),
        ("decline", "accept", 101),
    ],
)
def test_a_warning_and_what_it_is_about(first: str, then: str, code: int) -> None:
    org = organisation()
    offer = offered(org)
    told = answered(org, f"offers.{first}", offerId=offer)
    assert set(told) == {"success"}
    again = answered(org, f"offers.{then}", offerId=offer)
    assert again["success"] == told["success"], "as it stands"
    assert again["warning"] == {"warningMessage": WARNINGS[code], "warningCode": str(code)}
    assert len(org.records["cessions"]) == (first == "accept")
