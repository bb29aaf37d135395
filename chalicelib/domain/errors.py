"""How the domain says no.

A pure decision either returns a :class:`~chalicelib.domain.decision.Decision` or raises one of the
two exceptions below.  Neither knows of HTTP: ``handlers/http.py`` holds the table from code to
status (``contract: 1-conventions, Errors``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """The request is well formed, but the state of the thing forbids it.

    ``code`` is one of the contract's codes (``credit_limit_exceeded``), ``message`` says what
    happened with the figures in it, ``facts`` holds the same figures for machines and logs (never
    a secret, a bank detail or a birth date).
    """

    def __init__(self, code: str, message: str, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = dict(facts or {})


@dataclass(frozen=True, slots=True)
class Flaw:
    """One bad field of a request: ``field`` as ``rules[1].weight``, ``code``, ``message``."""

    field: str
    code: str
    message: str


class Invalid(Exception):
    """The request's values cannot be accepted whatever the state: a 400 that lists every flaw."""

    def __init__(self, *flaws: Flaw, code: str = "validation_error") -> None:
        super().__init__("; ".join(f"{flaw.field}: {flaw.message}" for flaw in flaws))
        self.flaws = flaws
        self.code = code


class NotFound(Exception):
    """There is no such thing for this partner (another partner's id is the same answer)."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.")
        self.what = what
