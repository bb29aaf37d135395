from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, ClassVar, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.models import codec
from chalicelib.models.codec import CodecError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Pair(NamedTuple):
    when: date
    amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fee:
    name: str
    amount: Decimal = Decimal("0")


@dataclass(frozen=True, slots=True)
class Note:
    text: str


@dataclass(frozen=True, slots=True)
class Tree:
    name: str
    branches: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class Everything:
    text: str
    amount: Decimal
    day: date
    at: datetime
    colour: Colour
    size: Size
    yes: bool
    number: int
    kind: Literal["flat", "percent"]
    maybe: Decimal | None
    maybe_day: date | None
    fees: tuple[Fee, ...]
    amounts: list[Decimal]
    fixed: tuple[str, Decimal]
    by_name: dict[str, Fee]
    by_day: Mapping[date, int]
    by_number: dict[int, Decimal]
    tags: frozenset[str]
    pair: Pair
    pairs: tuple[Pair, ...]
    entry: Fee | Note
    maybe_entry: Fee | Note | None
    value: bool | int | Decimal | str | None
    free: dict[str, Any]
    tree: Tree
    short: str = field(default="", metadata={"key": "s"})
    late: Decimal = Decimal("1.50")
    lots: tuple[Fee, ...] = ()
    box: dict[str, Any] = field(default_factory=dict)


decimals = st.decimals(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec=None), max_size=12)
plain = st.one_of(
    st.none(), st.booleans(), st.integers(), decimals, texts, st.sampled_from(["$", "$decimal"])
)
keys = st.one_of(texts, st.sampled_from(["$", "$decimal", "$$decimal", "$$"]))
free = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
fees = st.builds(Fee, texts, decimals)
pairs = st.builds(Pair, st.dates(), decimals)
entries = fees | st.builds(Note, texts)
trees = st.recursive(
    st.builds(Tree, texts),
    lambda inner: st.builds(Tree, texts, st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)
everything = st.builds(
    Everything,
    text=texts,
    amount=decimals,
    day=st.dates(),
    at=st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0)),
    colour=st.sampled_from(Colour),
    size=st.sampled_from(Size),
    yes=st.booleans(),
    number=st.integers(),
    kind=st.sampled_from(["flat", "percent"]),
    maybe=st.none() | decimals,
    maybe_day=st.none() | st.dates(),
    fees=st.lists(fees, max_size=3).map(tuple),
    amounts=st.lists(decimals, max_size=3),
    fixed=st.tuples(texts, decimals),
    by_name=st.dictionaries(texts, fees, max_size=2),
    by_day=st.dictionaries(st.dates(), st.integers(), max_size=2),
    by_number=st.dictionaries(st.integers(), decimals, max_size=2),
    tags=st.frozensets(texts, max_size=3),
    pair=pairs,
    pairs=st.lists(pairs, max_size=2).map(tuple),
    entry=entries,
    maybe_entry=st.none() | entries,
    value=plain,
    free=st.dictionaries(keys, free, max_size=3),
    tree=trees,
    short=texts,
    late=decimals | st.just(Decimal("1.5")),
    lots=st.just(()) | st.lists(fees, max_size=2).map(tuple),
    box=st.just({}) | st.dictionaries(keys, free, max_size=3),
)


def shape(value: Any) -> Any:
    """A value with its types and exponents spelt out: equality that ``1 == True`` cannot fool."""
    if isinstance(value, Mapping):
        return {repr(key): shape(item) for key, item in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        names = type(value).__dataclass_fields__
        return [type(value).__name__, *(shape(getattr(value, name)) for name in names)]
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(shape, value)]
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return repr(value)


@settings(max_examples=60, deadline=None)
@given(everything)
def test_what_is_written_is_read_again_to_the_last_exponent(value: Everything) -> None:
    text = codec.dumps(value)
    text.encode()  # always something that UTF-8 can carry
    assert shape(codec.loads(Everything, text)) == shape(value)


@settings(max_examples=150, deadline=None)
@given(free)
def test_free_json_data_keeps_decimals_and_integers_apart(value: Any) -> None:
    assert shape(codec.loads_json(codec.dumps_json(value))) == shape(value)


def test_the_wire_is_small_and_readable() -> None:
    @dataclass(frozen=True)
    class Small:
        id: str
        amount: Decimal = Decimal(0)
        status: str = field(default="new", metadata={"key": "s"})
        day: date | None = None

    assert codec.dumps(Small("1")) == '{"id":"1"}'
    full = Small("1", Decimal("1.50"), "é", date(2024, 2, 29))
    assert codec.dumps(full) == '{"id":"1","amount":"1.50","s":"é","day":"2024-02-29"}'


def test_a_value_that_only_equals_its_default_is_written() -> None:
    @dataclass(frozen=True)
    class Loose:
        value: Any = 1
        amount: Decimal = Decimal("0")
        many: tuple[Any, ...] = (1,)

    text = codec.dumps(Loose(True, Decimal("0.00"), (True,)))
    assert shape(codec.loads(Loose, text)) == shape(Loose(True, Decimal("0.00"), (True,)))
    assert codec.dumps(Loose()) in ("{}", '{"value":1}')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", 1.5),
        ("amount", 1),
        ("amount", Decimal("NaN")),
        ("amount", Decimal("Infinity")),
        ("free", {"a": [{"b": 1.5}]}),
        ("free", {1: "one"}),
        ("free", {"when": date(2024, 1, 1)}),
        ("value", 0.1),
        ("number", True),
        ("number", 1.0),
        ("yes", 1),
        ("text", 5),
        ("day", datetime(2024, 1, 1, tzinfo=UTC)),
        ("at", datetime(2024, 1, 1)),  # noqa: DTZ001
        ("colour", "red"),
        ("kind", "odd"),
        ("fees", [Fee("a")]),
        ("fees", (Note("a"),)),
        ("fixed", ("a",)),
        ("entry", Tree("a")),
        ("amounts", None),
    ],
)
def test_what_the_field_cannot_hold_is_refused_without_showing_it(name: str, value: Any) -> None:
    with pytest.raises(CodecError) as caught:
        codec.dumps(_sample(**{name: value}))
    assert f"Everything.{name}" in str(caught.value)
    if value is not None and not isinstance(value, bool | int):
        assert str(value) not in str(caught.value)


def test_another_zone_is_the_same_instant_in_utc() -> None:
    there = datetime(2024, 6, 1, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    again = codec.loads(Everything, codec.dumps(_sample(at=there)))
    assert again.at == there
    assert again.at.utcoffset() == timedelta(0)


def test_old_code_reads_new_documents_and_new_code_old_ones() -> None:
    assert codec.loads(Fee, '{"name":"a","colour":{"new":[1]}}') == Fee("a")
    assert codec.loads(Pair_holder, '{"pair":["2024-01-01"]}').pair == Pair(date(2024, 1, 1))
    longer = codec.loads(Pair_holder, '{"pair":["2024-01-01","2","more"]}')
    assert longer.pair == Pair(date(2024, 1, 1), Decimal(2))


def test_a_strict_class_refuses_unknown_keys() -> None:
    with pytest.raises(CodecError, match="Strict"):
        codec.loads(Strict, '{"a":"1","b":2}')


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"name":"a","amount":"x"}', '{"name":"a","amount":{}}', "NaN", "{"],
)
def test_a_text_of_something_else_says_what_is_wrong_but_not_the_value(text: str) -> None:
    with pytest.raises(CodecError, match="Fee"):
        codec.loads(Fee, text)


def test_a_wrong_value_is_not_in_the_error_or_its_cause() -> None:
    with pytest.raises(CodecError) as caught:
        codec.loads(Pair_holder, '{"pair":["1999-99-77"]}')
    assert "1999" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_json_numbers_are_never_floats() -> None:
    assert shape(codec.loads_json("[1.10,1,1e2]")) == shape([Decimal("1.10"), 1, Decimal("1e2")])
    with pytest.raises(ValueError, match="NaN"):
        codec.loads_json("[NaN]")


def test_types_without_a_way_to_be_stored_are_noticed_at_once() -> None:
    @dataclass(frozen=True)
    class Bad:
        weight: float

    @dataclass(frozen=True)
    class Torn:
        either: date | Decimal

    @dataclass(frozen=True)
    class Twice:
        a: str = field(metadata={"key": "x"})
        x: str

    for value in (Bad(1), Torn(Decimal(1)), Twice("a", "b"), "text"):
        with pytest.raises(CodecError):
            codec.dumps(value)


def test_a_lone_surrogate_survives() -> None:
    text = codec.dumps(Note("\ud800 é"))
    assert text.isascii()
    assert codec.loads(Note, text) == Note("\ud800 é")


@given(st.dictionaries(st.text(string.ascii_letters), st.integers()))
def test_plain_data_is_plain_json(data: dict[str, int]) -> None:
    assert json.loads(codec.dumps_json(data)) == data


@dataclass(frozen=True)
class Pair_holder:
    pair: Pair


@dataclass(frozen=True)
class Strict:
    codec_strict: ClassVar[bool] = True
    a: str


def _sample(**changes: Any) -> Everything:
    values: dict[str, Any] = {
        "text": "t",
        "amount": Decimal(1),
        "day": date(2024, 1, 1),
        "at": datetime(2024, 1, 1, tzinfo=UTC),
        "colour": Colour.RED,
        "size": Size.SMALL,
        "yes": True,
        "number": 1,
        "kind": "flat",
        "maybe": None,
        "maybe_day": None,
        "fees": (),
        "amounts": [],
        "fixed": ("a", Decimal(1)),
        "by_name": {},
        "by_day": {},
        "by_number": {},
        "tags": frozenset(),
        "pair": Pair(date(2024, 1, 1)),
        "pairs": (),
        "entry": Note("n"),
        "maybe_entry": None,
        "value": 1,
        "free": {},
        "tree": Tree("t"),
    }
    return Everything(**values | changes)
