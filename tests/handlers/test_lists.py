"""Lists over the whole application: each filter against what Python finds in the whole list."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from app import app
from chalicelib import runtime
from chalicelib.integrations.objects import Objects
from chalicelib.models.keys import CLOCK_STATE
from chalicelib.models.unit import Unit
from tests.http_support import Api
from tests.scenarios.partner import Partner
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-lists"
Check = Callable[[Any], bool]


class Books:
    """A small book with a history, and another partner with nothing but one loan of its own."""

    def __init__(self) -> None:
        self.world = World()
        with runtime.use(self.world):
            runtime.bootstrap(KEY)
            self.api = Api(app, KEY)
            self.partner = Partner(self.api)
            self.partner.goes_to("2026-03-12")
            key = self.api.post("/sandbox/partner/").ok(201)["api_key"]
            self.other = Api(app, key)
            self._fill()

    def _fill(self) -> None:
        term = self.partner.publishes()
        flexi = self.partner.publishes(
            type="line_of_credit", name="Flexi", installments=None,
            repayment_date_type=None, repayment_date_period=None,
        )  # fmt: skip
        self.products = [term, flexi]
        self.loans = []
        for number in range(5):
            amount = f"{1000 * (1 + number % 3)}.00"
            loan = self.partner.opens_loan([term, flexi][number % 2], amount=amount)
            self.loans.append(loan)
            if number < 4:
                loan.disburses("600.00").confirmed()
            self.partner.next_day()
        self.loans[1].repays("50.00")
        self.loans[1].transaction("fee", "10.00", name="=Late", fee_type="flat").ok(201)
        self.loans[4].does("cancel").ok(201)
        self.partner.goes_to("2026-04-23")  # the first rows fell due on the 14th
        self.loans[0].repays("20.00").confirmed()
        self.partner.next_day()
        stranger = Partner(self.other)
        stranger.goes_to("2026-03-12")
        stranger.opens_loan(stranger.publishes()).disburses("100.00").confirmed()
        stranger.goes_to("2026-03-15")


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    filled = Books()
    with runtime.use(filled.world):
        yield filled


def whole(api: Api, path: str, **query: Any) -> list[Any]:
    """Every result, by pages of the largest size."""
    return followed(api, path, limit=200, **query)


def followed(api: Api, path: str, **query: Any) -> list[Any]:
    """Every result, by ``next``; each page says the same count."""
    url: str | None = f"{path}?{urlencode(query)}"
    found: list[Any] = []
    counts = set()
    for _ in range(400):
        if url is None:
            assert counts == {len(found)}, (counts, len(found))
            return found
        page = api.get(url).ok()
        counts.add(page["count"])
        found += page["results"]
        url = page["next"] and page["next"].removeprefix("http://backbone.test/api/v1")
    raise AssertionError("next never ends")


LOANS: dict[str, Check] = {
    "status=active": lambda row: row["status"] == "active",
    "status=late,arrears": lambda row: row["status"] in ("late", "arrears"),
    "status__contains=ARR": lambda row: "arr" in row["status"],
    "amount=1000": lambda row: row["amount"] == 1000,
    "amount__gt=1000&amount__lte=3000.00": lambda row: 1000 < row["amount"] <= 3000,
    "principal__gte=600": lambda row: row["principal"] >= 600,
    "is_interest_calculation_enabled=true": lambda row: True,
    "days_past_due__gt=0": lambda row: row["days_past_due"] > 0,
    "disbursed_at__lte=2026-03-13": lambda row: (row["disbursed_at"] or "9") <= "2026-03-13",
    "created_at__gte=2026-03-14T00:00:00Z": lambda row: row["created_at"] >= "2026-03-14",
    "next_repayment_date=2026-04-14": lambda row: row["next_repayment_date"] == "2026-04-14",
    "next_repayment_date__lte=2026-04-30": lambda row: (
        (row["next_repayment_date"] or "9") <= "2026-04-30"
    ),
    "next_repayment_date__gt=2026-03-13": lambda row: (
        (row["next_repayment_date"] or "0") > "2026-03-13"
    ),
    "next_repayment_date__lt=2026-05-01&status=arrears": lambda row: (
        (row["next_repayment_date"] or "9") < "2026-05-01" and row["status"] == "arrears"
    ),
    "status=cancelled&amount=2000": lambda row: (
        row["status"] == "cancelled" and row["amount"] == 2000
    ),
}


@pytest.mark.parametrize("query", LOANS)
def test_loans(books: Books, query: str) -> None:
    check(books, "/loan/", query, LOANS[query])


@pytest.mark.parametrize("name", ["product", "end_user", "application", "id"])
def test_loans_by_what_they_belong_to(books: Books, name: str) -> None:
    rows = whole(books.api, "/loan/")
    values = {rows[0][name], rows[3][name]}
    check(books, "/loan/", f"{name}={','.join(values)}", lambda row: row[name] in values)


def check(books: Books, path: str, query: str, expected: Check) -> None:
    """A filter gives what Python finds in the whole list, however the pages are cut."""
    every = whole(books.api, path)
    wanted = [row for row in every if expected(row)]
    assert wanted, "a filter that finds nothing shows nothing"
    pairs = dict(pair.split("=") for pair in query.split("&"))
    assert whole(books.api, path, **pairs) == wanted
    size = 2 if len(wanted) < 10 else len(wanted) // 3
    assert followed(books.api, path, limit=size, **pairs) == wanted
    half = len(wanted) // 2
    page = books.api.get(f"{path}?{query}&limit=200&offset={half}").ok()
    assert (page["count"], page["results"]) == (len(wanted), wanted[half:])
    text = books.api.get(f"{path}?{query}&format=csv").text
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == [r["id"] for r in wanted]


TRANSACTIONS: dict[str, Check] = {
    "type=repayment": lambda row: row["type"] == "repayment",
    "type=interest": lambda row: row["type"] == "interest",
    "type=fee,disbursement": lambda row: row["type"] in ("fee", "disbursement"),
    "status=pending": lambda row: row["status"] == "pending",
    "amount__gte=20&amount__lt=600": lambda row: 20 <= row["amount"] < 600,
    "name__contains=late": lambda row: "late" in row["name"].lower(),
    "effective_date__gte=2026-04-10&type=interest": lambda row: (
        row["effective_date"] >= "2026-04-10" and row["type"] == "interest"
    ),
    "origin=partner": lambda row: row["origin"] == "partner",
}


@pytest.mark.parametrize("query", TRANSACTIONS)
def test_transactions(books: Books, query: str) -> None:
    check(books, "/transaction/", query, TRANSACTIONS[query])


def test_all_transactions_are_those_of_the_loans(books: Books) -> None:
    every = whole(books.api, "/transaction/")
    by_loan = [
        row for loan in books.loans for row in whole(books.api, "/transaction/", loan=loan.id)
    ]
    assert sorted(row["id"] for row in every) == sorted(row["id"] for row in by_loan)
    created = [datetime.fromisoformat(row["created_at"]) for row in every]
    assert created == sorted(created, reverse=True)
    nights = sum(row["type"] == "interest" for row in every)
    assert nights > 60
    assert followed(books.api, "/transaction/", limit=23) == every


def test_the_transactions_of_a_loan_by_cursor(books: Books) -> None:
    loan = books.loans[0].id
    every = books.loans[0].all_transactions()  # by offset
    for size in (3, 20):
        assert followed(books.api, "/transaction/", loan=loan, limit=size) == every
    two = f"{loan},{books.loans[1].id}"
    both = [row for row in whole(books.api, "/transaction/") if row["loan"] in two]
    assert followed(books.api, "/transaction/", loan=two, limit=16) == both
    only = [row for row in both if row["type"] == "interest" and row["amount"] > Decimal("0.1")]
    query = {"loan": two, "type": "interest", "amount__gt": "0.1"}
    assert followed(books.api, "/transaction/", limit=16, **query) == only


def test_a_page_ends_where_it_did_although_the_journal_went_on(books: Books) -> None:
    loan = books.loans[2]
    before = loan.all_transactions()
    first = books.api.get(f"/transaction/?loan={loan.id}&limit=3").ok()
    everyone = books.api.get("/transaction/?limit=3").ok()
    loan.transaction("fee", "1.00", name="more", fee_type="flat").ok(201)
    again = books.api.get(first["next"].removeprefix("http://backbone.test/api/v1")).ok()
    assert first["results"] + again["results"] == before[:6]
    rest = books.api.get(everyone["next"].removeprefix("http://backbone.test/api/v1")).ok()
    shown = {row["id"] for row in everyone["results"]}
    assert not shown & {row["id"] for row in rest["results"]}


@pytest.mark.parametrize("name", ["end_user", "product"])
def test_transactions_by_what_their_loans_belong_to(books: Books, name: str) -> None:
    loans = {row["id"]: row for row in whole(books.api, "/loan/")}
    value = loans[books.loans[1].id][name]
    check(books, "/transaction/", f"{name}={value}", lambda row: loans[row["loan"]][name] == value)


@pytest.mark.parametrize(
    "ordering",
    ["created_at", "-amount", "amount", "next_repayment_date", "-disbursed_at", "-updated_at"],
)
def test_orders(books: Books, ordering: str) -> None:
    name = ordering.lstrip("-")
    rows = followed(books.api, "/loan/", ordering=ordering, limit=2)
    assert sorted(row["id"] for row in rows) == sorted(
        row["id"] for row in whole(books.api, "/loan/")
    )
    values = [row[name] for row in rows if row[name] is not None]
    assert values == sorted(values, reverse=ordering.startswith("-"))
    assert [row[name] for row in rows[len(values) :]] == [None] * (len(rows) - len(values))
    by_offset = books.api.get(f"/loan/?ordering={ordering}&offset=2").ok()
    assert by_offset["results"] == rows[2:]
    text = books.api.get(f"/loan/?ordering={ordering}", headers={"Accept": "text/csv"}).text
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == [r["id"] for r in rows]


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/application/", "status=approved", lambda row: row["status"] == "approved"),
        ("/application/", "amount__gte=2000", lambda row: Decimal(row["amount"]) >= 2000),
        ("/application/", "installments=6", lambda row: row["installments"] == "6"),
        ("/end_user/", "last_name__contains=borrow", lambda row: True),
        ("/end_user/", "regulated=true&country=GB,IE", lambda row: True),
        ("/product/", "name=Flexi", lambda row: row["name"] == "Flexi"),
        ("/product/", "is_draft=false&installments__gt=1", lambda row: row["installments"] == 6),
        ("/decision/", "created_at__gte=2026-03-13", lambda row: row["created_at"] >= "2026-03-13"),
        ("/input_source/", "type=integer", lambda row: row["type"] == "integer"),
        ("/scorecard/", "is_active=true", lambda row: row["is_active"]),
    ],
)
def test_other_collections(books: Books, path: str, query: str, expected: Check) -> None:
    check(books, path, query, expected)


def test_applications_by_borrower(books: Books) -> None:
    wanted = whole(books.api, "/application/")[1]
    for name in ("end_user", "loan", "decision"):
        check(
            books, "/application/", f"{name}={wanted[name]}",
            lambda row, name=name: row[name] == wanted[name],
        )  # fmt: skip


@pytest.mark.parametrize("path", ["/loan/", "/transaction/", "/application/", "/end_user/"])
def test_nothing_of_another_partner(books: Books, path: str) -> None:
    mine, theirs = whole(books.api, path), whole(books.other, path)
    assert mine and theirs
    assert not {row["id"] for row in mine} & {row["id"] for row in theirs}
    named = books.other.get(f"{path}?id={mine[0]['id']}").ok()
    assert (named["count"], named["results"]) == (0, [])
    for name in ("loan", "end_user", "product", "application"):
        if name in mine[0]:
            asked = books.other.get(f"{path}?{name}={mine[0][name]}").ok()
            assert (asked["count"], asked["results"], asked["next"]) == (0, [], None)


@pytest.mark.parametrize(
    "query",
    ["birth_date=1980-01-01", "bank_account_number=12345678", "sort_code__contains=1",
     "birth_date__lt=2000-01-01"],
)  # fmt: skip
def test_what_must_not_reach_a_url(books: Books, query: str) -> None:
    answer = books.api.get(f"/end_user/?{query}").refused("validation_error", 400)
    assert answer.fields == {query.partition("=")[0]: "unknown_field"}


def test_every_bad_parameter_at_once(books: Books) -> None:
    answer = books.api.get("/loan/?limit=0&amount=x&nope=1&ordering=status&format=pdf")
    assert answer.refused("validation_error", 400).fields == {
        "limit": "too_small",
        "amount": "not_a_number",
        "nope": "unknown_field",
        "ordering": "unknown_choice",
        "format": "unknown_choice",
    }


QUERIES = ["limit=1", "limit=1&amount__gt=1", "limit=1&ordering=amount", "limit=1&status=active"]


def next_cursor(api: Api, path: str, query: str) -> str:
    url = api.get(f"{path}?{query}").ok()["next"]
    return str(url.partition("cursor=")[2].partition("&")[0])


@pytest.mark.parametrize("path", ["/loan/", "/transaction/"])
@pytest.mark.parametrize("query", QUERIES)
def test_a_cursor_is_good_for_its_own_list_alone(books: Books, path: str, query: str) -> None:
    query = query if path == "/loan/" else query.replace("active", "applied")
    cursor = next_cursor(books.api, path, query)
    books.api.get(f"{path}?{query}&cursor={cursor}").ok()
    turned = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    for bad in (turned, "A" + cursor, cursor[:20]):
        answer = books.api.get(f"{path}?{query}&cursor={bad}").refused("validation_error", 400)
        assert answer.fields == {"cursor": "invalid"}
    books.other.get(f"{path}?{query}&cursor={cursor}").refused("validation_error", 400)
    other = "/application/" if path == "/loan/" else "/loan/"
    books.api.get(f"{other}?{query}&cursor={cursor}").refused("validation_error", 400)
    for another in QUERIES:
        if another.partition("=")[2] != query.partition("=")[2] and "status" not in another:
            answer = books.api.get(f"{path}?{another}&cursor={cursor}")
            assert answer.status == 400, (query, another)


def test_csv(books: Books) -> None:
    answer = books.api.get("/transaction/?type=fee,repayment&format=csv&limit=1")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="transaction-2026-04-24.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    shown = whole(books.api, "/transaction/", type="fee,repayment")
    assert [row["id"] for row in rows] == [row["id"] for row in shown]
    assert "'=Late" in [row["name"] for row in rows]
    assert rows[0]["balance_after.principal"] == str(shown[0]["balance_after"]["principal"])
    assert rows[0]["created_at"] == shown[0]["created_at"]


def test_a_borrowers_loans_are_filtered_too(books: Books) -> None:
    loan = whole(books.api, "/loan/")[0]
    path = f"/end_user/{loan['end_user']}/loans/"
    assert whole(books.api, path, status=loan["status"]) == [loan]
    assert whole(books.api, path, amount__gt="99999") == []
    books.other.get(path).refused("not_found", 404)


def test_while_the_work_of_a_day_is_not_done(books: Books) -> None:
    """Nothing has been written for the new date yet; lists show what is so all the same."""
    store = books.world.store
    partner = runtime.get().keyring.partner(KEY)
    assert partner is not None
    stored = store.get(CLOCK_STATE, partner.id, partner.id)
    assert stored is not None
    ahead = replace(stored.value, day=date(2026, 5, 20), closed=stored.value.closed)
    unit = Unit(books.world.wall)
    moved = unit.update(CLOCK_STATE, partner.id, stored, ahead)
    store.commit(unit)
    try:
        before = [row["status"] for row in whole(books.api, "/loan/")]
        assert "arrears" in before and "active" in before
        check(books, "/loan/", "status=arrears", lambda row: row["status"] == "arrears")
        check(books, "/loan/", "next_repayment_date__gte=2026-04-14", lambda row: bool(
            row["next_repayment_date"]))  # fmt: skip
        test_all_transactions_are_those_of_the_loans(books)
    finally:
        unit = Unit(books.world.wall)
        unit.update(CLOCK_STATE, partner.id, moved, stored.value)
        store.commit(unit)


def test_csv_that_is_too_large_for_an_answer(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 303 to the same text in the bucket; nothing of it is in the answer."""
    import botocore.session

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    s3 = botocore.session.get_session().create_client("s3", region_name="eu-west-2")
    s3.create_bucket(
        Bucket="lists-exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    text = books.api.get("/transaction/?format=csv").text
    small = replace(books.world.config, csv_limit_bytes=2000, bucket="lists-exports")
    monkeypatch.setattr(books.world, "config", small)
    monkeypatch.setattr(books.world, "objects", Objects(small))
    answer = books.api.get("/transaction/?format=csv")
    assert (answer.status, answer.text) == (303, "")
    link = urlsplit(answer.headers["location"])
    assert "X-Amz-Expires=300" in link.query and "X-Amz-Signature=" in link.query
    partner = runtime.get().keyring.partner(KEY)
    assert partner is not None and f"/exports/{partner.id}/" in link.path
    kept = s3.get_object(Bucket="lists-exports", Key=link.path.lstrip("/"))
    assert kept["Body"].read().decode() == text
    assert kept["ContentType"] == "text/csv; charset=utf-8"
    assert "transaction-2026-04-24.csv" in kept["ContentDisposition"]
    assert books.api.get("/loan/?format=csv&limit=1&id=" + books.loans[0].id).status == 200
