"""The statement language of risk rules: what it means, what it refuses, and that it always ends."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.expression import (
    EvaluationError,
    StatementError,
    Value,
    evaluate,
    fits,
    parse,
)
from chalicelib.domain.statement import MAX_BRACKETS, MAX_DEPTH, MAX_TEXT

D = Decimal
WIDE = Context(prec=200)
words = str.split


def run(statement: str, **values: Value) -> Value:
    return evaluate(parse(statement), values)


def same(found: Value, wanted: Value) -> bool:
    """Equal and of one kind: True is not 1 here."""
    return type(found) is type(wanted) and found == wanted


# --- what it means -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "values", "wanted"),
    [
        ("1000 if {{boolean_input_source}} else 0", {"boolean_input_source": True}, D(1000)),
        ("1000 if {{boolean_input_source}} else 0", {"boolean_input_source": False}, D(0)),
        ("(100 * {{float_input_source}})/365", {"float_input_source": D("36.5")}, D(10)),
        (
            "500 if {{str_input_source}} == ‘test’ else 100",
            {"str_input_source": "test"},
            D(500),
        ),
        (
            "500 if {{str_input_source}} == ‘test’ else 100",
            {"str_input_source": "Test"},
            D(100),
        ),
    ],
)
def test_the_documented_examples(statement: str, values: dict[str, Value], wanted: Decimal) -> None:
    assert same(evaluate(parse(statement), values), wanted)


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        # exact decimal arithmetic
        ("0.1 + 0.2", D("0.3")),
        ("0.1 * 3 == 0.3", True),
        ("1_000.50", D("1000.50")),
        ("1e3", D(1000)),
        (".5 + 1.", D("1.5")),
        ("12345678901234567890123456789012345678 + 1", D("12345678901234567890123456789012345679")),
        ("1 / 3", D("0." + "3" * 40)),
        ("2 / 3", D("0." + "6" * 39 + "7")),
        ("2 - -3", D(5)),
        ("+True", D(1)),
        ("-0", D(0)),
        ("2 + 3 * 4 ** 2 / 8", D(8)),
        ("-2 ** 2", D(-4)),
        ("2 ** -1", D("0.5")),
        ("0 ** 0", D(1)),
        ("(-2) ** 3", D(-8)),
        # floors, as Python does
        ("7 // 2", D(3)),
        ("-7 // 2", D(-4)),
        ("7 // -2", D(-4)),
        ("-7 % 2", D(1)),
        ("7 % -2", D(-1)),
        ("-6 % 3", D(0)),
        ("7.5 % 2", D("1.5")),
        # a boolean counts 1 or 0
        ("True + True", D(2)),
        ("True == 1", True),
        ("(2 > 1) * 5", D(5)),
        # comparison, chained
        ("1 < 2 < 3", True),
        ("3 > 2 > 2", False),
        ("1 != 2 == 2", True),
        ("1 == '1'", False),
        ("None == None", True),
        ("None != 0", True),
        ("'a' < 'b'", True),
        ("False <= True", True),
        # and, or, not stop early and give the operand
        ("1 or 1 / 0", D(1)),
        ("0 and 1 / 0", D(0)),
        ("0 or 'x'", "x"),
        ("'' or None", None),
        ("1 and 2 and 3", D(3)),
        ("not 0", True),
        ("not'a'", False),
        ("1 > 2 and 1 / 0 or 5", D(5)),
        ("5 > 2 > 9 > 1 / 0", False),
        # conditional expressions evaluate one arm
        ("1 if True else 1 / 0", D(1)),
        ("1 / 0 if '' else 2 if None else 3", D(3)),
        # in
        ("'b' in 'abc'", True),
        ("'x' not in 'abc'", True),
        ("2 in (1, 2)", True),
        ("'GB' in ['GB', 'IE']", True),
        ("3 not in [1, 2]", True),
        ("1 in ()", False),
        ("None in (None,)", True),
        ("1 < 2 in (2, 3)", True),
        # the functions
        ("min(3, 1, 2)", D(1)),
        ("max('a', 'b')", "b"),
        ("abs(-1.5)", D("1.5")),
        ("round(2.5)", D(2)),
        ("round(3.5)", D(4)),
        ("round(2.675, 2)", D("2.68")),
        ("round(1250, -2)", D(1200)),
        ("round(7, 2)", D(7)),
        ("len('abc')", D(3)),
        ("lower('ABC')", "abc"),
        ("upper('straße')", "STRASSE"),
        # strings
        ("'ab' + \"cd\"", "abcd"),
        ("'ab' * 2", "abab"),
        ("3 * 'a'", "aaa"),
        ("'a' * -1", ""),
        (r"'it\'s'", "it's"),
        (r"'\x41\u00e9\n'", "Aé\n"),
        ("“a”", "a"),
        ("‘it's’", "it's"),
        ("'it’s'", "it’s"),
        ("'{{a}}'", "{{a}}"),
        ("'# : = . lambda'", "# : = . lambda"),
        # layout
        ("  1\n + \t2\u00a0", D(3)),
    ],
)
def test_a_statement_means_what_it_means_in_python(statement: str, wanted: Value) -> None:
    assert same(run(statement), wanted)


def test_inputs_are_named_between_braces() -> None:
    statement = parse("{{a}} + {{ b }} * {{a}} if {{\tclass }} else '{{no}}'")
    assert statement.inputs == {"a", "b", "class"}
    assert statement.source.startswith("{{a}}")
    assert dict(statement.places) == {"a": 0, "b": 8, "class": 27}
    assert evaluate(statement, {"a": D(2), "b": D(3), "class": True}) == 8


def test_none_is_a_value_that_a_statement_may_ask_for() -> None:
    assert run("0 if {{age}} == None else {{age}}", age=None) == 0


# --- the bounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("(" * MAX_BRACKETS + "1" + ")" * MAX_BRACKETS, D(1)),
        ("+".join("1" * MAX_DEPTH), D(MAX_DEPTH)),
        ("-" * (MAX_DEPTH - 1) + "1", D(-1)),
        ("1 in (" + "0," * 290 + "1)", True),
        ("9" * 40, D("9" * 40)),
        ("len('" + "a" * MAX_TEXT + "')", D(MAX_TEXT)),
    ],
)
def test_what_is_just_within_the_bounds_works(statement: str, wanted: Value) -> None:
    assert same(run(statement), wanted)


def test_the_deepest_statement_works_on_a_deep_stack_and_in_a_small_thread() -> None:
    statement, found = "-" * (MAX_DEPTH - 1) + "{{a}}", list[Value]()
    size = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(run(statement, a=D(1))))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert found == [D(-1)]

    def descend(levels: int) -> Value:
        return run(statement, a=D(2)) if levels == 0 else descend(levels - 1)

    assert descend(sys.getrecursionlimit() // 3) == D(-2)


# --- what fails on the data ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("1 / 0", "division by zero"),
        ("1 // 0", "division by zero"),
        ("1 % 0.0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("0 / 0", "division by zero"),
        ("(-8) ** 0.5", "no such power"),
        ("1 + 'a'", "needs a number"),
        ("None + 1", "needs a number"),
        ("-'a'", "needs a number"),
        ("'a' - 'b'", "needs a number"),
        ("'%s' % 1", "needs a number"),
        ("1 < 'a'", "cannot compare"),
        ("None < 1", "needs a number"),
        ("min(1, 'a')", "cannot compare"),
        ("1 in 'abc'", "needs a string"),
        ("'a' in 1", "needs a string"),
        ("len(5)", "needs a string"),
        ("lower(None)", "needs a string"),
        ("abs('a')", "needs a number"),
        ("round(1, 0.5)", "whole number"),
        ("round(1, 31)", "places"),
        ("{{absent}}", "the input absent is missing"),
        # bounds
        ("9 ** 9 ** 9", "exponent"),
        ("9**9**9**9", "exponent"),
        ("9 ** 999", "digits"),
        ("1.5 ** 999.5", "digits"),
        ("10 ** 39 * 10", "digits"),
        ("9999999999999999999999999999999999999999 + 1", "digits"),
        ("1e39 // 1e-30", "bounds"),
        ("'a' * 10 ** 9", "longer than"),
        ("'a' * 1e39", "longer than"),
        ("'a' * 0.5", "whole number"),
        ("'a' * 200 + 'a' * 200", "longer than"),
        ("upper('ß' * 200)", "longer than"),
    ],
)
def test_a_failure_on_the_data_has_a_reason(statement: str, reason: str) -> None:
    began = time.perf_counter()
    with pytest.raises(EvaluationError, match=reason):
        run(statement)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "value", [D("1e40"), D("NaN"), D("Infinity"), D("1e-61"), D("1" * 41), "a" * 256, 1.5, b"a"]
)
def test_an_input_out_of_bounds_fails(value: Value) -> None:
    with pytest.raises(EvaluationError):
        run("{{a}}", a=value)


def test_a_reason_never_holds_the_data() -> None:
    for statement in ("{{a}} + 1", "1 < {{a}}", "round({{a}})", "{{a}} * 300", "-{{a}}"):
        with pytest.raises(EvaluationError) as caught:
            run(statement, a="private")
        assert "private" not in caught.value.reason


def test_the_callers_decimal_context_has_no_say() -> None:
    with localcontext() as context:
        context.prec = 3
        assert run("1 / 3") == D("0." + "3" * 40)
        assert run("123456 + 0.5") == D("123456.5")
        assert run("12345.678 ** 1 // 1") == D(12345)
        assert run("round(12345.675, 2)") == D("12345.68")


# --- properties ----------------------------------------------------------------------------------

NAMES = ("a", "b", "s")
VALUES: dict[str, Value] = {"a": D("12.5"), "b": True, "s": "text"}
TOKENS = [
    *words("+ - * / // % ** ( ) [ ] , < > <= >= == != and or not in if else True False None"),
    *words("min( max( abs( round( len( lower( upper( {{a}} {{b}} {{s}} {{c}} 0 1 2 9 0.1 1e39"),
    *words("'' 'a' “x” 1e-60 999 . : = { } x lambda _0 \0 \\ # ‘ é"),
]


def expressions() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(
        ["0", "1", "2", "7", "0.1", "12.5", "1e39", "1e-60", "999", "'a'", "''", "True", "None"]
        + [f"{{{{{name}}}}}" for name in NAMES]
    )
    signs = st.sampled_from([*words("+ - * / // % ** < > <= >= == != in and or"), "not in"])

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, signs, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
            st.tuples(st.sampled_from(["-", "+", "not "]), inner).map(lambda t: f"({t[0]}{t[1]})"),
            st.tuples(st.sampled_from(["abs", "len", "lower", "round"]), inner).map(
                lambda t: f"{t[0]}({t[1]})"
            ),
            st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
                lambda t: f"{t[0]}({t[1]}, {t[2]})"
            ),
            st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} in ({t[1]}, {t[2]}))"),
        )

    return st.recursive(leaves, grow, max_leaves=25)


def ends_well(text: str) -> None:
    """Reads and evaluates: a bounded value, one of the two errors, nothing else, and soon."""
    began = time.perf_counter()
    try:
        value = run(text, **VALUES)
    except StatementError as error:
        assert 0 <= error.position <= len(text)
    except EvaluationError as error:
        assert error.reason
    else:
        assert value is None or isinstance(value, bool | str | Decimal)
        assert not isinstance(value, Decimal) or fits_loosely(value)
        assert not isinstance(value, str) or len(value) <= MAX_TEXT
    assert time.perf_counter() - began < 1


def fits_loosely(value: Decimal) -> bool:
    """Results may have more decimals than what is written, but no more digits."""
    digits = value.as_tuple().digits
    return value.is_finite() and len(digits) <= 40 and value.adjusted() < 40


@given(expressions())
@settings(max_examples=400, deadline=None)
def test_every_expression_ends_within_its_bounds(text: str) -> None:
    ends_well(text)


@given(st.lists(st.sampled_from(TOKENS), max_size=60), st.sampled_from(["", " "]))
@settings(max_examples=400, deadline=None)
def test_every_heap_of_tokens_ends(tokens: list[str], between: str) -> None:
    ends_well(between.join(tokens))


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_every_text_ends(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ends_well(text)


@given(
    st.integers(-(10**19), 10**19),
    st.integers(-(10**19), 10**19),
    st.sampled_from(words("+ - * // % < <= > >= == !=")),
)
def test_whole_numbers_agree_with_python(a: int, b: int, sign: str) -> None:
    table = {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "//": lambda: a // b,
        "%": lambda: a % b,
        "<": lambda: a < b,
        "<=": lambda: a <= b,
        ">": lambda: a > b,
        ">=": lambda: a >= b,
        "==": lambda: a == b,
        "!=": lambda: a != b,
    }
    try:
        wanted = table[sign]()
    except ZeroDivisionError:
        with pytest.raises(EvaluationError, match="zero"):
            run(f"{{{{a}}}} {sign} {{{{b}}}}", a=D(a), b=D(b))
        return
    assert run(f"{{{{a}}}} {sign} {{{{b}}}}", a=D(a), b=D(b)) == wanted


@given(st.integers(-50, 50), st.integers(0, 60))
def test_whole_powers_are_exact_or_refused(base: int, power: int) -> None:
    wanted = base**power
    if abs(wanted) < 10**40:
        assert run("{{a}} ** {{b}}", a=D(base), b=D(power)) == wanted
    else:
        with pytest.raises(EvaluationError):
            run("{{a}} ** {{b}}", a=D(base), b=D(power))


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_fits_is_a_finite_number_below_ten_to_the_fortieth(number: Decimal) -> None:
    if fits(number):
        assert number.is_finite()
        assert abs(number) < D("1e40")
        assert number == number.quantize(D("1e-60"), context=WIDE)
