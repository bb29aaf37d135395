"""How an application was decided, as the demo shows it: plain values.  Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from backbone_client import records

OUTCOMES = {"accept": "accepted", "decline": "declined", "pass": "passed", "fail": "failed"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a decision, in words and figures."""

    name: str
    statement: str
    inputs: tuple[tuple[str, str], ...]
    value: str
    threshold: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One scorecard of a decision."""

    name: str
    decision: str
    score: str
    threshold: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """How an application was decided."""

    engine: str
    outcome: str
    cards: tuple[Card, ...]

    @classmethod
    def read(cls, value: records.Decision) -> Self:
        """From a decision."""
        return cls(
            value.risk_engine_version,
            value.result.decision,
            tuple(_card(card) for card in value.result.scorecards),
        )

    @property
    def line(self) -> str:
        """The decision in one line."""
        cards = "; ".join(
            f"{card.name} {OUTCOMES[card.decision]} with {card.score} ({card.threshold} needed)"
            for card in self.cards
        )
        return f"{OUTCOMES[self.outcome]} by risk engine {self.engine}: {cards}"


def _card(value: records.ScorecardResult) -> Card:
    rules = tuple(
        Rule(
            rule.name or f"Rule {number}",
            rule.statement,
            tuple((name, _figure(found)) for name, found in sorted(rule.inputs.items())),
            _figure(rule.value),
            _figure(rule.threshold),
            rule.passed,
        )
        for number, rule in enumerate(value.rules, start=1)
    )
    return Card(value.name, value.decision, _figure(value.score), _figure(value.threshold), rules)


def _figure(value: object) -> str:
    """A value of any kind for a reader: long fractions cut to four decimals."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        text = f"{round(value, 4):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
