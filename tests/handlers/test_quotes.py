"""``/product/{id}/quote/`` over HTTP: the documented tables, every parameter, bad ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.http_support import Api
from tests.served import serve

GOLDEN = Path(__file__).parent.parent / "golden"
TERM = {
    "type": "term_loan_equal_instalments",
    "name": "Flexi",
    "max_loan_amount": "5000.00",
    "max_interest_rate": "20",
    "installments": 6,
}
COMPLETE = {**TERM, "repayment_date_type": "day_of_month", "repayment_date_period": 14}


@pytest.fixture
def api() -> Iterator[Api]:
    with serve() as up:
        yield up.api


def make(api: Api, base: dict[str, Any] = COMPLETE, **more: Any) -> dict[str, Any]:
    return dict(api.post("/product/", {**base, **more}).ok(201))


def as_text(value: Any) -> Any:
    """Money with its two decimals as text, as the documented tables have it."""
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    return str(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("name", ["equal_instalments", "equal_principal"])
def test_the_documented_table(api: Api, name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    asked = golden["quote"]
    rules = {key: asked[key] for key in asked if key.startswith(("type", "repayment_", "inst"))}
    made = make(api, {**TERM, "max_loan_amount": "12000.00", **rules})
    query = "&".join(f"{key}={asked[key]}" for key in ("amount", "rate", "start_date"))
    answer = api.get(f"/product/{made['id']}/quote/?{query}").ok()
    assert [as_text(row) for row in answer["schedule"]] == golden["schedule"]
    assert as_text(answer["totals"]) == golden["totals"]
    assert answer["first_repayment_date"] == golden["schedule"][0]["due_date"]
    assert (answer["product"], answer["installments"]) == (made["id"], 6)
    assert (as_text(answer["amount"]), answer["rate"]) == ("12000.00", 12)
    assert answer["start_date"] == asked["start_date"]
    assert answer["apr"] in (Decimal("12.5"), Decimal("12.7"))


def test_a_quote_without_parameters_takes_the_products(api: Api) -> None:
    made = make(
        api, default_loan_amount=1000, default_interest_rate="7.25", default_grace_instalments=1
    )
    answer = api.get(f"/product/{made['id']}/quote/").ok()
    assert (answer["amount"], answer["rate"]) == (1000, Decimal("7.25"))
    assert (answer["start_date"], answer["first_repayment_date"]) == ("2026-03-02", "2026-04-14")
    assert [row["total_amount"] > 0 for row in answer["schedule"]] == [False] + [True] * 5
    api.post(f"/product/{made['id']}/publish/").ok(201)
    assert api.get(f"/product/{made['id']}/quote/").ok() == answer


def test_every_parameter_counts(api: Api) -> None:
    made = make(api)
    answer = api.get(
        f"/product/{made['id']}/quote/?amount=1000.00&rate=10&installments=5&grace_instalments=1"
        "&principal_repayment_grace=2&start_date=2024-02-29"
    ).ok()
    assert len(answer["schedule"]) == answer["installments"] == 5
    assert answer["schedule"][0]["due_date"] == "2024-03-14"
    assert [row["principal"] > 0 for row in answer["schedule"]] == [False] * 3 + [True] * 2


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {"amount", "rate"}),
        ("rate=5", {"amount"}),
        ("amount=5000.01&rate=5", {"amount"}),
        ("amount=100&rate=20.01", {"rate"}),
        ("amount=0&rate=5", {"amount"}),
        ("amount=-1&rate=5", {"amount"}),
        ("amount=ten&rate=5", {"amount"}),
        ("amount=1.001&rate=5", {"amount"}),
        ("amount=100&rate=-1", {"rate"}),
        ("amount=100&rate=5&installments=0", {"installments"}),
        ("amount=100&rate=5&installments=601", {"installments"}),
        ("amount=100&rate=5&grace_instalments=6", {"grace_instalments"}),
        (
            "amount=100&rate=5&grace_instalments=3&principal_repayment_grace=3",
            {"grace_instalments", "principal_repayment_grace"},
        ),
        ("amount=100&rate=5&start_date=2024-02-30", {"start_date"}),
        ("amount=100&rate=5&start_date=tomorrow", {"start_date"}),
        ("amount=100&rate=5&start_date=9999-12-31", {"start_date"}),
        ("amount=100&rate=5&start_date=0001-01-01", {"start_date"}),
        ("amount=100&amount=200&rate=5", {"amount"}),
        ("amount=100&rate=5&colour=red", {"colour"}),
    ],
)
def test_bad_quotes(api: Api, query: str, fields: set[str]) -> None:
    answer = api.get(f"/product/{make(api)['id']}/quote/?{query}")
    assert set(answer.refused("validation_error", 400).fields) == fields


def test_a_draft_without_a_repayment_date_has_no_quote_yet(api: Api) -> None:
    answer = api.get(f"/product/{make(api, TERM)['id']}/quote/?amount=100&rate=5")
    assert answer.refused("validation_error", 400).fields == {"repayment_date_type": "required"}


@pytest.mark.parametrize("type_", ["line_of_credit", "simple_revolving_credit", "revolving_credit"])
def test_only_term_loans_have_quotes(api: Api, type_: str) -> None:
    made = make(api, type=type_)
    api.get(f"/product/{made['id']}/quote/?amount=100&rate=5").refused("invalid_status")
