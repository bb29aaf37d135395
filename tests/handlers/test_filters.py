"""Filters derived from an answer model: what there are, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import Invalid
from chalicelib.handlers import filters
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.routing import operations
from chalicelib.handlers.schema import Out
from chalicelib.handlers.values import CountText, Instant, MoneyOut, MoneyText

ID = "11111111-2222-4333-8444-555555555555"
COLLECTIONS = [row for row in operations(RESOURCES) if row.collection]


class InnerOut(Out):
    principal: MoneyOut


class ThingOut(Out):
    id: str
    name: str
    status: Literal["open", "shut"]
    loan: str | None
    amount: MoneyOut
    price: MoneyText | None
    installments: CountText
    on: date | None
    is_draft: bool
    birth_date: date
    sort_code: str
    key: str
    inner: InnerOut
    tags: list[str]
    custom: dict[str, Any]
    created_at: Instant


def read(**given: str) -> list[tuple[str, tuple[Any, ...]]]:
    criteria = filters.read(ThingOut, ("product",), given)
    return [(each.name, each.values) for each in criteria.conditions]


def test_every_scalar_field_and_no_other() -> None:
    assert set(filters.fields(ThingOut)) == {
        "id", "name", "status", "loan", "amount", "price", "installments", "on", "is_draft",
        "created_at",
    }  # fmt: skip
    assert filters.orders(ThingOut) == ("amount", "price", "on", "created_at")


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("name", "a, b,", ("a", "b", "")),
        ("name__contains", "a,b", ("a,b",)),
        ("status", "open,shut", ("open", "shut")),
        ("loan", ID.upper(), (ID,)),
        ("product", f"{ID},{ID}", (ID, ID)),
        ("amount", "10,10.5", (Decimal(10), Decimal("10.5"))),
        ("amount__gte", "-1", (Decimal(-1),)),
        ("price__lt", "1000.00", (Decimal(1000),)),
        ("installments__gt", "4", (Decimal(4),)),
        ("on__lte", "2026-03-02", (date(2026, 3, 2),)),
        ("is_draft", "True", (True,)),
        ("created_at__gte", "2026-03-02T09:00:00Z", (datetime(2026, 3, 2, 9, tzinfo=UTC),)),
        ("created_at", "2026-03-02T09:00:00 01:00", (datetime(2026, 3, 2, 8, tzinfo=UTC),)),
        ("created_at__lt", "2026-03-02", (datetime(2026, 3, 2, tzinfo=UTC),)),
    ],
)
def test_values(name: str, text: str, values: tuple[Any, ...]) -> None:
    assert read(**{name: text}) == [(name, values)]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("birth_date", "1980-01-01", "unknown_field"),
        ("birth_date__gte", "1980-01-01", "unknown_field"),
        ("sort_code__contains", "1", "unknown_field"),
        ("key", "x", "unknown_field"),
        ("inner", "x", "unknown_field"),
        ("tags", "x", "unknown_field"),
        ("id__contains", "x", "unknown_field"),
        ("name__gte", "x", "unknown_field"),
        ("amount__in", "1", "unknown_field"),
        ("amount__", "1", "unknown_field"),
        ("amount__gte__lte", "1", "unknown_field"),
        ("is_draft__gte", "true", "unknown_field"),
        ("status", "open,lost", "unknown_choice"),
        ("loan", "x", "not_a_uuid"),
        ("loan", "", "not_a_uuid"),
        ("amount", "1e3", "not_a_number"),
        ("amount", "1,,2", "not_a_number"),
        ("amount__gte", "1,2", "not_a_number"),
        ("amount", "NaN", "not_a_number"),
        ("on", "2026-02-30", "not_a_date"),
        ("on__gte", "2026-01-01T00:00:00Z", "not_a_date"),
        ("is_draft", "yes", "not_a_boolean"),
        ("created_at", "yesterday", "not_an_instant"),
        ("created_at", "2026-02-30T09:00:00Z", "not_an_instant"),
        ("name", "a\x00b", "control_character"),
        ("name", ",".join("x" * 101), "too_long"),
        ("ordering", "name", "unknown_choice"),
        ("ordering", "--amount", "unknown_choice"),
        ("ordering", "", "unknown_choice"),
        ("format", "xml", "unknown_choice"),
    ],
)
def test_what_is_refused_is_named(name: str, text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(**{name: text})
    assert [(flaw.field, flaw.code) for flaw in refused.value.flaws] == [(name, code)]


@given(st.sampled_from(sorted(filters.fields(ThingOut))), st.text(max_size=40), st.booleans())
def test_any_text_is_read_or_refused(name: str, text: str, bounded: bool) -> None:
    asked = f"{name}__gte" if bounded else name
    try:
        found = read(**{asked: text})
    except Invalid as refused:
        assert [flaw.field for flaw in refused.flaws] == [asked]
    else:
        assert [each for each, _ in found] == [asked]


@pytest.mark.parametrize("row", COLLECTIONS, ids=lambda row: row.name)
def test_every_collection_lists_its_parameters(row: Any) -> None:
    parameters = {each.name: each for each in row.parameters()}
    assert len(parameters) == len(row.parameters())
    assert {"format", "id"} <= set(parameters)
    for name, each in parameters.items():
        assert each.description
        assert each.schema["type"] in ("string", "number", "integer", "boolean")
        assert name.partition("__")[0] not in filters.NEVER
    assert not set(parameters) & set(row.query.model_fields)
    assert "created_at" not in row.answer.model_fields or "-created_at" in str(
        parameters["ordering"].schema
    )
