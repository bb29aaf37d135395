"""The types of the edge: what a request may send for a value, and how an answer shows one.

Partner API, Conventions, Values.  Each rule reads a JSON number or a string, refuses everything
else with a short reason that never repeats the value, and describes itself for the OpenAPI
document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from chalicelib.handlers import encoding

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class Rule:
    """A value's rule: :meth:`read` takes what came, :meth:`schema` is its JSON Schema."""

    def read(self, value: Any) -> Any:
        """The value in its own type, or ``PydanticCustomError``."""
        raise NotImplementedError

    def schema(self) -> JsonSchemaValue:
        """What the OpenAPI document says of it."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.schema()


def flaw(code: str, message: str) -> PydanticCustomError:
    """A refusal of one value; ``message`` must not hold the value."""
    return PydanticCustomError(code, message.replace("{", "(").replace("}", ")"))


@dataclass(frozen=True)
class Number(Rule):
    """An exact decimal, sent as a number or a plain string (``1000``, ``"1000.00"``).

    ``whole_digits`` and ``places`` bound it on both sides of the point; ``above`` is exclusive.
    """

    whole_digits: int
    places: int
    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None

    def read(self, value: Any) -> Decimal:
        number = _number(value)
        if number.adjusted() >= self.whole_digits and number:
            raise flaw("too_large", f"At most {self.whole_digits} digits before the point.")
        if _places(number) > self.places:
            raise flaw("too_many_decimals", f"At most {self.places} decimals.")
        if self.at_least is not None and number < self.at_least:
            raise flaw("too_small", f"Must be {self.at_least} or more.")
        if self.above is not None and number <= self.above:
            raise flaw("too_small", f"Must be more than {self.above}.")
        if self.at_most is not None and number > self.at_most:
            raise flaw("too_large", f"Must be {self.at_most} or less.")
        return number if number else _ZERO

    def schema(self) -> JsonSchemaValue:
        number: dict[str, Any] = {"type": "number"}
        beyond = 10**self.whole_digits
        if self.at_least is not None:
            number["minimum"] = int(self.at_least)
        else:
            number["exclusiveMinimum"] = -beyond if self.above is None else int(self.above)
        if self.at_most is not None:
            number["maximum"] = int(self.at_most)
        else:
            number["exclusiveMaximum"] = beyond
        return {"anyOf": [number, {"type": "string", "pattern": self._pattern()}]}

    def _pattern(self) -> str:
        """What the same looks like as a string; its upper bound is said by the number."""
        whole, places = self.whole_digits, self.places
        if self.above is None:
            sign = "-?" if self.at_least is None else ""
            return rf"^{sign}[0-9]{{1,{whole}}}(\.[0-9]{{1,{places}}})?$"
        large = rf"[1-9][0-9]{{0,{whole - 1}}}(\.[0-9]{{1,{places}}})?"
        small = rf"0\.[0-9]{{0,{places - 1}}}[1-9]0{{0,{places}}}"
        return rf"^({large}|{small})$"


@dataclass(frozen=True)
class Whole(Rule):
    """An integer, sent as a number or a string (``7``, ``"7"``, ``7.0``)."""

    at_least: int = 0
    at_most: int = 2**31 - 1

    def read(self, value: Any) -> int:
        if isinstance(value, str) and not _WHOLE.fullmatch(value):
            raise flaw("not_an_integer", "Must be a whole number.")
        number = _number(value)
        if _places(number) > 0 or number.adjusted() > 18:
            raise flaw("not_an_integer", "Must be a whole number.")
        if number < self.at_least:
            raise flaw("too_small", f"Must be {self.at_least} or more.")
        if number > self.at_most:
            raise flaw("too_large", f"Must be {self.at_most} or less.")
        return int(number)

    def schema(self) -> JsonSchemaValue:
        number = {"type": "integer", "minimum": self.at_least, "maximum": self.at_most}
        sign = "-?" if self.at_least < 0 else ""
        digits = len(str(self.at_most))
        pattern = rf"^{sign}[0-9]{{1,{digits}}}$"
        if self.at_least > 0:
            pattern = rf"^[1-9][0-9]{{0,{digits - 1}}}$"
        return {"anyOf": [number, {"type": "string", "pattern": pattern}]}


@dataclass(frozen=True)
class TextRule(Rule):
    """A string of ``at_least`` to ``at_most`` characters, without control characters.

    Blanks around it are taken off before it is measured. ``lines`` lets tabs and line ends through.
    """

    at_least: int = 1
    at_most: int = 255
    pattern: str | None = None
    hint: str = "Has the wrong form."
    lines: bool = False

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise flaw("not_a_string", "Must be a string.")
        text = value.strip()
        allowed = "\t\n\r" if self.lines else ""
        if any((ord(char) < 32 or 127 <= ord(char) < 160) and char not in allowed for char in text):
            raise flaw("control_character", "Must not hold control characters.")
        if len(text) < self.at_least:
            message = "Must not be empty." if not text else f"At least {self.at_least} characters."
            raise flaw("too_short", message)
        if len(text) > self.at_most:
            raise flaw("too_long", f"At most {self.at_most} characters.")
        if self.pattern is not None and not re.fullmatch(self.pattern, text, re.ASCII):
            raise flaw("wrong_form", self.hint)
        return text

    def schema(self) -> JsonSchemaValue:
        text: dict[str, Any] = {"type": "string", "minLength": self.at_least}
        text["maxLength"] = self.at_most
        if self.pattern is not None:
            text["pattern"] = f"^(?:{self.pattern})$"
        return text


class DayRule(Rule):
    """``YYYY-MM-DD`` and nothing else."""

    def read(self, value: Any) -> date:
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise flaw("not_a_date", "Must be a date, YYYY-MM-DD.")

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "format": "date"}


class UuidRule(Rule):
    """A UUID string, made lower case."""

    def read(self, value: Any) -> str:
        found = uuid_text(value) if isinstance(value, str) else None
        if found is None:
            raise flaw("not_a_uuid", "Must be a UUID.")
        return found

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "format": "uuid"}


class FlagRule(Rule):
    """``true`` or ``false``, or one of them as a string (a query has nothing else)."""

    def read(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        raise flaw("not_a_boolean", "Must be true or false.")

    def schema(self) -> JsonSchemaValue:
        return {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}


class ObjectRule(Rule):
    """Any JSON object, kept as it is; its numbers stay exact."""

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise flaw("not_an_object", "Must be an object.")
        return value

    def schema(self) -> JsonSchemaValue:
        return {"type": "object", "additionalProperties": True}


def uuid_text(text: str) -> str | None:
    """The canonical lower-case form of a UUID, or None."""
    lowered = text.lower()
    return lowered if _UUID.fullmatch(lowered) else None


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise flaw("not_a_number", "Must be a number.")
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value):
        raise flaw("not_a_number", "Must be a number.")
    number = Decimal(value)
    if not number.is_finite():
        raise flaw("not_a_number", "Must be a number.")
    return number


def _places(number: Decimal) -> int:
    """Decimals that matter: ``1.500`` has one."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0 or not number:
        return 0
    digits = "".join(map(str, number.as_tuple().digits))
    return max(0, -exponent - (len(digits) - len(digits.rstrip("0"))))


_ZERO = Decimal(0)

#: Money of zero or more, and of more than zero: at most 12 digits before the point and 2 after.
Money = Annotated[Decimal, Number(12, 2, at_least=_ZERO)]
PositiveMoney = Annotated[Decimal, Number(12, 2, above=_ZERO)]
#: Annual percentage: 5 is 5 %.
Rate = Annotated[Decimal, Number(4, 6, at_least=_ZERO, at_most=Decimal(1000))]
#: A share of a whole in percent.
Percent = Annotated[Decimal, Number(3, 6, at_least=_ZERO, at_most=Decimal(100))]
#: A weight, a threshold or a value of risk rules; may be negative.
Exact = Annotated[Decimal, Number(20, 10)]
Count = Annotated[int, Whole()]
Day = Annotated[date, DayRule()]
Uuid = Annotated[str, UuidRule()]
Flag = Annotated[bool, FlagRule()]
Text = Annotated[str, TextRule()]
LongText = Annotated[str, TextRule(0, 2000, lines=True)]
JsonObject = Annotated[dict[str, Any], ObjectRule()]


def money(amount: Decimal) -> Decimal:
    """``amount`` as it is shown: rounded half up to exactly 2 decimals, zero without a sign."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP) + Decimal("0.00")


def plain(number: Decimal) -> Decimal:
    """``number`` without the zeros that say nothing: ``5.00`` -> ``5``, ``1E+3`` -> ``1000``."""
    return Decimal(encoding.trimmed(number))


MoneyOut = Annotated[
    Decimal,
    PlainSerializer(money, return_type=Decimal),
    WithJsonSchema({"type": "number", "format": "decimal", "examples": [Decimal("1000.00")]}),
]
MoneyText = Annotated[
    Decimal,
    PlainSerializer(lambda amount: format(money(amount), "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["1000.00"]}),
]
RateOut = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=Decimal),
    WithJsonSchema({"type": "number", "format": "decimal", "examples": [10]}),
]
RateText = Annotated[
    Decimal,
    PlainSerializer(lambda rate: format(plain(rate), "f"), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["10"]}),
]
CountText = Annotated[
    int,
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["4"]}),
]
Instant = datetime
