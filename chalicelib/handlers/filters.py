"""Filters and orders of a collection, derived from its answer model: no declaration of their own.

Every scalar field of an answer is a filter by its own name, except those in :data:`NEVER`, which
must not reach a URL.  Partner API, Lists, filters, ordering.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticCustomError

from chalicelib.domain.criteria import CREATED, ORDERING, Condition, Criteria, Test, Type
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.handlers.encoding import shown_name
from chalicelib.handlers.schema import SENSITIVE, Out
from chalicelib.handlers.values import DayRule, Number, TextRule, UuidRule, Whole, flaw

NEVER = SENSITIVE
FORMAT = "format"
#: What a collection takes besides its filters and the fields of its query model.
RESERVED = frozenset({ORDERING, FORMAT})
MOST_VALUES = 100
MOST_CHARACTERS = 4000

#: Text fields that hold the id of one of our own things, whatever the resource.
IDS = frozenset(
    [
        "id",
        "application",
        "decision",
        "end_user",
        "input_source",
        "loan",
        "mandate",
        "offer",
        "product",
        "repayment",
        "reverted_by",
        "webhook_endpoint",
    ]
)
COMPARED: Mapping[Type, tuple[Test, ...]] = {
    "number": ("gte", "lte", "gt", "lt"),
    "whole": ("gte", "lte", "gt", "lt"),
    "date": ("gte", "lte", "gt", "lt"),
    "instant": ("gte", "lte", "gt", "lt"),
    "text": ("contains",),
    "choice": ("contains",),
}
#: The types that a list can be ordered by: amounts and dates.
ORDERED: frozenset[Type] = frozenset({"number", "date", "instant"})
_BY_CLASS: tuple[tuple[type, Type], ...] = (
    (bool, "flag"),
    (datetime, "instant"),
    (date, "date"),
    (Decimal, "number"),
    (int, "whole"),
    (str, "text"),
)
_SCHEMAS: Mapping[Type, Mapping[str, Any]] = {
    "id": {"type": "string", "format": "uuid"},
    "text": {"type": "string"},
    "choice": {"type": "string"},
    "number": {"type": "number"},
    "whole": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "flag": {"type": "boolean"},
}
_SAID: Mapping[Test, str] = {
    "in": "{0} is one of these (several with commas between).",
    "gte": "{0} is this or more.",
    "lte": "{0} is this or less.",
    "gt": "{0} is more than this.",
    "lt": "{0} is less than this.",
    "contains": "{0} contains this, in capitals or not.",
}
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+ -]\d\d:\d\d)", re.ASCII
)
_UNFILTERED_TEXT = TextRule(0, 500)


@dataclass(frozen=True, slots=True)
class Field:
    """A field that can be filtered by; ``choices`` are all values that it can have, if few."""

    name: str
    type: Type
    choices: tuple[str, ...] = ()

    @property
    def tests(self) -> tuple[Test, ...]:
        """What can be asked of it."""
        return ("in", *COMPARED.get(self.type, ()))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter, for the OpenAPI document; none is ever required."""

    name: str
    schema: Mapping[str, Any]
    description: str
    many: bool = False  # several values with commas between


@cache
def fields(answer: type[Out]) -> Mapping[str, Field]:
    """The fields of an answer that a collection of it can be filtered by, by name."""
    found = {
        name: _field(name, declared.annotation)
        for name, declared in answer.model_fields.items()
        if name not in NEVER | answer.secrets
    }
    return {name: one for name, one in found.items() if one is not None}


def all_fields(answer: type[Out], related: tuple[str, ...]) -> dict[str, Field]:
    """The same and the related things (``product`` of a transaction), which are ids."""
    return {**fields(answer), **{name: Field(name, "id") for name in related}}


def orders(answer: type[Out]) -> tuple[str, ...]:
    """The fields that a collection can be ordered by."""
    return tuple(name for name, one in fields(answer).items() if one.type in ORDERED)


def parameters(answer: type[Out], related: tuple[str, ...] = ()) -> Iterator[Parameter]:
    """Every filter, ``ordering`` and ``format`` of a collection."""
    for one in all_fields(answer, related).values():
        for test in one.tests:
            schema = dict(_SCHEMAS[one.type])
            if one.choices and test == "in":
                schema["enum"] = list(one.choices)
            name = one.name if test == "in" else f"{one.name}__{test}"
            yield Parameter(name, schema, _SAID[test].format(f"`{one.name}`"), test == "in")
    known = [sign + name for name in orders(answer) for sign in ("", "-")]
    if known:
        text = "The order, downwards with a hyphen; newest first unless told otherwise."
        yield Parameter(ORDERING, {"type": "string", "enum": known}, text)
    form = {"type": "string", "enum": ["json", "csv"]}
    yield Parameter(FORMAT, form, "`csv` gives the whole filtered result without pages.")


def read(answer: type[Out], related: tuple[str, ...], given: Mapping[str, str]) -> Criteria:
    """The criteria that ``given`` parameters say, or :class:`Invalid` with every bad one."""
    known = all_fields(answer, related)
    flaws: list[Flaw] = []
    conditions: list[Condition] = []
    order = Criteria()
    for name, text in given.items():
        try:
            if name == ORDERING:
                order = _order(answer, text)
            elif name != FORMAT:
                conditions.append(_condition(known, name, text))
            elif text not in ("csv", "json"):
                raise flaw("unknown_choice", "Must be csv or json.")
        except PydanticCustomError as error:
            flaws.append(Flaw(shown_name(name), error.type, error.message()))
    if flaws:
        raise Invalid(*flaws)
    return Criteria(tuple(conditions), order.field, order.type, order.descending)


def _order(answer: type[Out], text: str) -> Criteria:
    name = text.removeprefix("-")
    if name not in orders(answer):
        raise flaw("unknown_choice", f"Must be one of {', '.join(orders(answer)) or CREATED}.")
    return Criteria((), name, fields(answer)[name].type, text.startswith("-"))


def _condition(known: Mapping[str, Field], name: str, text: str) -> Condition:
    field_name, _, suffix = name.partition("__")
    one = known.get(field_name)
    test: Any = suffix if "__" in name else "in"
    if one is None or test not in one.tests or (test == "in") != ("__" not in name):
        raise flaw("unknown_field", "There is no such filter.")
    if len(text) > MOST_CHARACTERS:
        raise flaw("too_long", f"At most {MOST_CHARACTERS} characters.")
    parts = text.split(",") if test == "in" else [text]
    if len(parts) > MOST_VALUES:
        raise flaw("too_long", f"At most {MOST_VALUES} values.")
    values = tuple(_value(one, test, part.strip()) for part in parts)
    return Condition(one.name, one.type, test, values)


def _value(one: Field, test: Test, text: str) -> Any:
    if one.choices and test == "in" and text not in one.choices:
        raise flaw("unknown_choice", f"Must be one of {', '.join(one.choices)}.")
    return _PARSERS[one.type](text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise flaw("not_a_boolean", "Must be true or false.")
    return text.lower() == "true"


def _instant(text: str) -> datetime:
    """RFC 3339, or a date for the instant at which it begins in UTC.  ``+`` may come as a blank."""
    try:
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text.upper().replace(" ", "+")).astimezone(UTC)
        return datetime.combine(DayRule().read(text), time(), UTC)
    except (ValueError, OverflowError):
        raise flaw("not_an_instant", "Must be an instant, 2026-03-02T09:00:00Z.") from None


def _contains_ready(text: str) -> str:
    return str(_UNFILTERED_TEXT.read(text))


_PARSERS: Mapping[Type, Callable[[str], Any]] = {
    "id": UuidRule().read,
    "text": _contains_ready,
    "choice": _contains_ready,
    "number": Number(20, 20).read,
    "whole": lambda text: Decimal(Whole(-(2**62), 2**62).read(text)),
    "date": DayRule().read,
    "instant": _instant,
    "flag": _flag,
}


def _field(name: str, annotation: Any) -> Field | None:
    """The filter that a field's type makes; ``None`` for lists, objects and mixtures."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        options = [each for each in get_args(annotation) if each is not type(None)]
        return _field(name, options[0]) if len(options) == 1 else None
    if get_origin(annotation) is Literal:
        choices = get_args(annotation)
        whole = all(isinstance(each, str) for each in choices)
        return Field(name, "choice", choices) if whole else None
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, Enum):
        return Field(name, "choice", tuple(str(each.value) for each in annotation))
    kind = next((type_ for cls, type_ in _BY_CLASS if issubclass(annotation, cls)), None)
    if kind == "text" and name in IDS:
        kind = "id"
    return Field(name, kind) if kind else None
