"""``Thing`` as the next release has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from chalicelib.models.kinds import Kind
from tests.models.things import THING


@dataclass(frozen=True, slots=True)
class Newer:
    """A thing that also has a colour and a grade."""

    id: str
    status: str = "new"
    owner: str | None = None
    amount: Decimal = Decimal("0.00")
    due: date | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    colour: str = ""
    grade: Literal["plain", "fine", "superb"] = "plain"


@dataclass(frozen=True, slots=True)
class Narrower:
    """The release before it knew of ``superb``."""

    id: str
    grade: Literal["plain", "fine"] = "plain"


@dataclass(frozen=True, slots=True)
class Careless:
    """A release whose new field has no default."""

    id: str
    colour: str


def _as(name: str) -> Kind[Any]:
    return Kind("thing", f"tests.models.newer_things:{name}", pk=THING.pk, list=THING.list)


NEWER, NARROWER, CARELESS = _as("Newer"), _as("Narrower"), _as("Careless")
"""The very kind ``thing``, as other releases read it."""
EXTRA: Kind[Newer] = Kind("extra", "tests.models.newer_things:Newer", pk=THING.pk, sk="EXTRA")
"""A kind that only the next release has, in a thing's partition."""
