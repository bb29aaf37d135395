"""Scorecards, engines, selectors: what is refused on writing, and what their state forbids."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import risk
from chalicelib.domain.errors import Invalid, Refused
from chalicelib.domain.inputs import InputSource, preconfigured
from chalicelib.domain.risk import Choice, RiskEngine, Rule, Scorecard, Selector
from chalicelib.domain.scoring import score
from chalicelib.domain.statement import Value
from chalicelib.models.codec import dumps_json

D = Decimal
SOURCES = {
    source.name: source
    for source in (
        InputSource("s1", "income", "float"),
        InputSource("s2", "note", "string"),
        *preconfigured("partner"),
    )
}
RULE = Rule("{{income}} / 12", D(1), D(100), "income")
CARD = Scorecard("c1", "Affordability", D(50), (RULE,))
ACTIVE = replace(CARD, is_active=True)
ENGINE = RiskEngine("e1", "1.0", ("c1",))
SELECTOR = Selector("x1", "product", (Choice("1.0", D("0.7")), Choice("1.1", D("0.3"))))
ENGINES = {
    "1.0": RiskEngine("e1", "1.0", ("c1",), is_active=True),
    "1.1": RiskEngine("e2", "1.1", ("c1",), is_active=True),
    "2.0": RiskEngine("e3", "2.0", ("c1",)),
}


def card(*rules: Rule, **fields: Any) -> Scorecard:
    return replace(CARD, rules=rules, **fields)


def rule(statement: str = "1", weight: str = "1", threshold: str = "0", name: str = "") -> Rule:
    return Rule(statement, D(weight), D(threshold), name)


def refused(work: Any, code: str = "invalid_status") -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    assert caught.value.code == code
    return caught.value


def flaws(work: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        work()
    return [(flaw.field, flaw.code) for flaw in caught.value.flaws]


# --- scorecards: what is written -----------------------------------------------------------------


@pytest.mark.parametrize("weights", [["1"], ["0.3", "0.7"], ["0", "1"], ["0.1"] * 10, ["1.000"]])
def test_weights_that_sum_to_exactly_one(weights: list[str]) -> None:
    asked = card(*(rule(weight=weight) for weight in weights))
    assert risk.create_scorecard(asked, SOURCES) == asked


@pytest.mark.parametrize(
    "weights", [[], ["0"], ["0.9"], ["0.3333333333"] * 3, ["0.5", "0.5000000001"], ["1", "1"]]
)
def test_weights_that_do_not(weights: list[str]) -> None:
    asked = card(*(rule(weight=weight) for weight in weights))
    assert flaws(lambda: risk.create_scorecard(asked, SOURCES)) == [("rules", "weights_sum")]


def test_the_sum_is_told() -> None:
    with pytest.raises(Invalid, match=r"exactly 1; they sum to 0\.9\."):
        risk.create_scorecard(card(rule(weight="0.4"), rule(weight="0.5")), SOURCES)


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (rule("{{income}} +"), ("rules[1].statement", "invalid_statement")),
        (rule("{{income}}.real"), ("rules[1].statement", "invalid_statement")),
        (rule("{{wages}}"), ("rules[1].statement", "unknown")),
        (rule(weight="-0.5"), ("rules[1].weight", "out_of_range")),
        (rule(weight="1.5"), ("rules[1].weight", "out_of_range")),
        (rule(weight="NaN"), ("rules[1].weight", "out_of_range")),
        (rule(weight="0.00000000001"), ("rules[1].weight", "too_many_decimals")),
        (rule(threshold="NaN"), ("rules[1].threshold", "out_of_range")),
        (rule(threshold="1e40"), ("rules[1].threshold", "out_of_range")),
        (rule(name="n" * 101), ("rules[1].name", "too_long")),
    ],
)
def test_a_bad_rule_is_named_with_its_index(bad: Rule, flaw: tuple[str, str]) -> None:
    first = rule(weight="0" if bad.weight == 1 else "1")
    assert flaws(lambda: risk.create_scorecard(card(first, bad), SOURCES)) == [flaw]


def test_every_flaw_is_listed() -> None:
    asked = card(rule("1 +", weight="2"), rule("{{a}} + {{b}}"), name=" ", threshold=D("Infinity"))
    assert flaws(lambda: risk.create_scorecard(asked, SOURCES)) == [
        ("name", "required"),
        ("threshold", "out_of_range"),
        ("rules[0].weight", "out_of_range"),
        ("rules[0].statement", "invalid_statement"),
        ("rules[1].statement", "unknown"),
        ("rules[1].statement", "unknown"),
    ]


@pytest.mark.parametrize(
    ("statement", "position"),
    [("1 + * 2", 4), ("{{income}} + {{wages}}", 13), ("1 + open('x')", 4)],
)
def test_a_bad_statement_is_told_with_the_position(statement: str, position: int) -> None:
    with pytest.raises(Invalid, match=rf"\(position {position}\)\.$"):
        risk.create_scorecard(card(rule(statement)), SOURCES)


def test_a_scorecard_has_at_most_a_hundred_rules() -> None:
    asked = card(rule(weight="1"), *[rule(weight="0")] * 99)
    assert risk.create_scorecard(asked, SOURCES)
    asked = card(rule(weight="1"), *[rule(weight="0")] * 100)
    assert flaws(lambda: risk.create_scorecard(asked, SOURCES)) == [("rules", "too_many")]


def test_a_scorecard_whose_decision_could_not_be_kept_is_refused() -> None:
    long = rule("{{note}} == '" + "é" * 200 + "'", weight="0")
    assert risk.create_scorecard(card(rule(), *[long] * 10), SOURCES)
    assert flaws(lambda: risk.create_scorecard(card(rule(), *[long] * 30), SOURCES)) == [
        ("rules", "too_large")
    ]


def full_rule(kind: str) -> tuple[Rule, Value]:
    """A rule whose row in a decision is as long as it can be, and the input that makes it so."""
    number = D("-1234567890.123456789012345678901234567890")
    name, weight = "é" * 100, D("0.0000000001")
    if kind == "text":
        return Rule("len({{note}}) + '" + "é" * 60 + "'", weight, number, name), "😀" * 255
    return Rule("-{{income}}" if kind == "value" else "{{income}} ** 5000", weight, number), number


@pytest.mark.parametrize("kind", ["text", "value", "reason"])
def test_the_largest_scorecards_decision_can_be_kept(kind: str) -> None:
    full, value = full_rule(kind)
    most = max(
        count
        for count in range(1, risk.MAX_RULES)
        if risk._result_bytes(card(*[full] * count), SOURCES) <= risk.MAX_RESULT_BYTES
    )
    result = score([card(*[full] * most)], {"note": value, "income": value})
    assert len(dumps_json(result).encode()) <= risk.MAX_RESULT_BYTES
    assert most >= 15


# --- scorecards: their state ---------------------------------------------------------------------


def test_a_scorecard_is_activated_once() -> None:
    active = risk.activate_scorecard(CARD)
    assert active == ACTIVE
    refused(lambda: risk.activate_scorecard(active))


def test_a_scorecard_in_use_stays_active() -> None:
    asked = replace(ACTIVE, is_active=False)
    assert risk.update_scorecard(ACTIVE, asked, SOURCES) == CARD
    assert risk.deactivate_scorecard(ACTIVE, active_engines=[]) == CARD
    told = refused(
        lambda: risk.update_scorecard(ACTIVE, asked, SOURCES, active_engines=["1.0", "0.9"])
    )
    assert "0.9, 1.0" in told.message


def test_a_scorecard_in_use_can_change_until_it_has_decided() -> None:
    asked = replace(ACTIVE, threshold=D(60), id="other", is_frozen=True)
    found = risk.update_scorecard(ACTIVE, asked, SOURCES, active_engines=["1.0"])
    assert found == replace(ACTIVE, threshold=D(60))


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": D(60)},
        {"name": "Other"},
        {"stop_on_first_fail": True},
        {"rules": (rule(),)},
        {"rules": (replace(RULE, name="x"),)},
    ],
)
def test_a_scorecard_that_has_decided_is_frozen(change: dict[str, Any]) -> None:
    frozen = risk.freeze(ACTIVE)
    refused(lambda: risk.update_scorecard(frozen, replace(frozen, **change), SOURCES))
    assert risk.update_scorecard(frozen, ACTIVE, SOURCES) == frozen
    assert risk.update_scorecard(frozen, CARD, SOURCES) == replace(frozen, is_active=False)


def test_bad_values_come_before_the_state() -> None:
    frozen = risk.freeze(ACTIVE)
    asked = replace(frozen, rules=())
    assert flaws(lambda: risk.update_scorecard(frozen, asked, SOURCES))


# --- risk engines --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "found"),
    [
        (RiskEngine("e", "", ("c1",)), [("version", "required")]),
        (RiskEngine("e", "v" * 101, ("c1",)), [("version", "too_long")]),
        (RiskEngine("e", "1", ()), [("scorecards", "required")]),
        (RiskEngine("e", "1", ("c1", "c1")), [("scorecards[1]", "duplicate")]),
        (RiskEngine("e", "1", ("c1", "c9")), [("scorecards[1]", "unknown")]),
    ],
)
def test_an_engine_that_cannot_be(engine: RiskEngine, found: list[tuple[str, str]]) -> None:
    assert flaws(lambda: risk.create_engine(engine, {"c1": CARD})) == found


def test_an_engine_has_at_most_ten_scorecards() -> None:
    cards = {f"c{n}": replace(CARD, id=f"c{n}") for n in range(11)}
    assert risk.create_engine(RiskEngine("e", "1", tuple(cards)[:10]), cards)
    engine = RiskEngine("e", "1", tuple(cards))
    assert flaws(lambda: risk.create_engine(engine, cards)) == [("scorecards", "too_many")]


def test_only_active_scorecards_may_be_used_by_an_active_engine() -> None:
    assert risk.create_engine(ENGINE, {"c1": CARD}) == ENGINE
    active = replace(ENGINE, is_active=True)
    assert risk.activate_engine(ENGINE, {"c1": ACTIVE}) == active
    refused(lambda: risk.activate_engine(ENGINE, {"c1": CARD}))
    refused(lambda: risk.activate_engine(active, {"c1": ACTIVE}))
    refused(lambda: risk.create_engine(active, {"c1": CARD}))
    refused(lambda: risk.update_engine(ENGINE, active, {"c1": CARD}))
    more = replace(active, scorecards=("c1", "c2"))
    refused(lambda: risk.update_engine(active, more, {"c1": ACTIVE, "c2": CARD}))
    assert risk.update_engine(active, more, {"c1": ACTIVE, "c2": ACTIVE}) == more


def test_an_engine_that_a_selector_uses_stays_active_and_keeps_its_version() -> None:
    active, cards = ENGINES["1.0"], {"c1": ACTIVE}
    assert risk.update_engine(active, ENGINE, cards) == ENGINE
    assert risk.deactivate_engine(active, selectors=[]) == ENGINE
    refused(lambda: risk.update_engine(active, ENGINE, cards, selectors=["x1"]))
    refused(lambda: risk.deactivate_engine(active, selectors=["x1"]))
    renamed = replace(active, version="1.2")
    assert risk.update_engine(active, renamed, cards) == renamed
    refused(lambda: risk.update_engine(active, renamed, cards, selectors=["x1"]))


def test_an_engine_that_has_decided_is_frozen() -> None:
    cards = {"c1": ACTIVE, "c2": ACTIVE}
    frozen = risk.freeze(ENGINES["1.0"])
    refused(lambda: risk.update_engine(frozen, replace(frozen, version="2"), cards))
    refused(lambda: risk.update_engine(frozen, replace(frozen, scorecards=("c2",)), cards))
    assert risk.update_engine(frozen, ENGINE, cards) == replace(frozen, is_active=False)
    assert risk.update_engine(frozen, ENGINES["1.0"], cards) == frozen


# --- selectors -----------------------------------------------------------------------------------


def test_a_selector_of_active_engines_with_weights_that_sum_to_one() -> None:
    assert risk.create_selector(SELECTOR, ENGINES) == SELECTOR


@pytest.mark.parametrize(
    ("choices", "found"),
    [
        ((), [("risk_engines", "weights_sum")]),
        ((Choice("1.0", D("0.9")),), [("risk_engines", "weights_sum")]),
        ((Choice("9", D(1)),), [("risk_engines[0].version", "unknown")]),
        (
            (Choice("1.0", D("0.5")), Choice("1.0", D("0.5"))),
            [("risk_engines[1].version", "duplicate")],
        ),
        (
            (Choice("1.0", D(2)), Choice("1.1", D(-1))),
            [
                ("risk_engines[0].weight", "out_of_range"),
                ("risk_engines[1].weight", "out_of_range"),
            ],
        ),
        ((Choice("1.0", D(1)), *[Choice("1.1", D(0))] * 20), [("risk_engines", "too_many")]),
    ],
)
def test_a_selector_that_cannot_be(
    choices: tuple[Choice, ...], found: list[tuple[str, str]]
) -> None:
    asked = Selector("x", "product", choices)
    assert flaws(lambda: risk.create_selector(asked, ENGINES)) == found


def test_a_selector_takes_only_active_engines() -> None:
    asked = Selector("x", "product", (Choice("1.0", D("0.5")), Choice("2.0", D("0.5"))))
    assert refused(lambda: risk.create_selector(asked, ENGINES)).facts == {"versions": ["2.0"]}


@given(st.lists(st.decimals(0, 1, places=10), min_size=1, max_size=12))
def test_a_sum_is_never_taken_for_one_unless_it_is(weights: list[Decimal]) -> None:
    scaled = sum(int(weight * 10**10) for weight in weights)
    asked = card(*(Rule("1", weight, D(0)) for weight in weights))
    if scaled == 10**10:
        assert risk.create_scorecard(asked, SOURCES)
    else:
        assert flaws(lambda: risk.create_scorecard(asked, SOURCES)) == [("rules", "weights_sum")]
    last = 10**10 - scaled
    if 0 <= last <= 10**10:
        whole = card(*asked.rules, Rule("1", D(last).scaleb(-10), D(0)))
        assert risk.create_scorecard(whole, SOURCES)
