"""What an erased borrower keeps, and when none may be erased."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain import erasure
from chalicelib.domain.account import Account
from chalicelib.domain.applications import Application
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.erasure import Ties
from chalicelib.domain.errors import Refused
from chalicelib.domain.mandates import Mandate

TODAY = date(2026, 3, 2)
LENT = Account("l", "e", "closed", as_of=date(2020, 2, 29), disbursed_on=date(2019, 1, 1))
PERSON = EndUser("e")
ASKED = Application("a", "p", "e", Decimal(1), Decimal(1))
MANDATE = Mandate("m", "e", "https://lender.example.com", "https://lender.example.com")


def test_only_what_identifies_nobody_is_kept() -> None:
    """Every field has to be thought of: a new one goes unless it is named as kept."""
    text: dict[str, Any] = {
        one.name: "told" for one in fields(EndUser) if one.name not in ("id", "assigned")
    }
    text |= {"birth_date": date(1980, 1, 1), "sensitive": True}
    after = erasure.end_user(EndUser("e", **text))
    kept = {
        one.name for one in fields(EndUser) if getattr(after, one.name) not in ("", None, False)
    }
    assert kept == {"id", "type", "country", "current_address"}
    assert erasure.end_user(after) == after


@pytest.mark.parametrize(
    ("ties", "why"),
    [
        (Ties(accounts=(replace(LENT, status="arrears"),)), "is arrears"),
        (Ties(accounts=(Account("l", "e"),)), "is inactive"),
        (Ties(accounts=(replace(LENT, overpayment=Decimal(1)),)), "holds money"),
        (Ties(accounts=(replace(LENT, interest=Decimal("0.01")),)), "holds money"),
        (Ties(applications=(ASKED,)), "withdraw it first"),
        (Ties(applications=(replace(ASKED, status="approved"),)), "withdraw it first"),
        (Ties(mandates=(MANDATE,)), "cancel it first"),
    ],
)
def test_what_is_open_is_in_the_way(ties: Ties, why: str) -> None:
    with pytest.raises(Refused, match=why):
        erasure.check(PERSON, ties, TODAY, 0)


def test_all_reasons_are_given_at_once() -> None:
    with pytest.raises(Refused, match=r"a is incomplete.*m is pending.*2 assignment"):
        ties = Ties(applications=(ASKED,), mandates=(MANDATE,))
        erasure.check(replace(PERSON, assigned=2), ties, TODAY, 0)


def test_what_is_over_is_not() -> None:
    done = (replace(ASKED, status="approved", loan="l"), replace(ASKED, status="declined"))
    ties = Ties((LENT,), done, (replace(MANDATE, status="cancelled"),))
    erasure.check(PERSON, ties, TODAY, 6)


def test_records_are_kept_for_years_from_the_last_loan_s_end() -> None:
    ties = Ties((replace(LENT, as_of=date(2012, 1, 1)), LENT))
    with pytest.raises(Refused, match="until 2026-03-01"):
        erasure.check(PERSON, ties, date(2026, 2, 28), 6)
    erasure.check(PERSON, ties, date(2026, 3, 1), 6)
    never_lent = Ties((Account("l", "e", "cancelled"),))
    erasure.check(PERSON, never_lent, date(2020, 3, 1), 6)
