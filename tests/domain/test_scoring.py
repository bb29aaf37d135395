"""Scoring: rules, scores, verdicts, the choice of the engine, and that a result explains itself."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import scoring
from chalicelib.domain.errors import Refused
from chalicelib.domain.expression import Value
from chalicelib.domain.risk import Choice, RiskDecision, Rule, Scorecard, Selector
from chalicelib.models.codec import dumps, dumps_json, loads, loads_json

D = Decimal


def rule(statement: str, weight: str = "1", threshold: str = "0", name: str | None = None) -> Rule:
    return Rule(statement, D(weight), D(threshold), name)


def card(*rules: Rule, threshold: str = "0", stop: bool = False, name: str = "Card") -> Scorecard:
    return Scorecard("c", name, D(threshold), rules, stop, is_active=True)


def only(a_card: Scorecard, **values: Value) -> dict[str, Any]:
    [row] = scoring.score([a_card], values)["scorecards"]
    return row  # type: ignore[no-any-return]


# --- a rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "threshold", "value", "passed"),
    [
        ("{{x}}", "10", D(10), True),
        ("{{x}}", "10.0000000001", D(10), False),
        ("{{x}} - 20", "-10", D(-10), True),
        ("{{x}} > 5", "1", True, True),
        ("{{x}} > 50", "1", False, False),
        ("{{x}} > 50", "0", False, True),
    ],
)
def test_a_rules_value_at_or_above_its_threshold_passes(
    statement: str, threshold: str, value: Value, passed: bool
) -> None:
    [row] = only(card(rule(statement, threshold=threshold)), x=D(10))["rules"]
    assert row == {
        "name": None,
        "statement": statement,
        "weight": D(1),
        "threshold": D(threshold),
        "inputs": {"x": D(10)},
        "value": value,
        "passed": passed,
        "evaluated": True,
        "reason": None,
    }
    assert type(row["value"]) is type(value)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("1 / {{x}}", "division by zero"),
        ("{{x}} + 'a'", "+ needs a number, not a string"),
        ("'a'", "the statement gives a string, not a number"),
        ("None", "the statement gives None, not a number"),
        ("9 ** 9 ** 9", "an exponent is larger than 1000"),
        ("{{x}} +", "This is not an expression (position 7)"),
    ],
)
def test_a_statement_that_fails_makes_the_rule_fail_with_the_reason_recorded(
    statement: str, reason: str
) -> None:
    row = only(card(rule(statement, "0.5", "-5"), rule("4", "0.5")), x=D(0))
    failed, passed = row["rules"]
    assert (failed["value"], failed["passed"], failed["evaluated"]) == (None, False, True)
    assert failed["reason"] == reason
    assert passed["passed"]
    assert (row["score"], row["decision"]) == (D(2), "pass")


# --- a scorecard ---------------------------------------------------------------------------------


def test_the_score_is_the_sum_of_weight_times_value() -> None:
    asked = card(
        rule("1000 if {{b}} else 0", "0.2"),
        rule("(100 * {{f}})/365", "0.3", "11"),
        rule("500 if {{s}} == ‘test’ else 100", "0.4"),
        rule("{{f}} > 0", "0.1", "1"),
        threshold="403.1",
    )
    row = only(asked, b=True, f=D("36.5"), s="test")
    assert row["score"] == D("403.1")
    assert [r["passed"] for r in row["rules"]] == [True, False, True, True]
    assert row["decision"] == "pass"
    assert (
        only(replace(asked, threshold=D("403.11")), b=True, f=D("36.5"), s="test")["decision"]
        == "fail"
    )


def test_stop_on_first_fail_leaves_the_rest_unevaluated_and_fails() -> None:
    asked = card(
        rule("10", "0.5"), rule("5", "0.1", "6"), rule("1 / 0", "0.4"), threshold="1", stop=True
    )
    row = only(asked)
    assert row["decision"] == "fail"
    assert row["score"] == D("5.5")
    assert [(r["evaluated"], r["passed"]) for r in row["rules"]] == [
        (True, True),
        (True, False),
        (False, False),
    ]
    assert row["rules"][2]["value"] is None
    assert row["rules"][2]["reason"] is None
    assert row["rules"][2]["inputs"] == {}


def test_otherwise_all_are_evaluated_and_the_score_alone_says() -> None:
    rules = (rule("10", "0.5"), rule("5", "0.1", "6"), rule("20", "0.4"))
    row = only(card(*rules, threshold="13.5"))
    assert (row["decision"], row["score"]) == ("pass", D("13.5"))
    assert all(r["evaluated"] for r in row["rules"])


def test_stop_on_first_fail_with_all_passing_still_needs_the_score() -> None:
    assert only(card(rule("5"), threshold="5", stop=True))["decision"] == "pass"
    assert only(card(rule("5"), threshold="6", stop=True))["decision"] == "fail"


def test_largest_values_still_have_a_score() -> None:
    row = only(card(rule("9" * 40, "0.5"), rule("9" * 40, "0.5")))
    assert row["decision"] == "pass"


# --- the verdict ---------------------------------------------------------------------------------


def test_accepted_when_every_scorecard_passes() -> None:
    good, bad = card(rule("1"), threshold="1"), card(rule("0"), threshold="1", name="Bad")
    assert scoring.decide([good, good], {}).accepted
    verdict = scoring.decide([good, bad, good], {})
    assert not verdict.accepted
    assert verdict.result["decision"] == "decline"
    assert [row["decision"] for row in verdict.result["scorecards"]] == ["pass", "fail", "pass"]
    assert not scoring.decide([], {}).accepted


@pytest.mark.parametrize(
    ("cards", "reason"),
    [
        ([card(rule("1"))], ""),
        (
            [card(rule("1"), threshold="2", name="A"), card(rule("1"))],
            "Scorecard A failed: its score 1 is below 2.",
        ),
        (
            [card(rule("5", threshold="6", name="age"), threshold="6", name="A")],
            "Scorecard A failed: its score 5 is below 6; rule 1 (age): 5 is below 6.",
        ),
        (
            [card(rule("1", "0.5"), rule("1 / 3", "0.5", "1"), stop=True, name="A")],
            "Scorecard A failed at rule 2: 0.3333333333 is below 1.",
        ),
        (
            [card(rule("1 / 0"), stop=True, name="A"), card(rule("0"), threshold="1", name="B")],
            "Scorecard A failed at rule 1: division by zero. "
            "Scorecard B failed: its score 0 is below 1.",
        ),
        (
            [card(rule("True"), threshold="1000", name="A", stop=True)],
            "Scorecard A failed: its score 1 is below 1000.",
        ),
        (
            [card(rule("-1e-60", "1", "0", "x"), *[rule("0", "0", "1")] * 4, threshold="1")],
            "Scorecard Card failed: its score -0.0000000001 is below 1; rule 1 (x): "
            "-0.0000000001 is below 0; rule 2: 0 is below 1; rule 3: 0 is below 1; "
            "2 more rules failed.",
        ),
    ],
)
def test_the_reason_says_which_scorecard_or_rule_failed(
    cards: list[Scorecard], reason: str
) -> None:
    assert scoring.decide(cards, {}).reason == reason


def test_what_the_engine_reads_must_be_known() -> None:
    cards = [card(rule("{{b}} + {{a}}"), rule("0 if True else {{c}}")), card(rule("{{d}}"))]
    assert scoring.required_inputs(cards) == {"a", "b", "c", "d"}
    assert scoring.missing_inputs(cards, {"b": D(1), "d": None}) == ("a", "c")
    with pytest.raises(Refused) as caught:
        scoring.decide(cards, {"b": D(1), "d": None})
    assert caught.value.code == "data_points_missing"
    assert caught.value.facts == {"missing": ["a", "c"]}
    assert "a, c" in caught.value.message
    values: dict[str, Value] = {"a": D(1), "b": D(1), "c": D(1), "d": None}
    assert scoring.decide(cards, values).reason == ""


def test_a_whole_number_given_as_int_is_kept_as_a_decimal() -> None:
    [row] = only(card(rule("{{x}}")), x=5)["rules"]  # type: ignore[arg-type]
    assert row["inputs"] == {"x": D(5)}
    assert type(row["inputs"]["x"]) is Decimal


# --- the choice of the engine --------------------------------------------------------------------

SHARES = {"1.0": D("0.5"), "1.1": D("0.3"), "2.0": D("0.15"), "2.1": D("0.05"), "off": D(0)}
SELECTOR = Selector("x", "p", tuple(Choice(*pair) for pair in SHARES.items()))


def test_the_engine_is_chosen_in_proportion_to_the_weights() -> None:
    space = uuid.UUID(int=7)
    ids = [str(uuid.uuid5(space, str(n))) for n in range(10_000)]
    counts = Counter(scoring.choose(SELECTOR, one) for one in ids)
    assert counts["off"] == 0
    for version, weight in SHARES.items():
        assert abs(counts[version] - 10_000 * weight) < 150  # three standard deviations


@given(st.uuids(), st.permutations(SELECTOR.risk_engines))
def test_the_choice_is_repeatable_whatever_the_order(
    application: uuid.UUID, choices: list[Choice]
) -> None:
    shuffled = replace(SELECTOR, risk_engines=tuple(choices))
    chosen = scoring.choose(SELECTOR, str(application))
    assert scoring.choose(shuffled, str(application)) == chosen
    assert SHARES[chosen] > 0


def test_the_choice_never_changes_between_releases() -> None:
    # SHA-256("a") = ca97…, 0.79 of the way; "b" = 3e23…, 0.24; "c" = 2e7d…, 0.18; "d" = 18ac…
    assert [scoring.choose(SELECTOR, one) for one in "ab"] == ["1.1", "1.0"]
    assert scoring.choose(replace(SELECTOR, risk_engines=(Choice("1", D(1)),)), "a") == "1"


# --- recomputing ---------------------------------------------------------------------------------

STATEMENTS = st.sampled_from(
    [
        "1000 if {{b}} else 0",
        "(100 * {{f}}) / 365",
        "500 if {{s}} == ‘test’ else 100",
        "{{f}} / {{i}}",
        "{{s}}",
        "{{i}} > 3 and {{b}}",
        "{{n}} == None",
        "{{n}} + 1",
        "{{f}} ** {{i}}",
        "len({{s}}) // 3",
        "{{absent}}",
        "not an expression",
        "-1",
    ]
)
NUMBERS = st.decimals(-1000, 1000, places=4)
RULES = st.builds(
    Rule, STATEMENTS, st.decimals(0, 1, places=2), NUMBERS, st.none() | st.text(max_size=5)
)
CARDS = st.builds(
    Scorecard,
    st.just("c"),
    st.text(max_size=5),
    NUMBERS,
    st.lists(RULES, max_size=5).map(tuple),
    st.booleans(),
)
VALUES = st.fixed_dictionaries(
    {
        "b": st.booleans(),
        "f": NUMBERS,
        "i": st.integers(-9, 9).map(Decimal),
        "s": st.sampled_from(["test", "", "$decimal", "5"]),
        "n": st.none() | NUMBERS,
    }
)


@given(st.lists(CARDS, max_size=4), VALUES)
@settings(max_examples=300, deadline=None)
def test_a_result_is_enough_to_recompute_the_outcome(
    cards: list[Scorecard], values: dict[str, Value]
) -> None:
    result = scoring.score(cards, values)
    assert scoring.recompute(result) == result
    assert scoring.reason(scoring.recompute(result)) == scoring.reason(result)
    assert scoring.recompute(loads_json(dumps_json(result))) == result


@given(st.lists(CARDS, min_size=1, max_size=4), VALUES)
@settings(max_examples=200, deadline=None)
def test_the_rules_of_scoring_hold(cards: list[Scorecard], values: dict[str, Value]) -> None:
    result = scoring.score(cards, values)
    assert (result["decision"] == "accept") == all(
        row["decision"] == "pass" for row in result["scorecards"]
    )
    for row in result["scorecards"]:
        evaluated = [r for r in row["rules"] if r["evaluated"]]
        failed = [r for r in evaluated if not r["passed"]]
        assert [r["evaluated"] for r in row["rules"]] == [True] * len(evaluated) + [False] * (
            len(row["rules"]) - len(evaluated)
        )
        if row["stop_on_first_fail"]:
            assert len(failed) <= 1
            assert not failed or (failed[0] is evaluated[-1] and row["decision"] == "fail")
        else:
            assert len(evaluated) == len(row["rules"])
            assert (row["decision"] == "pass") == (row["score"] >= row["threshold"])
        for r in evaluated:
            assert (r["value"] is None) == (r["reason"] is not None)
            assert r["passed"] == (r["value"] is not None and r["value"] >= r["threshold"])


def test_a_changed_result_does_not_recompute_to_itself() -> None:
    result = scoring.score([card(rule("{{x}}"), threshold="5")], {"x": D(5)})
    result["scorecards"][0]["rules"][0]["inputs"]["x"] = D(4)
    assert scoring.recompute(result)["decision"] == "decline"


def test_a_decision_is_kept_and_recomputed_as_it_was() -> None:
    verdict = scoring.decide(
        [card(rule("{{x}} if {{s}} == '5' else 0"), threshold="5")], {"x": D("5.0"), "s": "5"}
    )
    decision = RiskDecision("d", "a", "1.0", verdict.result)
    kept = loads(RiskDecision, dumps(decision))
    assert kept == decision
    assert scoring.recompute(kept.result)["decision"] == "accept"


def test_a_result_read_from_plain_json_recomputes_too() -> None:
    verdict = scoring.decide([card(rule("{{x}} / 4"), threshold="1")], {"x": D(5)})
    text = json.dumps(verdict.result, default=lambda number: float(number))
    again = scoring.recompute(json.loads(text, parse_float=Decimal))
    assert again == verdict.result
