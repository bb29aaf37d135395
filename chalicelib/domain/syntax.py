"""Reads a risk rule's statement into a small tree (partner API, "Risk": statements).

A statement is one expression in Python's syntax over ``{{input_source}}`` names.  It is read twice
through a whitelist: first cut into tokens (numbers, strings and inputs are taken out here, exactly
as written), then the skeleton that is left goes through Python's own grammar and only the node
types below are taken over.  Nothing is ever compiled or run by Python.  Every measure of a
statement is bounded, so that neither Python's parser nor ours can be exhausted.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from chalicelib.domain.statement import (
    FUNCTIONS,
    INPUT_NAME,
    MAX_BRACKETS,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TOKENS,
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
    fits,
)


def parse(statement: str) -> Statement:
    """The statement as a tree, or :class:`StatementError` with the place of the first mistake."""
    return _parse(statement)


@lru_cache(maxsize=512)
def _parse(source: str) -> Statement:
    skeleton = _Scanner(source).scan()
    try:
        body = ast.parse(skeleton.text, mode="eval").body
    except SyntaxError as error:
        offset = (error.offset or 0) - 1
        raise StatementError(
            "This is not an expression.", skeleton.origin(offset), source
        ) from None
    except (RecursionError, MemoryError, ValueError):
        raise StatementError("The statement is nested too deeply.", 0, source) from None
    return Statement(source, _Builder(skeleton).build(body, 1), tuple(skeleton.places.items()))


# --- the first whitelist: tokens -----------------------------------------------------------------

_DIGITS = r"[0-9](?:_?[0-9])*"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<input>\{{\{{\s*(?P<name>{INPUT_NAME.pattern})\s*\}}\}})
  | (?P<number>(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>\*\*|//|<=|>=|==|!=|[-+*/%<>()\[\],])
    """,
    re.VERBOSE,
)
_WORDS = {"and", "or", "not", "in", "if", "else", "True", "False", "None", *FUNCTIONS}
_QUOTES = {"'": "'", '"': '"', "‘": "‘’", "’": "‘’", "“": "“”", "”": "“”"}
"""What opens a string, and what closes a string opened so."""
_PAIRS = {")": "(", "]": "["}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"} | {quote: quote for quote in _QUOTES}
_HEX_ESCAPE = re.compile(r"x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}")
_HINTS = {
    ".": "Attributes cannot be reached from a statement.",
    "=": "Nothing can be assigned in a statement; write == to compare.",
    ":": "Nothing with a colon (lambda, slice, dictionary) is part of the language.",
    "#": "A statement has no comments.",
    "{": "An input source is written {{name}}.",
    "}": "An input source is written {{name}}.",
}


@dataclass(slots=True)
class _Skeleton:
    """What Python's grammar is shown: every atom stands as ``_0``, ``_1``, …"""

    source: str
    pieces: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    atoms: dict[str, Node] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    length: int = 0

    @property
    def text(self) -> str:
        return " ".join(self.pieces)

    def put(self, piece: str, origin: int) -> None:
        self.pieces.append(piece)
        self.starts.append(self.length)
        self.origins.append(origin)
        self.length += len(piece) + 1

    def put_atom(self, node: Node, origin: int) -> None:
        name = f"_{len(self.atoms)}"
        self.atoms[name] = node
        self.put(name, origin)

    def origin(self, offset: int) -> int:
        """The place in the statement of a place in the skeleton; its end for anything outside."""
        if offset < 0 or offset >= self.length - 1:
            return len(self.source)
        return self.origins[bisect_right(self.starts, offset) - 1]


class _Scanner:
    """Cuts a statement into tokens; whatever is no token of the language is refused here."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.skeleton = _Skeleton(source)
        self.open: list[tuple[str, int]] = []

    def scan(self) -> _Skeleton:
        if len(self.source) > MAX_SOURCE:
            raise self.flaw(f"A statement has at most {MAX_SOURCE} characters.", MAX_SOURCE)
        at = 0
        while at < len(self.source):
            at = self.string(at) if self.source[at] in _QUOTES else self.token(at)
            if len(self.skeleton.pieces) > MAX_TOKENS:
                raise self.flaw(f"A statement has at most {MAX_TOKENS} words and signs.", at)
        if not self.skeleton.pieces:
            raise self.flaw("The statement is empty.", 0)
        if self.open:
            raise self.flaw("This bracket is never closed.", self.open[-1][1])
        return self.skeleton

    def flaw(self, message: str, at: int) -> StatementError:
        return StatementError(message, at, self.source)

    def token(self, at: int) -> int:
        match = _TOKEN.match(self.source, at)
        if match is None:
            character = self.source[at]
            message = f"{character!a} is not part of the language."
            raise self.flaw(_HINTS.get(character, message), at)
        text = match.group()
        match match.lastgroup:
            case "number":
                self.number(text, at)
            case "word":
                self.word(text, at)
            case "sign":
                self.bracket(text, at)
                self.skeleton.put(text, at)
            case "input":
                self.skeleton.put_atom(Input(match["name"]), at)
                self.skeleton.places.setdefault(match["name"], at)
        return match.end()

    def number(self, text: str, at: int) -> None:
        after = self.source[at + len(text) : at + len(text) + 1]
        zeros = text.isdigit() and text != "0" and text[0] == "0"
        if after.isalnum() or after in ("_", ".") or zeros:
            raise self.flaw("This number is malformed.", at)
        try:
            value = Decimal(text.replace("_", ""))
        except InvalidOperation:  # an exponent beyond what Decimal itself can hold
            value = Decimal("Infinity")
        if not fits(value):
            raise self.flaw(
                f"A number is below 10^{MAX_DIGITS} and has at most {MAX_DIGITS} digits and "
                f"{-MIN_EXPONENT} decimals.",
                at,
            )
        self.skeleton.put_atom(Literal(value), at)

    def word(self, text: str, at: int) -> None:
        if text not in _WORDS:
            raise self.flaw(
                f"{text[:100]} is not part of the language: an input source is written "
                f"{{{{name}}}}, a text 'text', and the functions are {', '.join(FUNCTIONS)}.",
                at,
            )
        self.skeleton.put(text, at)

    def bracket(self, text: str, at: int) -> None:
        if text in "([":
            self.open.append((text, at))
            if len(self.open) > MAX_BRACKETS:
                raise self.flaw(f"At most {MAX_BRACKETS} brackets may be open at one time.", at)
        elif text in ")]" and (not self.open or self.open.pop()[0] != _PAIRS[text]):
            raise self.flaw("This bracket closes none.", at)

    def string(self, at: int) -> int:
        """Reads the string that opens at ``at``; gives the place after it."""
        closing, text, place = _QUOTES[self.source[at]], list[str](), at + 1
        while place < len(self.source) and self.source[place] not in closing:
            character, step = self.source[place], 1
            if character == "\\":
                character, step = self.escape(place)
            if "\ud800" <= character <= "\udfff" or character == "\0":
                raise self.flaw("This character cannot stand in a text.", place)
            text.append(character)
            place += step
        if place >= len(self.source):
            raise self.flaw("This text is never closed.", at)
        if len(text) > MAX_TEXT:
            raise self.flaw(f"A text has at most {MAX_TEXT} characters.", at)
        self.skeleton.put_atom(Literal("".join(text)), at)
        return place + 1

    def escape(self, at: int) -> tuple[str, int]:
        """The character that the backslash at ``at`` stands for, and how long it is written."""
        following = self.source[at + 1 : at + 2]
        if following in _ESCAPES:
            return _ESCAPES[following], 2
        match = _HEX_ESCAPE.match(self.source, at + 1)
        if match is None or int(match.group()[1:], 16) > 0x10FFFF:
            raise self.flaw("This escape is not known.", at)
        return chr(int(match.group()[1:], 16)), len(match.group()) + 1


# --- the second whitelist: nodes -----------------------------------------------------------------

_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.UAdd: "+",
    ast.USub: "-",
    ast.Not: "not",
    ast.And: "and",
    ast.Or: "or",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}


class _Builder:
    """Takes over the whitelisted nodes of Python's tree, with the atoms put back."""

    def __init__(self, skeleton: _Skeleton) -> None:
        self.skeleton = skeleton

    def flaw(self, message: str, node: ast.expr) -> StatementError:
        place = self.skeleton.origin(node.col_offset)
        return StatementError(message, place, self.skeleton.source)

    def build(self, node: ast.expr, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.flaw(f"A statement has at most {MAX_DEPTH} levels.", node)
        make = _MAKERS.get(type(node))
        if make is None:
            raise self.flaw(f"{type(node).__name__} is not part of the language.", node)
        return make(self, node, depth + 1)

    def many(self, nodes: list[ast.expr], depth: int) -> tuple[Node, ...]:
        return tuple(self.build(node, depth) for node in nodes)

    def sign(self, operator: ast.AST, node: ast.expr) -> str:
        sign = _SIGNS.get(type(operator))
        if sign is None:
            raise self.flaw(f"{type(operator).__name__} is not part of the language.", node)
        return sign

    def constant(self, node: ast.Constant, _: int) -> Node:
        if node.value is None or isinstance(node.value, bool):
            return Literal(node.value)
        raise self.flaw("This constant is not part of the language.", node)

    def name(self, node: ast.Name, _: int) -> Node:
        atom = self.skeleton.atoms.get(node.id)
        if atom is None:
            raise self.flaw(f"{node.id} is a function: call it with its arguments.", node)
        return atom

    def unary(self, node: ast.UnaryOp, depth: int) -> Node:
        return Unary(self.sign(node.op, node), self.build(node.operand, depth))

    def binary(self, node: ast.BinOp, depth: int) -> Node:
        sign = self.sign(node.op, node)
        return Binary(sign, self.build(node.left, depth), self.build(node.right, depth))

    def logic(self, node: ast.BoolOp, depth: int) -> Node:
        return Logic(self.sign(node.op, node), self.many(node.values, depth))

    def conditional(self, node: ast.IfExp, depth: int) -> Node:
        test, then = self.build(node.test, depth), self.build(node.body, depth)
        return Conditional(test, then, self.build(node.orelse, depth))

    def comparison(self, node: ast.Compare, depth: int) -> Node:
        rest: list[tuple[str, Node | Group]] = []
        last = len(node.ops) - 1
        for index, (operator, operand) in enumerate(zip(node.ops, node.comparators, strict=True)):
            sign = self.sign(operator, node)
            if isinstance(operand, ast.Tuple | ast.List) and sign.endswith("in") and index == last:
                rest.append((sign, Group(self.many(operand.elts, depth + 1))))
            else:
                rest.append((sign, self.build(operand, depth)))
        return Comparison(self.build(node.left, depth), tuple(rest))

    def call(self, node: ast.Call, depth: int) -> Node:
        function = node.func.id if isinstance(node.func, ast.Name) else ""
        if function not in FUNCTIONS:
            raise self.flaw("Only a function can be called.", node.func)
        fewest, most = FUNCTIONS[function]
        if node.keywords or not fewest <= len(node.args) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise self.flaw(f"{function} takes {count} arguments.", node)
        return Call(function, self.many(node.args, depth))

    def group(self, node: ast.expr, _: int) -> Node:
        raise self.flaw("A list may only stand to the right of in.", node)


_MAKERS: dict[type[ast.expr], Callable[[_Builder, Any, int], Node]] = {
    ast.Constant: _Builder.constant,
    ast.Name: _Builder.name,
    ast.UnaryOp: _Builder.unary,
    ast.BinOp: _Builder.binary,
    ast.BoolOp: _Builder.logic,
    ast.IfExp: _Builder.conditional,
    ast.Compare: _Builder.comparison,
    ast.Call: _Builder.call,
    ast.Tuple: _Builder.group,
    ast.List: _Builder.group,
}
