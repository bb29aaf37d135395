"""What a request may send for a value, and how an answer shows one."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from chalicelib.handlers import values
from chalicelib.handlers.values import (
    Count,
    Day,
    Exact,
    Flag,
    JsonObject,
    LongText,
    Money,
    MoneyOut,
    MoneyText,
    Number,
    PositiveMoney,
    Rate,
    RateOut,
    RateText,
    Rule,
    Text,
    TextRule,
    Uuid,
    Whole,
)

D = Decimal
ID = "123e4567-e89b-42d3-a456-426614174000"


def read(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


def code(kind: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        read(kind, value)
    (error,) = refused.value.errors()
    return str(error["type"])


@pytest.mark.parametrize(
    ("kind", "sent", "meant"),
    [
        (Money, 1000, D(1000)),
        (Money, "1000.00", D("1000.00")),
        (Money, D("0.01"), D("0.01")),
        (Money, "0", D(0)),
        (Money, "-0.00", D(0)),
        (Money, D("1E+3"), D(1000)),
        (Money, "999999999999.99", D("999999999999.99")),
        (Money, "1.5000000", D("1.5")),
        (PositiveMoney, "0.01", D("0.01")),
        (Rate, "1000", D(1000)),
        (Rate, "0.000001", D("0.000001")),
        (Exact, "-0.5", D("-0.5")),
        (Exact, "12345678901234567890.0123456789", D("12345678901234567890.0123456789")),
        (Count, "7", 7),
        (Count, D("7.0"), 7),
        (Count, 0, 0),
        (Annotated[int, Whole(1, 600)] | None, None, None),
        (Day, "2024-02-29", date(2024, 2, 29)),
        (Uuid, ID.upper(), ID),
        (Flag, True, True),
        (Flag, "false", False),
        (Text, "  Zoë & Søn ", "Zoë & Søn"),
        (LongText, "", ""),
        (LongText, "two\nlines", "two\nlines"),
        (JsonObject, {"a": D("1.10")}, {"a": D("1.10")}),
    ],
)
def test_taken(kind: Any, sent: Any, meant: Any) -> None:
    assert read(kind, sent) == meant


@pytest.mark.parametrize(
    ("kind", "sent", "why"),
    [
        *(
            (Money, bad, "not_a_number")
            for bad in [
                "", " ", "1e3", "1_000", "1,000", "+1", ".5", "5.", " 5", "٣", "NaN", "Infinity",
                "0x10", True, False, None, [], {}, D("NaN"), D("Infinity"), D("sNaN"), 1.5,
                float("nan"), b"1", "9" * 5000,
            ]
        ),
        (Money, "0.001", "too_many_decimals"),
        (Money, D("1.999"), "too_many_decimals"),
        (Money, "1000000000000", "too_large"),
        (Money, D("1E+999999"), "too_large"),
        (Money, D("1E-999999"), "too_many_decimals"),
        (Money, "-0.01", "too_small"),
        (PositiveMoney, 0, "too_small"),
        (PositiveMoney, "0.00", "too_small"),
        (Rate, "1000.000001", "too_large"),
        (Rate, "5.1234567", "too_many_decimals"),
        (Rate, -1, "too_small"),
        (Count, "7.0", "not_an_integer"),
        (Count, "1.5", "not_an_integer"),
        (Count, D("1.5"), "not_an_integer"),
        (Count, D("1E+50"), "not_an_integer"),
        (Count, "x", "not_an_integer"),
        (Count, True, "not_a_number"),
        (Count, -1, "too_small"),
        (Count, 2**31, "too_large"),
        (Annotated[int, Whole(1, 600)], 601, "too_large"),
        *(
            (Day, bad, "not_a_date")
            for bad in [
                "2023-02-29", "2024-1-1", "20240101", "2024-01-01T00:00:00", "01/02/2024", "",
                "2024-W01-1", "٢٠٢٤-01-01", 20240101, None, "0000-01-01",
            ]
        ),
        (Uuid, f"'{ID}'", "not_a_uuid"),
        (Uuid, ID.replace("-", ""), "not_a_uuid"),
        (Uuid, f"{ID}\n", "not_a_uuid"),
        (Uuid, 5, "not_a_uuid"),
        (Flag, "yes", "not_a_boolean"),
        (Flag, 1, "not_a_boolean"),
        (Flag, [], "not_a_boolean"),
        (Text, "   ", "too_short"),
        (Text, "x" * 256, "too_long"),
        (Text, "a\x00b", "control_character"),
        (Text, "a\x9fb", "control_character"),
        (Text, "two\nlines", "control_character"),
        (Text, 5, "not_a_string"),
        (Annotated[str, TextRule(6, 6, "[0-9]{6}")], "12345x", "wrong_form"),
        (Annotated[str, TextRule(6, 6, "[0-9]{6}")], "١٢٣٤٥٦", "wrong_form"),
        (JsonObject, [], "not_an_object"),
    ],
)  # fmt: skip
def test_refused(kind: Any, sent: Any, why: str) -> None:
    assert code(kind, sent) == why


@given(st.text(max_size=40))
def test_no_text_breaks_a_rule_or_comes_back_in_its_message(sent: str) -> None:
    for kind in (Money, Rate, Count, Day, Uuid, Flag, Text, Exact):
        for value in (sent, f"☃{sent}"):
            try:
                read(kind, value)
            except ValidationError as refused:
                (error,) = refused.errors()
                assert "☃" not in error["msg"]


@given(st.decimals(min_value=0, max_value=10**12 - 1, places=2))
def test_money_is_the_same_as_number_and_text(amount: Decimal) -> None:
    shown = format(amount, "f")
    assert read(Money, amount) == read(Money, shown) == amount
    assert TypeAdapter(MoneyText).dump_python(amount) == f"{amount:.2f}"


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (MoneyOut, D("1000"), "1000.00"),
        (MoneyOut, D("0.005"), "0.01"),
        (MoneyOut, D("2.675"), "2.68"),
        (MoneyOut, D("-0.004"), "0.00"),
        (MoneyOut, D("-0.005"), "-0.01"),
        (MoneyOut, D("123456789012.3450000000"), "123456789012.35"),
        (MoneyText, D("1E+3"), "1000.00"),
        (RateOut, D("10.0"), "10"),
        (RateOut, D("1E+2"), "100"),
        (RateOut, D("0.0000001"), "1E-7"),
        (RateText, D("0.000001"), "0.000001"),
        (RateText, D("10.50"), "10.5"),
    ],
)
def test_shown(kind: Any, value: Decimal, shown: str) -> None:
    assert str(TypeAdapter(kind).dump_python(value)) == shown


def test_rules_describe_themselves() -> None:
    assert TypeAdapter(PositiveMoney).json_schema() == {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**12},
            {
                "type": "string",
                "pattern": r"^([1-9][0-9]{0,11}(\.[0-9]{1,2})?|0\.[0-9]{0,1}[1-9]0{0,2})$",
            },
        ]
    }
    assert TypeAdapter(Annotated[int, Whole(1, 600)]).json_schema()["anyOf"][0] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 600,
    }
    assert TypeAdapter(Day).json_schema() == {"type": "string", "format": "date"}
    assert TypeAdapter(MoneyOut).json_schema(mode="serialization")["type"] == "number"
    for rule in (Number(3, 2), Whole(), TextRule(pattern="x"), values.FlagRule()):
        assert isinstance(rule, Rule) and rule.schema()


@pytest.mark.parametrize(
    ("rule", "taken", "refused"),
    [
        (Number(12, 2, at_least=D(0)), ["0", "0.00", "1000", "1.5"], ["-1", "1.234", "x"]),
        (Number(12, 2, above=D(0)), ["0.01", "0.10", "10", "999999999999.99"], ["0", "0.00"]),
        (Number(20, 10), ["-1.5", "0"], ["1" * 21]),
        (Whole(1, 31), ["1", "31"], ["0", "-1", "1.5"]),
        (Whole(0, 599), ["0", "599"], ["-1", "1000"]),
    ],
)
def test_what_a_pattern_says_is_what_is_read(
    rule: Number | Whole, taken: list[str], refused: list[str]
) -> None:
    pattern = rule.schema()["anyOf"][1]["pattern"]
    for text in taken:
        assert re.search(pattern, text), text
        rule.read(text)
    for text in refused:
        assert not re.search(pattern, text), text
        with pytest.raises(PydanticCustomError):
            rule.read(text)
