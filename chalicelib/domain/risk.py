"""Scorecards, risk engines, selectors and decisions: what they are and what may be done to them.

Rules: partner API, "Risk".  Every function takes the facts it needs as arguments and returns the
new state, or raises :class:`Invalid` (values that cannot be) or :class:`Refused` (the state forbids
it).  How an application is scored is in ``scoring.py``, what is read in ``inputs.py``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.expression import StatementError, fits, parse
from chalicelib.domain.inputs import DataPoint, InputSource, largest

__all__ = [
    "Choice",
    "DataPoint",
    "InputSource",
    "RiskDecision",
    "RiskEngine",
    "Rule",
    "Scorecard",
    "Selector",
    "activate_engine",
    "activate_scorecard",
    "create_engine",
    "create_scorecard",
    "create_selector",
    "deactivate_engine",
    "deactivate_scorecard",
    "freeze",
    "update_engine",
    "update_scorecard",
]

MAX_RULES = 100
"""Rules of a scorecard."""
MAX_SCORECARDS = 10
"""Scorecards of an engine."""
MAX_ENGINES = 20
"""Engines of a selector."""
MAX_NAME = 100
MAX_WEIGHT_DECIMALS = 10
MAX_RESULT_BYTES = 35_000
"""What one scorecard may take in a decision, so that ten of them fit into one stored item."""
_RULE_BYTES = 300
"""A rule's row there without its statement, name, inputs, weight and threshold."""

Freezable = TypeVar("Freezable", "Scorecard", "RiskEngine")


@dataclass(frozen=True, slots=True)
class Rule:
    """A statement, what it counts in the score, and the value from which it passes."""

    statement: str
    weight: Decimal
    threshold: Decimal
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Rules and the score from which they pass together; frozen once it helped to decide.

    ``sources`` maps the names that its statements read to the input sources' ids; ``used_by`` are
    the ids of the active risk engines that use it.
    """

    id: str
    name: str
    threshold: Decimal
    rules: tuple[Rule, ...]
    stop_on_first_fail: bool = False
    is_active: bool = False
    is_frozen: bool = False
    sources: dict[str, str] = field(default_factory=dict)
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RiskEngine:
    """A version of how applications are decided; frozen once it has decided one.

    ``scorecards`` are ids; ``used_by`` are the ids of the selectors that name its version.
    """

    id: str
    version: str
    scorecards: tuple[str, ...]
    is_active: bool = False
    is_frozen: bool = False
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine by its version, and the share of applications that it decides (0 to 1)."""

    version: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Selector:
    """Which engines decide a product's applications."""

    id: str
    product: str
    risk_engines: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class RiskDecision:
    """How one application was decided, kept for ever.  ``result``: see ``scoring.score``."""

    id: str
    application: str
    risk_engine_version: str
    result: Mapping[str, Any]


def freeze(thing: Freezable) -> Freezable:
    """The same scorecard or engine after its first decision."""
    return replace(thing, is_frozen=True)


# --- scorecards ----------------------------------------------------------------------------------


def create_scorecard(card: Scorecard, sources: Mapping[str, InputSource]) -> Scorecard:
    """The scorecard, or :class:`Invalid` with every flaw.  ``sources`` are all, by name."""
    flaws = _name("name", card.name)
    flaws += _bounded("threshold", card.threshold)
    if len(card.rules) > MAX_RULES:
        raise Invalid(Flaw("rules", "too_many", f"At most {MAX_RULES} rules."))
    for index, rule in enumerate(card.rules):
        flaws += _rule_flaws(f"rules[{index}]", rule, sources)
    flaws += _weights("rules", [rule.weight for rule in card.rules], flaws)
    if not flaws and _result_bytes(card, sources) > MAX_RESULT_BYTES:
        message = "The rules are too many or read too many texts; split the scorecard."
        flaws.append(Flaw("rules", "too_large", message))
    if flaws:
        raise Invalid(*flaws)
    return replace(card, is_frozen=False)


def update_scorecard(
    old: Scorecard,
    new: Scorecard,
    sources: Mapping[str, InputSource],
    *,
    active_engines: Collection[str] = (),
) -> Scorecard:
    """``new`` in place of ``old``.  ``active_engines``: versions of active engines that use it.

    Raises :class:`Invalid`, or ``invalid_status`` when it is frozen or in use.
    """
    checked = replace(create_scorecard(new, sources), id=old.id, is_frozen=old.is_frozen)
    _content_may_change("scorecard", old, replace(checked, is_active=old.is_active))
    if old.is_active and not checked.is_active:
        deactivate_scorecard(old, active_engines=active_engines)
    return checked


def activate_scorecard(card: Scorecard) -> Scorecard:
    """Raises ``invalid_status`` when it is active already."""
    _not_yet_active("scorecard", card.is_active)
    return replace(card, is_active=True)


def deactivate_scorecard(card: Scorecard, *, active_engines: Collection[str]) -> Scorecard:
    """Raises ``invalid_status`` while an active engine uses it."""
    _unused("scorecard", "active risk engine", active_engines)
    return replace(card, is_active=False)


def _rule_flaws(where: str, rule: Rule, sources: Mapping[str, InputSource]) -> list[Flaw]:
    flaws = [] if rule.name is None else _name(f"{where}.name", rule.name, empty=True)
    flaws += _weight(f"{where}.weight", rule.weight)
    flaws += _bounded(f"{where}.threshold", rule.threshold)
    field = f"{where}.statement"
    try:
        statement = parse(rule.statement)
    except StatementError as error:
        return [*flaws, Flaw(field, "invalid_statement", _placed(error.message, error.position))]
    unknown = [(name, place) for name, place in statement.places if name not in sources]
    return flaws + [
        Flaw(field, "unknown", _placed(f"There is no input source {name}.", place))
        for name, place in unknown
    ]


def _placed(message: str, position: int) -> str:
    return f"{message.rstrip('.')} (position {position})."


def _result_bytes(card: Scorecard, sources: Mapping[str, InputSource]) -> int:
    """The most that the scorecard takes in a decision's result."""
    total = 0
    for rule in card.rules:
        inputs = parse(rule.statement).inputs
        total += _RULE_BYTES + sum(len(name) + largest(sources[name]) for name in inputs)
        total += len(f"{rule.weight}{rule.threshold}")
        total += len(
            json.dumps([rule.statement, rule.name], ensure_ascii=False).encode(
                errors="surrogatepass"
            )
        )
    return total


# --- risk engines --------------------------------------------------------------------------------


def create_engine(engine: RiskEngine, scorecards: Mapping[str, Scorecard]) -> RiskEngine:
    """The engine; ``scorecards`` are those it names, by id, as far as they exist.

    Raises :class:`Invalid`, or ``invalid_status`` when it is to be active and a scorecard is not.
    """
    flaws = _name("version", engine.version)
    if not engine.scorecards:
        flaws.append(Flaw("scorecards", "required", "At least one scorecard is needed."))
    if len(engine.scorecards) > MAX_SCORECARDS:
        flaws.append(Flaw("scorecards", "too_many", f"At most {MAX_SCORECARDS} scorecards."))
    flaws += _repeated("scorecards[{}]", engine.scorecards)
    flaws += [
        Flaw(f"scorecards[{index}]", "unknown", "There is no such scorecard.")
        for index, scorecard in enumerate(engine.scorecards[:MAX_SCORECARDS])
        if scorecard not in scorecards
    ]
    if flaws:
        raise Invalid(*flaws)
    if engine.is_active:
        _all_active(engine, scorecards)
    return replace(engine, is_frozen=False)


def update_engine(
    old: RiskEngine,
    new: RiskEngine,
    scorecards: Mapping[str, Scorecard],
    *,
    selectors: Collection[str] = (),
) -> RiskEngine:
    """``new`` in place of ``old``.  ``selectors``: ids of the selectors that name its version.

    Raises :class:`Invalid`, or ``invalid_status``: it is frozen, its version or its being active is
    needed by a selector, or a scorecard is not active.
    """
    checked = replace(create_engine(new, scorecards), id=old.id, is_frozen=old.is_frozen)
    _content_may_change("risk engine", old, replace(checked, is_active=old.is_active))
    if checked.version != old.version:
        _unused("risk engine", "selector", selectors)
    if old.is_active and not checked.is_active:
        deactivate_engine(old, selectors=selectors)
    return checked


def activate_engine(engine: RiskEngine, scorecards: Mapping[str, Scorecard]) -> RiskEngine:
    """Raises ``invalid_status`` when it is active already or one of its scorecards is not."""
    _not_yet_active("risk engine", engine.is_active)
    _all_active(engine, scorecards)
    return replace(engine, is_active=True)


def deactivate_engine(engine: RiskEngine, *, selectors: Collection[str]) -> RiskEngine:
    """Raises ``invalid_status`` while a selector uses it."""
    _unused("risk engine", "selector", selectors)
    return replace(engine, is_active=False)


def _all_active(engine: RiskEngine, scorecards: Mapping[str, Scorecard]) -> None:
    inactive = [key for key in engine.scorecards if not scorecards[key].is_active]
    if inactive:
        raise Refused(
            "invalid_status",
            f"An active risk engine uses only active scorecards; {', '.join(inactive)} is not.",
            {"scorecards": inactive},
        )


# --- selectors -----------------------------------------------------------------------------------


def create_selector(selector: Selector, engines: Mapping[str, RiskEngine]) -> Selector:
    """The selector; ``engines`` are those it names, by version, as far as they exist.

    An update is checked in the same way.  Raises :class:`Invalid`, or ``invalid_status`` when an
    engine is not active.
    """
    choices = selector.risk_engines
    if len(choices) > MAX_ENGINES:
        raise Invalid(Flaw("risk_engines", "too_many", f"At most {MAX_ENGINES} risk engines."))
    flaws: list[Flaw] = []
    for index, choice in enumerate(choices):
        where = f"risk_engines[{index}]"
        flaws += _weight(f"{where}.weight", choice.weight)
        if choice.version not in engines:
            flaws.append(Flaw(f"{where}.version", "unknown", "There is no such risk engine."))
    flaws += _repeated("risk_engines[{}].version", [choice.version for choice in choices])
    flaws += _weights("risk_engines", [choice.weight for choice in choices], flaws)
    if flaws:
        raise Invalid(*flaws)
    inactive = [choice.version for choice in choices if not engines[choice.version].is_active]
    if inactive:
        raise Refused(
            "invalid_status",
            f"A selector uses only active risk engines; {', '.join(inactive)} is not.",
            {"versions": inactive},
        )
    return selector


# --- what several of them need -------------------------------------------------------------------


def _name(field: str, name: str, *, empty: bool = False) -> list[Flaw]:
    if not empty and not name.strip():
        return [Flaw(field, "required", "Must not be empty.")]
    if len(name) > MAX_NAME:
        return [Flaw(field, "too_long", f"Must have at most {MAX_NAME} characters.")]
    return []


def _bounded(field: str, number: Decimal) -> list[Flaw]:
    if fits(number):
        return []
    return [Flaw(field, "out_of_range", "Must be below 10^40, with at most 40 digits.")]


def _weight(field: str, weight: Decimal) -> list[Flaw]:
    if not weight.is_finite() or not 0 <= weight <= 1:
        return [Flaw(field, "out_of_range", "Must be between 0 and 1.")]
    if int(weight.as_tuple().exponent) < -MAX_WEIGHT_DECIMALS:
        message = f"Must have at most {MAX_WEIGHT_DECIMALS} decimals."
        return [Flaw(field, "too_many_decimals", message)]
    return []


def _weights(field: str, weights: Sequence[Decimal], found: Iterable[Flaw]) -> list[Flaw]:
    """The sum is only looked at when every weight is a weight."""
    if any(flaw.field.endswith(".weight") for flaw in found):
        return []
    total = sum(map(Fraction, weights), Fraction(0))
    if total == 1:
        return []
    shown = Decimal(int(total * 10**MAX_WEIGHT_DECIMALS)).scaleb(-MAX_WEIGHT_DECIMALS).normalize()
    message = f"The weights must sum to exactly 1; they sum to {shown:f}."
    return [Flaw(field, "weights_sum", message)]


def _repeated(field: str, values: Sequence[str]) -> list[Flaw]:
    """``field`` has a place for the index; the first of equal values is right."""
    seen: Counter[str] = Counter()
    flaws = []
    for index, value in enumerate(values):
        if seen[value]:
            flaws.append(Flaw(field.format(index), "duplicate", "Is there already."))
        seen[value] += 1
    return flaws


def _content_may_change(noun: str, old: Any, new: Any) -> None:
    if old.is_frozen and new != old:
        raise Refused(
            "invalid_status",
            f"The {noun} has decided an application and cannot be changed: make a new version.",
        )


def _not_yet_active(noun: str, is_active: bool) -> None:
    if is_active:
        raise Refused("invalid_status", f"The {noun} is active already.", {"is_active": True})


def _unused(noun: str, by: str, users: Collection[str]) -> None:
    if users:
        raise Refused(
            "invalid_status",
            f"The {noun} is used by the {by} {', '.join(sorted(users))}.",
            {"used_by": sorted(users)},
        )
