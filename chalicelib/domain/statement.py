"""What a risk rule's statement is made of, and how large it may be (partner API, "Risk").

``syntax.py`` reads a text into these nodes, ``expression.py`` evaluates them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

Value: TypeAlias = Decimal | str | bool | None

MAX_SOURCE = 2_000
"""Characters of a statement."""
MAX_TOKENS = 600
"""Names, numbers, strings and signs of a statement; its tree has no more nodes than that."""
MAX_BRACKETS = 40
"""Brackets open at one time."""
MAX_DEPTH = 100
"""Levels of the tree (``1 + 1 + 1`` has three)."""
MAX_TEXT = 255
"""Characters of a string, of an input or of a result."""
MAX_DIGITS = 40
"""Significant digits of a number; every number is below 10 to this power."""
MIN_EXPONENT = -60
"""The last decimal place a number may be written with."""

INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
FUNCTIONS = {
    "min": (2, 20),
    "max": (2, 20),
    "abs": (1, 1),
    "round": (1, 2),
    "len": (1, 1),
    "lower": (1, 1),
    "upper": (1, 1),
}
"""The functions that may be called, each with the fewest and the most arguments it takes."""


class StatementError(Exception):
    """A statement that cannot be accepted.

    ``position`` is the 0-based character of the statement at which it goes wrong; ``line`` and
    ``column`` say the same, both counted from 1.
    """

    def __init__(self, message: str, position: int, source: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.line = source.count("\n", 0, position) + 1
        self.column = position - (source.rfind("\n", 0, position) + 1) + 1


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class Input:
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """``and`` / ``or`` over two or more operands."""

    word: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``first sign operand sign operand …``, as Python chains comparisons."""

    first: Node
    rest: tuple[tuple[str, Node | Group], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple or list: only ever what stands to the right of ``in``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Literal | Input | Unary | Binary | Logic | Comparison | Conditional | Call


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that was read: its text, its tree, and where each input first stands."""

    source: str
    tree: Node = field(repr=False)
    places: tuple[tuple[str, int], ...] = field(repr=False)

    @property
    def inputs(self) -> frozenset[str]:
        """Names of the input sources that the statement mentions."""
        return frozenset(name for name, _ in self.places)


def fits(number: Decimal) -> bool:
    """Whether a number is within the bounds: finite, below 10**40, at most 40 digits."""
    if not number.is_finite():
        return False
    _, digits, exponent = number.as_tuple()
    if not number:
        return MIN_EXPONENT <= int(exponent) <= MAX_DIGITS
    return (
        len(digits) <= MAX_DIGITS
        and number.adjusted() < MAX_DIGITS
        and int(exponent) >= MIN_EXPONENT
    )
