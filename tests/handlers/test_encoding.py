"""JSON, exactly."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import Invalid
from chalicelib.handlers import encoding
from chalicelib.handlers.encoding import Unreadable, canonical, encode, parse

D = Decimal
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15),
                  max_value=10**15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


class Colour(Enum):
    RED = "red"


def test_numbers_keep_every_digit() -> None:
    text = b'{"a": 12345678901234567.89, "b": 1000.00, "c": 7, "d": -0.10}'
    assert parse(text) == {"a": D("12345678901234567.89"), "b": D("1000.00"), "c": 7, "d": D("-.1")}
    assert encode(parse(text)) == '{"a":12345678901234567.89,"b":1000.00,"c":7,"d":-0.10}'


@given(PLAIN)
def test_what_goes_out_comes_back(data: Any) -> None:
    assert parse(encode(data).encode()) == data


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"NaN", b"[Infinity]", b"-Infinity", b"\xff", b"'a'", b"{a:1}", b"01", b"1 2",
     b"[1e41]", b"[1e-41]", b"[0e99999999]", b"9" * 41, b"0." + b"1" * 60, b'["\\udfff"]',
     b'{"\\ud800": 1}', b"[" * 33 + b"]" * 33, b'{"a":' * 9999, b"[" * 500_000,
     b'"\x01"', b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_what_cannot_be_kept_exactly_is_unreadable(text: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_the_deepest_that_is_read() -> None:
    assert parse(b"[" * 32 + b"]" * 32)


def test_a_member_twice() -> None:
    with pytest.raises(Invalid) as refused:
        parse(b'{"a": {"x\\u0007": 1, "x\\u0007": 2}}')
    assert refused.value.flaws[0].field == "x?"


def test_dates_and_instants() -> None:
    summer = timezone(timedelta(hours=1))
    assert encode([date(2024, 2, 29), datetime(2024, 7, 1, 0, 30, tzinfo=summer)]) == (
        '["2024-02-29","2024-06-30T23:30:00Z"]'
    )
    assert encode(datetime(2024, 1, 1, 0, 0, 0, 5, tzinfo=UTC)) == '"2024-01-01T00:00:00.000005Z"'
    with pytest.raises(ValueError, match="aware"):
        encode(datetime(2024, 1, 1))  # noqa: DTZ001


def test_no_exponent_and_other_forms() -> None:
    assert encode({"x": D("1E+3"), "y": D("1E-9"), "z": Colour.RED, "s": {"b", "a"}, "é": "ü"}) == (
        '{"x":1000,"y":0.000000001,"z":"red","s":["a","b"],"é":"ü"}'
    )


@pytest.mark.parametrize("value", [1.5, [0.0], {"a": float("nan")}, object(), b"bytes"])
def test_a_float_never_leaves(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@given(PLAIN)
def test_canonical_text_is_the_same_for_the_same_data(data: Any) -> None:
    again = json.loads(canonical(data), parse_float=Decimal)
    assert canonical(again) == canonical(data)


def test_canonical_text_knows_no_order_and_no_zeros() -> None:
    assert canonical({"b": D("1000.00"), "a": 1}) == canonical({"a": D("1.0"), "b": 1000})
    assert canonical({"a": "1"}) != canonical({"a": 1})
    assert canonical(D("-0.0")) == canonical(0)
    long = D("12345678901234567890.0123456789")
    assert encoding.trimmed(long) == "12345678901234567890.0123456789"
