"""What an example is made of: a body in which references stand for living things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

_SHOWN = UUID("5f0c5a52-6b6d-4f0e-9f0e-0f6a3a1c7d10")


@dataclass(frozen=True, slots=True)
class Ref:
    """The id of a thing of this kind (``attribute``: another of its fields)."""

    kind: str
    attribute: str = "id"


@dataclass(frozen=True, slots=True)
class Example:
    """One request: ``body`` for the thing at ``at`` (the path's variables; a kind says its id).

    ``refused`` is the problem that it is answered with where a provider is not configured.
    """

    summary: str
    body: Any
    at: str | tuple[Ref, ...] = ()
    refused: str | None = None

    @property
    def path(self) -> tuple[Ref, ...]:
        """What stands in the path, outermost first."""
        return (Ref(self.at),) if isinstance(self.at, str) else self.at

    def filled(self, living: Any) -> Any:
        """The body with ``living(ref)`` in the place of each :class:`Ref`."""
        return _filled(self.body, living)


def uuid_of(kind: str) -> str:
    """The id that the document shows for a kind."""
    return str(uuid5(_SHOWN, kind))


def _filled(value: Any, living: Any) -> Any:
    if isinstance(value, Ref):
        return living(value)
    if isinstance(value, Mapping):
        return {name: _filled(each, living) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, living) for each in value]
    return value
