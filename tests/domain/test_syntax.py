"""What a statement may not be: mistakes, forbidden constructs and excess, each with its place."""

from __future__ import annotations

import time

import pytest

from chalicelib.domain.statement import (
    MAX_BRACKETS,
    MAX_DEPTH,
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TOKENS,
    StatementError,
)
from chalicelib.domain.syntax import parse


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("", 0),
        (" \n ", 0),
        ("1 +", 3),
        ("1 + * 2", 4),
        ("1 if 2", 0),
        ("(1 + 2", 0),
        ("1 + 2)", 5),
        ("(1]", 2),
        ("'abc", 0),
        ("1 == ‘abc'", 5),
        ("{{a}} {{b}}", 6),
        ("{{}}", 0),
        ("1 + {{a b}}", 4),
        ("{{1a}}", 0),
        ("{{größe}}", 0),
        ("1 + {{a", 4),
        ("{a}", 0),
        ("1 2", 2),
        ("1x", 0),
        ("1.5.2", 0),
        ("007", 0),
        ("0x10", 0),
        ("1j", 0),
        ("x", 0),
        ("1 + ü", 4),
        ("ｍin(1, 2)", 0),
        ("\0", 0),
        ("1 + \0", 4),
        ("'a\0'", 2),
        (r"'\ud800'", 1),
        (r"'\N{BULLET}'", 1),
        ("\ud800", 0),
        ("'\ud800'", 1),
        ("'a' 'b'", 4),
        ("'''a'''", 2),
        ("f'{{a}}'", 0),
        ("b'a'", 0),
        ("1 # comment", 2),
        ("1; 2", 1),
        ("a := 1", 0),
        ("({{a}} := 1)", 7),
        ("{{a}} = 1", 6),
        ("1 is 1", 2),
        ("lambda: 1", 0),
        ("[x for x in (1, 2)]", 1),
        ("{1: 2}", 0),
        ("{1, 2}", 0),
        ("~1", 0),
        ("1 & 2", 2),
        ("1 << 2", 3),
        ("1 @ 2", 2),
        ("...", 0),
        ("`1`", 0),
        ("1\\\n+2", 1),
        ("await 1", 0),
        ("yield", 0),
        ("_0", 0),
        ("1 + _0", 4),
        # attributes, subscripts, calls
        ("().__class__", 2),
        ("().__class__.__bases__[0].__subclasses__()", 2),
        ("{{a}}.real", 5),
        ("'a'.upper()", 3),
        ("{{a}}[0]", 0),
        ("'abc'[0]", 0),
        ("[1, 2][0]", 0),
        ("__import__('os')", 0),
        ("open('/etc/passwd')", 0),
        ("eval('1')", 0),
        ("{{a}}(1)", 0),
        ("1(2)", 0),
        ("min(1, 2)(3)", 0),
        ("(min)", 1),
        ("min + 1", 0),
        ("min(1)", 0),
        ("1 + abs()", 4),
        ("round(1, 2, 3)", 0),
        ("min(*(1, 2))", 0),
        ("max(1, 2, key=abs)", 10),
        # tuples and lists only to the right of in
        ("(1, 2)", 0),
        ("1, 2", 0),
        ("[]", 0),
        ("len([1])", 4),
        ("(1, 2) in (1, 2)", 0),
        ("1 == (1, 2)", 5),
        ("1 in (1, 2) == True", 5),
        ("1 in [1, (2, 3)]", 9),
        ("2 in [*(1, 2)]", 6),
        # numbers out of bounds
        ("1e999999999", 0),
        ("1 + 1e40", 4),
        ("1e-61", 0),
        ("1e" + "9" * 500, 0),
        ("9" * 41, 0),
        ("9" * MAX_SOURCE, 0),
    ],
)
def test_a_mistake_or_a_forbidden_construct_is_refused_with_its_position(
    statement: str, position: int
) -> None:
    with pytest.raises(StatementError) as caught:
        parse(statement)
    assert caught.value.position == position, caught.value.message
    assert caught.value.message.endswith(".")


def test_a_position_is_also_a_line_and_a_column() -> None:
    with pytest.raises(StatementError) as caught:
        parse("1 +\n2 +\n  x")
    assert (caught.value.position, caught.value.line, caught.value.column) == (10, 3, 3)


@pytest.mark.parametrize(
    "statement",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "(" * (MAX_BRACKETS + 1) + "1" + ")" * (MAX_BRACKETS + 1),
        "[" * 900,
        "-" * (MAX_TOKENS - 1) + "1",
        "-" * 1_900 + "1",
        "not " * 450 + "1",
        "+".join("1" * (MAX_DEPTH + 1)),
        "**".join("1" * 250),
        "1 if 1 else " * 140 + "1",
        "abs(" * 41 + "1" + ")" * 41,
        "1 in " * 390 + "1" + " and" * 10,
        "1" + " " * MAX_SOURCE,
        "'" + "a" * (MAX_TEXT + 1) + "'",
        "1 in (" + "1," * 700 + ")",
        "{{a}}" * 390,
    ],
)
def test_what_is_too_long_or_too_deep_is_refused_at_once(statement: str) -> None:
    began = time.perf_counter()
    with pytest.raises(StatementError):
        parse(statement)
    assert time.perf_counter() - began < 1
