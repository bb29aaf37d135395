"""How an application is decided: the engine chosen, its scorecards scored, the verdict explained.

Rules: partner API, "Risk": scoring.  A result is plain JSON data and holds everything that the
outcome depends on, so that :func:`recompute` finds the same outcome from it alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

from chalicelib.domain.errors import Refused
from chalicelib.domain.expression import (
    EvaluationError,
    StatementError,
    Value,
    evaluate,
    parse,
)
from chalicelib.domain.inputs import plain
from chalicelib.domain.money import EXACT, TEN_PLACES, ZERO
from chalicelib.domain.risk import Rule, Scorecard, Selector

ACCEPT, DECLINE = "accept", "decline"
PASS, FAIL = "pass", "fail"
MAX_NAMED = 3
"""Failed rules of one scorecard that an application's reason names."""
MAX_SHOWN_DECIMALS = 10
_HASH_SIZE = 2**256

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An application's outcome: why it was declined (else ``""``), and the decision's result."""

    accepted: bool
    reason: str
    result: Row


def choose(selector: Selector, application_id: str) -> str:
    """The version of the engine that decides this application.

    The SHA-256 of the id is a point between 0 and 1, the engines in order of version each take a
    stretch as long as their weight: repeatable for one application, proportional over many.
    """
    digest = hashlib.sha256(application_id.encode()).digest()
    point = Fraction(int.from_bytes(digest, "big"), _HASH_SIZE)
    choices = sorted(selector.risk_engines, key=lambda choice: choice.version)
    reached = Fraction(0)
    for choice in choices:
        reached += Fraction(choice.weight)
        if point < reached:
            return choice.version
    raise ValueError("the weights of a selector sum to 1")


def required_inputs(scorecards: Iterable[Scorecard]) -> frozenset[str]:
    """Names of all the inputs that the scorecards' statements mention."""
    rules = (rule for card in scorecards for rule in card.rules)
    return frozenset(name for rule in rules for name in parse(rule.statement).inputs)


def missing_inputs(scorecards: Iterable[Scorecard], values: Mapping[str, Value]) -> tuple[str, ...]:
    """Names of the inputs that are read but not known, in order."""
    return tuple(sorted(required_inputs(scorecards) - values.keys()))


def require_inputs(scorecards: Iterable[Scorecard], values: Mapping[str, Value]) -> None:
    """Raises ``data_points_missing``, naming them."""
    missing = missing_inputs(scorecards, values)
    if missing:
        raise Refused(
            "data_points_missing",
            f"Neither a data point nor a default is there for {', '.join(missing)}.",
            {"missing": list(missing)},
        )


def decide(scorecards: Sequence[Scorecard], values: Mapping[str, Value]) -> Verdict:
    """The verdict on an application with these inputs (name → value).

    Raises ``data_points_missing``; a statement that fails on the data only fails its rule.
    """
    require_inputs(scorecards, values)
    result = score(scorecards, values)
    return Verdict(result["decision"] == ACCEPT, reason(result), result)


def score(scorecards: Sequence[Scorecard], values: Mapping[str, Value]) -> Row:
    """A decision's ``result``: ``{"decision": "accept"|"decline", "scorecards": [...]}``.

    A scorecard is ``{name, decision: "pass"|"fail", score, threshold, stop_on_first_fail, rules}``,
    a rule ``{name, statement, weight, threshold, inputs: {name: value}, value, passed, evaluated,
    reason}``, where ``reason`` (else None) says why a rule has no value.
    """
    return _result(
        [
            _card_row(card.name, card.threshold, card.stop_on_first_fail, pairs)
            for card in scorecards
            for pairs in [[(rule, _picked(rule, values)) for rule in card.rules]]
        ]
    )


def recompute(result: Mapping[str, Any]) -> Row:
    """The result again, from the statements, inputs, weights and thresholds that it holds."""
    return _result(
        [
            _card_row(
                row["name"],
                row["threshold"],
                row["stop_on_first_fail"],
                [(_rule_of(rule), rule["inputs"]) for rule in row["rules"]],
            )
            for row in result["scorecards"]
        ]
    )


def _result(rows: list[Row]) -> Row:
    accepted = bool(rows) and all(row["decision"] == PASS for row in rows)
    return {"decision": ACCEPT if accepted else DECLINE, "scorecards": rows}


def _rule_of(row: Mapping[str, Any]) -> Rule:
    return Rule(row["statement"], row["weight"], row["threshold"], row["name"])


def _picked(rule: Rule, values: Mapping[str, Value]) -> dict[str, Value]:
    """The inputs that the rule's statement mentions, as far as they are known."""
    try:
        names = parse(rule.statement).inputs
    except StatementError:
        return {}
    return {name: plain(values[name]) for name in sorted(names) if name in values}


def _card_row(
    name: str,
    threshold: Decimal,
    stop_on_first_fail: bool,
    rules: Iterable[tuple[Rule, Mapping[str, Value]]],
) -> Row:
    rows: list[Row] = []
    total, stopped = ZERO, False
    for rule, inputs in rules:
        if stopped:
            rows.append(_rule_row(rule, {}, None, None, evaluated=False))
            continue
        value, failure = _value(rule, inputs)
        row = _rule_row(rule, dict(inputs), value, failure, evaluated=True)
        rows.append(row)
        total = EXACT.add(total, EXACT.multiply(rule.weight, _counted(value)))
        stopped = stop_on_first_fail and not row["passed"]
    return {
        "name": name,
        "decision": PASS if not stopped and total >= threshold else FAIL,
        "score": total,
        "threshold": threshold,
        "stop_on_first_fail": stop_on_first_fail,
        "rules": rows,
    }


def _rule_row(
    rule: Rule,
    inputs: dict[str, Value],
    value: Decimal | bool | None,
    failure: str | None,
    *,
    evaluated: bool,
) -> Row:
    return {
        "name": rule.name,
        "statement": rule.statement,
        "weight": rule.weight,
        "threshold": rule.threshold,
        "inputs": inputs,
        "value": value,
        "passed": value is not None and _counted(value) >= rule.threshold,
        "evaluated": evaluated,
        "reason": failure,
    }


def _value(rule: Rule, inputs: Mapping[str, Value]) -> tuple[Decimal | bool | None, str | None]:
    """The statement's value, or None and why there is none."""
    try:
        value = evaluate(parse(rule.statement), inputs)
    except EvaluationError as failure:
        return None, failure.reason
    except StatementError as flaw:
        return None, f"{flaw.message.rstrip('.')} (position {flaw.position})"
    if value is None or isinstance(value, str):
        kind = "None" if value is None else "a string"
        return None, f"the statement gives {kind}, not a number"
    return value, None


def _counted(value: Decimal | bool | None) -> Decimal:
    """What a value counts: a boolean 1 or 0, no value 0."""
    return value if isinstance(value, Decimal) else Decimal(bool(value))


# --- the explanation -----------------------------------------------------------------------------


def reason(result: Mapping[str, Any]) -> str:
    """Which scorecards failed, and by which rule or score; ``""`` for an accepted application."""
    failed = [row for row in result["scorecards"] if row["decision"] == FAIL]
    return " ".join(map(_why, failed))


def _why(card: Mapping[str, Any]) -> str:
    if card["stop_on_first_fail"]:
        for number, rule in enumerate(card["rules"], 1):
            if rule["evaluated"] and not rule["passed"]:
                return f"Scorecard {card['name']} failed at {_rule_why(number, rule)}."
    failing = [
        _rule_why(number, rule)
        for number, rule in enumerate(card["rules"], 1)
        if not rule["passed"]
    ]
    text = (
        f"Scorecard {card['name']} failed: its score {_shown(card['score'])} is below "
        f"{_shown(card['threshold'])}"
    )
    if len(failing) > MAX_NAMED:
        failing[MAX_NAMED:] = [f"{len(failing) - MAX_NAMED} more rules failed"]
    return "; ".join([text, *failing]) + "."


def _rule_why(number: int, rule: Mapping[str, Any]) -> str:
    label = f"rule {number} ({rule['name']})" if rule["name"] else f"rule {number}"
    if rule["reason"]:
        return f"{label}: {rule['reason']}"
    value = _shown(_counted(rule["value"]))
    return f"{label}: {value} is below {_shown(rule['threshold'])}"


def _shown(number: Decimal) -> str:
    """Without an exponent, cut (downwards, so that below stays below) to ten decimals."""
    if int(number.as_tuple().exponent) < -MAX_SHOWN_DECIMALS:
        number = number.quantize(TEN_PLACES, ROUND_FLOOR, EXACT)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
