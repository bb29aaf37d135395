"""End users: who needs which names, ages, bank details, and what is never repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chalicelib.domain import end_users
from chalicelib.domain.countries import COUNTRIES
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import Invalid
from chalicelib.models import codec

TODAY = date(2026, 3, 2)
NAMED = {"first_name": "Ada", "last_name": "Example"}
COMPANIES = ["limited_company", "partnership_up_to_3", "partnership_4_or_more"]


def make(today: date = TODAY, **values: Any) -> EndUser:
    return end_users.create("u1", values, today).state


def flaws(**values: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        make(**values)
    return {flaw.field: flaw.code for flaw in caught.value.flaws}


# --- names ----------------------------------------------------------------------------------------


def test_an_individual_is_what_nobody_says_otherwise() -> None:
    made = make(**NAMED)
    assert (made.type, made.regulated, made.is_company, made.sensitive) == (
        "individual", True, False, False,
    )  # fmt: skip


def test_an_individual_needs_both_names() -> None:
    assert flaws() == {"first_name": "required", "last_name": "required"}
    assert flaws(first_name="Ada") == {"last_name": "required"}
    assert flaws(last_name="Example", company_name="Ltd") == {"first_name": "required"}


@pytest.mark.parametrize("type_", COMPANIES)
def test_a_company_needs_its_name_and_no_other(type_: str) -> None:
    assert flaws(type=type_, **NAMED) == {"company_name": "required"}
    assert make(type=type_, company_name="Example Ltd").is_company


def test_a_sole_trader_has_either_name() -> None:
    assert make(type="sole_trader", **NAMED).company_name == ""
    assert make(type="sole_trader", company_name="Ada's").first_name == ""
    assert flaws(type="sole_trader") == {"first_name": "required", "last_name": "required"}


@pytest.mark.parametrize(
    ("type_", "regulated"),
    [
        ("individual", True),
        ("sole_trader", True),
        ("partnership_up_to_3", True),
        ("partnership_4_or_more", False),
        ("limited_company", False),
    ],
)
def test_who_is_regulated(type_: str, regulated: bool) -> None:
    assert make(type=type_, company_name="Example", **NAMED).regulated is regulated


# --- age ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(2000, 5, 10), date(2018, 5, 9), 17),
        (date(2000, 5, 10), date(2018, 5, 10), 18),
        (date(2000, 5, 10), date(2018, 12, 31), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
    ],
)
def test_age(born: date, day: date, years: int) -> None:
    assert make(today=date(2060, 1, 1), birth_date=born, **NAMED).age_on(day) == years


def test_no_age_without_a_birth_date() -> None:
    assert make(**NAMED).age_on(TODAY) is None


def test_eighteen_today_is_old_enough() -> None:
    make(birth_date=date(2008, 3, 2), **NAMED)
    assert flaws(birth_date=date(2008, 3, 3), **NAMED) == {"birth_date": "under_age"}
    assert flaws(birth_date=date(2030, 1, 1), **NAMED) == {"birth_date": "under_age"}


def test_nobody_is_older_than_anybody_ever_was() -> None:
    make(birth_date=date(1880, 1, 1), **NAMED)
    assert flaws(birth_date=date(1026, 1, 1), **NAMED) == {"birth_date": "out_of_range"}


@pytest.mark.parametrize("type_", ["sole_trader", *COMPANIES])
def test_age_counts_for_every_type(type_: str) -> None:
    found = flaws(type=type_, company_name="Example", birth_date=date(2015, 1, 1))
    assert found == {"birth_date": "under_age"}


def test_a_birth_date_is_checked_when_it_changes() -> None:
    made = make(birth_date=date(2000, 1, 1), **NAMED)
    earlier = date(2010, 1, 1)
    assert end_users.change(made, {"city": "Leeds"}, earlier).state.city == "Leeds"
    with pytest.raises(Invalid):
        end_users.change(made, {"birth_date": date(2009, 1, 1)}, TODAY)
    assert end_users.change(made, {"birth_date": None}, TODAY).state.birth_date is None


# --- details --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["001122", "00-11-22", "00 11 22", "0-0-1-1-2-2", "00 - 11 - 22"])
def test_sort_codes_are_kept_as_six_digits(sent: str) -> None:
    assert make(sort_code=sent, **NAMED).sort_code == "001122"
    changed = end_users.change(make(**NAMED), {"sort_code": sent}, TODAY)
    assert changed.state.sort_code == "001122"


@pytest.mark.parametrize("sent", ["00112", "0011223", "00112a", "", "--", "٠٠١١٢٢"])
def test_bad_sort_codes(sent: str) -> None:
    assert flaws(sort_code=sent, **NAMED) == {"sort_code": "wrong_form"}


@pytest.mark.parametrize("sent", ["000001", "0000000001"])
def test_account_numbers(sent: str) -> None:
    assert make(bank_account_number=sent, **NAMED).bank_account_number == sent


@pytest.mark.parametrize("sent", ["00001", "00000000001", "00 00 01", "00000x", "", "١٢٣٤٥٦"])
def test_bad_account_numbers(sent: str) -> None:
    assert flaws(bank_account_number=sent, **NAMED) == {"bank_account_number": "wrong_form"}


@pytest.mark.parametrize("code", ["GB", "SS", "AX", "XX", "UK", "EU", "gb", "GBR", ""])
def test_countries(code: str) -> None:
    if code in {"GB", "SS", "AX"}:
        assert make(country=code, **NAMED).country == code
    else:
        assert flaws(country=code, **NAMED) == {"country": "unknown"}


def test_the_list_of_countries() -> None:
    assert len(COUNTRIES) == 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES)
    assert not COUNTRIES & {"UK", "EU", "XK", "AN", "YU", "ZZ"}


# --- changing -------------------------------------------------------------------------------------


def test_some_values_change_and_the_rest_stays() -> None:
    made = make(city="York", email="ada@example.com", **NAMED)
    after = end_users.change(made, {"city": "Leeds"}, TODAY).state
    assert after == replace(made, city="Leeds")


def test_the_whole_state_is_checked_after_a_change() -> None:
    made = make(**NAMED)
    with pytest.raises(Invalid) as caught:
        end_users.change(made, {"type": "limited_company"}, TODAY)
    assert [flaw.field for flaw in caught.value.flaws] == ["company_name"]
    with pytest.raises(Invalid):
        end_users.change(made, {"last_name": ""}, TODAY)


def test_a_change_leaves_alone_what_only_providers_set() -> None:
    made = replace(make(**NAMED), sensitive=True)
    assert end_users.change(made, {"city": "Leeds"}, TODAY).state.sensitive


# --- secrecy and storage --------------------------------------------------------------------------


def test_no_error_repeats_bank_details_or_birth_dates() -> None:
    private = {
        "birth_date": date(2019, 11, 23),
        "bank_account_number": "98765432109",
        "sort_code": "98-76-5",
    }
    with pytest.raises(Invalid) as caught:
        make(**private, **NAMED)
    said = str(caught.value) + repr(caught.value.flaws)
    assert len(caught.value.flaws) == 3
    assert not any(part in said for part in ("2019", "98765432109", "98-76", "98765"))


def test_a_repr_does_not_show_them_either() -> None:
    made = make(
        birth_date=date(1999, 11, 23), bank_account_number="0000000042", sort_code="004242", **NAMED
    )
    assert not any(part in repr(made) for part in ("1999", "0000000042", "004242"))


def test_what_is_stored_comes_back() -> None:
    made = make(
        birth_date=date(1999, 11, 23), bank_account_number="0000000042", sort_code="00 42 42",
        country="GB", type="sole_trader", **NAMED,
    )  # fmt: skip
    assert codec.loads(EndUser, codec.dumps(made)) == made
