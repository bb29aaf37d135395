"""Exact money: the one precision, and the three roundings that the contract knows.

Everything inside the ledger is computed with 40 significant digits (partner API, "Money inside the
ledger").  A night's interest and what is billed are kept to 10 decimals, half even; what is shown
or collected is whole pence, half up.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, getcontext, setcontext
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)
ZERO = Decimal(0)
PENNY = Decimal("0.01")
HALF_PENNY = Decimal("0.005")
TEN_PLACES = Decimal("1e-10")
HAIR = Decimal("1e-20")


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Run ``function`` with 40 significant digits, whatever the caller's context is."""

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        outer = getcontext()
        setcontext(EXACT)
        try:
            return function(*args, **kwargs)
        finally:
            setcontext(outer)

    return inner


def pence(value: Decimal) -> Decimal:
    """As shown and as collected: two decimals, half up."""
    return value.quantize(PENNY, ROUND_HALF_UP, EXACT)


def without_hair(value: Decimal) -> Decimal:
    """A figure of a plan as it is meant: shares are exact to 40 digits only.

    The sum of three sixths of 1.03 lies a hair below the half penny that it is, and would be shown
    a penny low.
    """
    return value.quantize(HAIR, ROUND_HALF_EVEN, EXACT)


def ten_places(value: Decimal) -> Decimal:
    """As kept: ten decimals, half even."""
    return value.quantize(TEN_PLACES, ROUND_HALF_EVEN, EXACT)


def clamp(value: Decimal, low: Decimal, high: Decimal) -> Decimal:
    """``value`` brought between ``low`` and ``high``."""
    return max(low, min(value, high))
