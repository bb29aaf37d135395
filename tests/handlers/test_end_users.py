"""``/end_user/`` over HTTP, on the real use cases and an embedded table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.http_support import Api
from tests.served import Served, serve

PERSON = {
    "first_name": "Ada",
    "last_name": "Example",
    "birth_date": "1980-04-23",
    "address_line_1": "Example Mansion",
    "address_line_2": "3 Example Lane",
    "address_line_3": "",
    "city": "Example Town",
    "postal_code": "CD2 4HD",
    "country": "GB",
    "bank_account_number": "000000042",
    "sort_code": "000042",
    "mobile_number": "",
    "email": "",
}
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
COMPANY = {"type": "limited_company", "company_name": "Example Ltd", "company_number": "00000042"}


@pytest.fixture
def served() -> Iterator[Served]:
    with serve() as up:
        yield up


@pytest.fixture
def api(served: Served) -> Api:
    return served.api


def make(api: Api, base: dict[str, Any] = PERSON, **more: Any) -> dict[str, Any]:
    return dict(api.post("/end_user/", {**base, **more}).ok(201))


# --- creating and reading -------------------------------------------------------------------------


def test_a_person(api: Api) -> None:
    made = make(api)
    assert made.pop("id") and made.pop("created_at") == made.pop("updated_at")
    assert made == {
        **PERSON,
        "type": "individual",
        "company_name": "",
        "company_number": "",
        "sensitive": False,
        "regulated": True,
    }


def test_the_least_that_a_person_needs(api: Api) -> None:
    made = make(api, {"first_name": "Ada", "last_name": "Example"})
    empty = ("birth_date", "country", "bank_account_number", "sort_code")
    assert [made[name] for name in empty] == [None] * 4
    assert (made["email"], made["city"]) == ("", "")
    assert api.get(f"/end_user/{made['id']}/").ok() == made


def test_texts_may_be_null(api: Api) -> None:
    made = make(api, address_line_3=None, email=None, company_name=None)
    assert (made["address_line_3"], made["email"], made["company_name"]) == ("", "", "")
    cleared = api.patch(f"/end_user/{made['id']}/", {"city": None}).ok()
    assert cleared["city"] == ""


@pytest.mark.parametrize(
    ("type_", "regulated"),
    [
        ("limited_company", False),
        ("sole_trader", True),
        ("partnership_up_to_3", True),
        ("partnership_4_or_more", False),
    ],
)
def test_the_other_types(api: Api, type_: str, regulated: bool) -> None:
    made = make(api, COMPANY, type=type_)
    assert (made["type"], made["regulated"]) == (type_, regulated)
    assert (made["company_name"], made["company_number"]) == ("Example Ltd", "00000042")


def test_a_company_without_its_name(api: Api) -> None:
    answer = api.post("/end_user/", {**PERSON, "type": "limited_company"})
    assert answer.refused("validation_error", 400).fields == {"company_name": "required"}
    make(api, PERSON, type="sole_trader")


@pytest.mark.parametrize("sent", ["00-00-42", "00 00 42", " 000042 "])
def test_sort_codes_are_shown_as_six_digits(api: Api, sent: str) -> None:
    assert make(api, sort_code=sent)["sort_code"] == "000042"


def test_what_was_read_may_be_sent_back(api: Api) -> None:
    for base in (PERSON, COMPANY, {"first_name": "Ada", "last_name": "Example"}):
        made = make(api, base)
        assert api.put(f"/end_user/{made['id']}/", made).ok() == made


def test_read_only_fields_are_ignored(api: Api) -> None:
    made = make(api, sensitive=True, regulated=False, id="mine")
    assert (made["sensitive"], made["regulated"]) == (False, True)
    assert made["id"] != "mine"


def test_pages(served: Served, api: Api) -> None:
    ids = {make(api, city=f"Town {number}")["id"] for number in range(3)}
    first = api.get("/end_user/?limit=2").ok()
    second = api.get(first["next"].partition("/api/v1")[2]).ok()
    assert (first["count"], second["count"], second["next"]) == (3, 3, None)
    assert {each["id"] for each in first["results"] + second["results"]} == ids
    assert served.other.get("/end_user/").ok()["count"] == 0


# --- bad values -----------------------------------------------------------------------------------


BAD = [
    ({"type": "robot"}, "type"),
    ({"type": None}, "type"),
    ({"first_name": ""}, "first_name"),
    ({"last_name": "  "}, "last_name"),
    ({"last_name": None}, "last_name"),
    ({"first_name": 7}, "first_name"),
    ({"first_name": "x" * 256}, "first_name"),
    ({"first_name": "A\u0007da"}, "first_name"),
    ({"birth_date": "23/04/1980"}, "birth_date"),
    ({"birth_date": "1980-02-30"}, "birth_date"),
    ({"birth_date": ""}, "birth_date"),
    ({"birth_date": "2008-03-03"}, "birth_date"),
    ({"birth_date": "2999-01-01"}, "birth_date"),
    ({"birth_date": "0980-01-01"}, "birth_date"),
    ({"country": "UK"}, "country"),
    ({"country": "GBR"}, "country"),
    ({"country": "gb"}, "country"),
    ({"country": ""}, "country"),
    ({"country": ["GB"]}, "country"),
    ({"bank_account_number": "12345"}, "bank_account_number"),
    ({"bank_account_number": "12345678901"}, "bank_account_number"),
    ({"bank_account_number": "1234567a"}, "bank_account_number"),
    ({"bank_account_number": 12345678}, "bank_account_number"),
    ({"bank_account_number": ""}, "bank_account_number"),
    ({"sort_code": "12345"}, "sort_code"),
    ({"sort_code": "1234567"}, "sort_code"),
    ({"sort_code": "12.34.56"}, "sort_code"),
    ({"sort_code": 123456}, "sort_code"),
    ({"sort_code": "-"}, "sort_code"),
    ({"mobile_number": "call me"}, "mobile_number"),
    ({"mobile_number": "123"}, "mobile_number"),
    ({"email": "nobody"}, "email"),
    ({"email": "a b@example.com"}, "email"),
    ({"email": "a@example"}, "email"),
    ({"postal_code": "x" * 21}, "postal_code"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("values", "field"), BAD)
def test_bad_values_are_named_and_nothing_is_made(
    api: Api, values: dict[str, Any], field: str
) -> None:
    answer = api.post("/end_user/", {**PERSON, **values}).refused("validation_error", 400)
    assert set(answer.fields) == {field}
    assert api.get("/end_user/").ok()["count"] == 0


@pytest.mark.parametrize("email", ["ada@example.com", "a.b+c@mail.example.co.uk", "ä@exämple.de"])
def test_addresses_for_mail(api: Api, email: str) -> None:
    assert make(api, email=email)["email"] == email


@pytest.mark.parametrize("number", ["+44 7700 900000", "07700900000", "(020) 7946-0000"])
def test_telephone_numbers(api: Api, number: str) -> None:
    assert make(api, mobile_number=number)["mobile_number"] == number


def test_eighteen_by_the_business_date(served: Served, api: Api) -> None:
    young = {**PERSON, "birth_date": "2008-03-03"}
    answer = api.post("/end_user/", young).refused("validation_error", 400)
    assert answer.fields == {"birth_date": "under_age"}
    served.world.today = served.world.today.replace(day=3)
    make(api, young)


def test_nothing_private_in_errors_or_logs(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    private = {
        "birth_date": "2019-11-23",
        "bank_account_number": "98765432109",
        "sort_code": "98-76-5",
    }
    parts = ("2019", "11-23", "98765", "98-76")
    said = [api.post("/end_user/", {**PERSON, **private}).text]
    said += [api.post("/end_user/", {**PERSON, name: private[name]}).text for name in private]
    for name in private:
        said.append(api.post("/end_user/", {**PERSON, name: {"x": private[name]}}).text)
        said.append(api.post("/end_user/", {**PERSON, name: [private[name]]}).text)
    adult = make(api, birth_date="1979-11-23", bank_account_number="9876543210", sort_code="987651")
    api.get(f"/end_user/{adult['id']}/").ok()
    timing = {"created", "msecs", "relativeCreated", "ms", "thread", "process"}
    lines = [{n: v for n, v in vars(line).items() if n not in timing} for line in caplog.records]
    assert [line["status"] for line in lines] == [400] * 10 + [201, 200]
    shown = re.sub(UUID, "", str(lines) + "".join(said))
    for part in (*parts, "1979", "9876543210", "987651"):
        assert part not in shown


# --- changing -------------------------------------------------------------------------------------


def test_a_patch_changes_what_it_says(api: Api) -> None:
    made = make(api)
    after = api.patch(f"/end_user/{made['id']}/", {"city": "Leeds", "sort_code": "11-22-33"}).ok()
    assert after == {**made, "city": "Leeds", "sort_code": "112233"}
    assert api.get(f"/end_user/{made['id']}/").ok() == after


def test_a_put_replaces_everything(api: Api) -> None:
    made = make(api, email="ada@example.com")
    after = api.put(f"/end_user/{made['id']}/", {"first_name": "Bea", "last_name": "Example"}).ok()
    assert (after["first_name"], after["email"], after["sort_code"]) == ("Bea", "", None)
    assert (after["id"], after["type"]) == (made["id"], "individual")
    api.put(f"/end_user/{made['id']}/", {"first_name": "Bea"}).refused("validation_error", 400)


def test_a_refused_change_changes_nothing(api: Api) -> None:
    made = make(api)
    where = f"/end_user/{made['id']}/"
    for bad in ({"last_name": ""}, {"type": "limited_company"}, {"birth_date": "2015-01-01"},
                {"country": "UK", "city": "Leeds"}):  # fmt: skip
        api.patch(where, bad).refused("validation_error", 400)
    assert api.get(where).ok() == made


def test_a_person_may_become_a_company(api: Api) -> None:
    made = make(api)
    after = api.patch(f"/end_user/{made['id']}/", COMPANY).ok()
    assert (after["type"], after["regulated"]) == ("limited_company", False)


def test_another_partners_end_user_does_not_exist(served: Served, api: Api) -> None:
    where = f"/end_user/{make(api)['id']}/"
    for path in (where, f"/end_user/{uuid4()}/"):
        served.other.get(path).refused("not_found", 404)
        served.other.put(path, PERSON).refused("not_found", 404)
        served.other.patch(path, {"city": "Leeds"}).refused("not_found", 404)
    assert api.get(where).ok()["city"] == "Example Town"


def test_an_end_user_cannot_be_deleted(api: Api) -> None:
    answer = api.delete(f"/end_user/{make(api)['id']}/").refused("method_not_allowed", 405)
    assert answer.headers["allow"] == "GET, PUT, PATCH"


def test_a_repeated_request_with_its_key_makes_one(api: Api) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = api.post("/end_user/", PERSON, headers=key).ok(201)
    assert api.post("/end_user/", PERSON, headers=key).ok(201) == first
    assert api.get("/end_user/").ok()["count"] == 1
