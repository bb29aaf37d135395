"""Evaluates a risk rule's statement (partner API, "Risk": statements).

Python's meaning, with exact decimal numbers: ``//`` and ``%`` floor, comparisons chain, ``and`` and
``or`` stop early and give the operand, a boolean counts 1 or 0, ``round`` rounds half to even.
Numbers have 40 significant digits and stay below 10**40; whatever would grow beyond is a failure,
not a wait, and what is too small to tell from nothing is 0.  A statement has no loops: each node of
its bounded tree is visited at most once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

from chalicelib.domain.statement import (
    INPUT_NAME,
    MAX_DIGITS,
    MAX_TEXT,
    MIN_EXPONENT,
    Binary,
    Call,
    Comparison,
    Conditional,
    Group,
    Input,
    Literal,
    Logic,
    Node,
    Statement,
    StatementError,
    Unary,
    Value,
    fits,
)
from chalicelib.domain.syntax import parse

__all__ = [
    "INPUT_NAME",
    "MAX_TEXT",
    "EvaluationError",
    "Statement",
    "StatementError",
    "Value",
    "evaluate",
    "fits",
    "parse",
]

NUMBERS = Context(
    prec=MAX_DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=MIN_EXPONENT,
    Emax=MAX_DIGITS - 1,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
MAX_POWER = 1_000
"""The largest exponent of ``**``, either way."""
MAX_PLACES = 30
"""The most decimals (or zeros) that ``round`` takes."""
ZERO = Decimal(0)
Values = Mapping[str, Value]


class EvaluationError(Exception):
    """A statement that fails on the data; ``reason`` says why, and never holds the data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def evaluate(statement: Statement, values: Values) -> Value:
    """The statement's value on ``values`` (input source's name → value).

    Raises :class:`EvaluationError`: a missing input, division by zero, a wrong type, a bound.
    """
    return _walk(statement.tree, values)


def _walk(node: Node, values: Values) -> Value:
    match node:
        case Literal():
            return node.value
        case Input():
            return _input(node.name, values)
        case Unary():
            return _unary(node.sign, _walk(node.operand, values))
        case Binary():
            return _binary(node.sign, _walk(node.left, values), _walk(node.right, values))
        case Logic():
            return _logic(node, values)
        case Comparison():
            return _comparison(node, values)
        case Conditional():
            return _walk(node.then if _walk(node.test, values) else node.otherwise, values)
        case Call():
            arguments = [_walk(argument, values) for argument in node.arguments]
            return _FUNCTIONS[node.function](arguments)


def _input(name: str, values: Values) -> Value:
    if name not in values:
        raise EvaluationError(f"the input {name} is missing")
    value = values[name]
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if isinstance(value, Decimal):
        if not fits(value):
            raise EvaluationError(f"the input {name} is a number out of bounds")
        return value
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise EvaluationError(f"the input {name} is of no known type")
    return _text(value)


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, Decimal):
        return "a number"
    return "None" if value is None else "a string"


def _number(value: Value, what: str) -> Decimal:
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    raise EvaluationError(f"{what} needs a number, not {_kind(value)}")


def _string(value: Value, what: str) -> str:
    if isinstance(value, str):
        return value
    raise EvaluationError(f"{what} needs a string, not {_kind(value)}")


def _text(value: str) -> str:
    if len(value) > MAX_TEXT:
        raise EvaluationError(f"a string is longer than {MAX_TEXT} characters")
    return value


def _whole(value: Value, what: str) -> int:
    """A whole number that Python may hold: it is below 10**40."""
    number = _number(value, what)
    if number != number.to_integral_value():
        raise EvaluationError(f"{what} needs a whole number")
    return int(number)


# --- arithmetic ----------------------------------------------------------------------------------


def _unary(sign: str, value: Value) -> Value:
    if sign == "not":
        return not value
    number = _number(value, sign)
    return _compute(lambda: NUMBERS.minus(number) if sign == "-" else NUMBERS.plus(number))


def _compute(work: Callable[[], Decimal]) -> Decimal:
    try:
        result = work()
    except DivisionByZero:
        raise EvaluationError("division by zero") from None
    except Overflow:
        raise EvaluationError(f"a number has more than {MAX_DIGITS} digits") from None
    except InvalidOperation:
        raise EvaluationError("the numbers cannot be computed within the bounds") from None
    return result if result else ZERO


def _binary(sign: str, left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str) and sign == "+":
        return _text(left + right)
    if isinstance(left, str) and sign == "*":
        return _repeat(left, right)
    if isinstance(right, str) and sign == "*":
        return _repeat(right, left)
    a, b = _number(left, sign), _number(right, sign)
    return _compute(lambda: _ARITHMETIC[sign](a, b))


def _repeat(text: str, times: Value) -> str:
    count = max(_whole(times, "repeating a string"), 0)
    if len(text) * count > MAX_TEXT:
        raise EvaluationError(f"a string is longer than {MAX_TEXT} characters")
    return text * count if text else ""


def _floor(a: Decimal, b: Decimal) -> tuple[Decimal, Decimal]:
    """Quotient and remainder as Python's ``//`` and ``%`` give them: rounded towards minus."""
    if not b:
        raise EvaluationError("division by zero")
    quotient, remainder = NUMBERS.divmod(a, b)
    if remainder and (remainder < 0) != (b < 0):
        return NUMBERS.subtract(quotient, 1), NUMBERS.add(remainder, b)
    return quotient, remainder


def _divide(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise EvaluationError("division by zero")
    return NUMBERS.divide(a, b)


def _power(a: Decimal, b: Decimal) -> Decimal:
    if b.copy_abs() > MAX_POWER:
        raise EvaluationError(f"an exponent is larger than {MAX_POWER}")
    if not b:
        return Decimal(1)
    if not a and b < 0:
        raise EvaluationError("division by zero")
    if a < 0 and b != b.to_integral_value():
        raise EvaluationError("a negative number has no such power")
    return NUMBERS.power(a, b)


_ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": NUMBERS.add,
    "-": NUMBERS.subtract,
    "*": NUMBERS.multiply,
    "/": _divide,
    "//": lambda a, b: _floor(a, b)[0],
    "%": lambda a, b: _floor(a, b)[1],
    "**": _power,
}


# --- logic and comparison ------------------------------------------------------------------------


def _logic(node: Logic, values: Values) -> Value:
    value: Value = None
    for operand in node.operands:
        value = _walk(operand, values)
        if bool(value) == (node.word == "or"):
            break
    return value


def _comparison(node: Comparison, values: Values) -> bool:
    left = _walk(node.first, values)
    for sign, operand in node.rest:
        if isinstance(operand, Group):
            found = left in [_walk(item, values) for item in operand.items]
            return found == (sign == "in")
        right = _walk(operand, values)
        if not _compare(sign, left, right):
            return False
        left = right
    return True


_ORDER: dict[str, Callable[[Decimal | str, Decimal | str], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(sign: str, left: Value, right: Value) -> bool:
    if sign in ("==", "!="):
        return (left == right) == (sign == "==")
    if sign in ("in", "not in"):
        found = _string(left, sign) in _string(right, sign)
        return found == (sign == "in")
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[sign](left, right)
    if isinstance(left, str) or isinstance(right, str):
        raise EvaluationError(f"{sign} cannot compare {_kind(left)} with {_kind(right)}")
    return _ORDER[sign](_number(left, sign), _number(right, sign))


# --- functions -----------------------------------------------------------------------------------


def _extreme(function: str, arguments: list[Value]) -> Value:
    sign = "<" if function == "min" else ">"
    best = arguments[0]
    for argument in arguments[1:]:
        if _compare(sign, argument, best):
            best = argument
    return best


def _round(arguments: list[Value]) -> Value:
    number = _number(arguments[0], "round")
    places = _whole(arguments[1], "round") if len(arguments) > 1 else 0
    if abs(places) > MAX_PLACES:
        raise EvaluationError(f"round takes at most {MAX_PLACES} places")
    if int(number.as_tuple().exponent) >= -places:
        return number
    unit = Decimal((0, (1,), -places))
    return _compute(lambda: number.quantize(unit, ROUND_HALF_EVEN, NUMBERS))


_FUNCTIONS: dict[str, Callable[[list[Value]], Value]] = {
    "min": lambda values: _extreme("min", values),
    "max": lambda values: _extreme("max", values),
    "abs": lambda values: _number(values[0], "abs").copy_abs(),
    "round": _round,
    "len": lambda values: Decimal(len(_string(values[0], "len"))),
    "lower": lambda values: _text(_string(values[0], "lower").lower()),
    "upper": lambda values: _text(_string(values[0], "upper").upper()),
}
