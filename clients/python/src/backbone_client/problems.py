"""What goes wrong, as exceptions: one class for each kind that a caller treats differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field of a request; nested ones are named ``rules[1].weight``."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """The API refused (RFC 9457), or did not answer sensibly.

    ``status`` is the HTTP status, 0 where there was no answer at all; ``code`` is one of the
    documented codes, empty where the answer was no problem document.  ``request_id`` is what the
    service's operator finds the request by.
    """

    def __init__(
        self,
        what: str,
        status: int,
        *,
        code: str = "",
        title: str = "",
        detail: str = "",
        errors: tuple[FieldError, ...] = (),
        request_id: str | None = None,
    ) -> None:
        said = "; ".join(f"{each.field}: {each.message}" for each in errors)
        # A service may repeat its flaws in the detail.
        parts = [detail or title or "no reason given", *([said] if said not in detail else [])]
        super().__init__(
            f"{what}: {status or 'no answer'} {code}".rstrip() + f" ({'; '.join(parts)})"
        )
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.errors, self.request_id = errors, request_id

    def __reduce__(self) -> tuple[Any, ...]:
        """It can be sent from one process to another."""
        return _again, (type(self), str(self), vars(self))


def _again(kind: type[Problem], message: str, values: Mapping[str, Any]) -> Problem:
    made = kind.__new__(kind, message)
    vars(made).update(values)
    return made


class Invalid(Problem):
    """400: values are malformed or not allowed; ``errors`` names every bad field."""


class NotAuthenticated(Problem):
    """401: the key is missing, unknown or revoked."""


class NotFound(Problem):
    """404: there is no such thing, or it is not yours."""


class Conflict(Problem):
    """409: well formed, but the state of things forbids it; ``code`` says why."""


class Unavailable(Problem):
    """429, 502, 503 or 504: still so after every try; the same request may be sent later."""


class NoAnswer(Unavailable):
    """No answer came, however often it was tried: whether anything was done is not known.

    Send the same request with the same idempotency key to find out.
    """


class NotUnderstood(Problem):
    """An answer that this API does not give: not JSON, a redirect, a field of another type."""


_BY_STATUS: Mapping[int, type[Problem]] = {
    400: Invalid,
    401: NotAuthenticated,
    404: NotFound,
    409: Conflict,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def problem(what: str, status: int, document: Any, request_id: str | None) -> Problem:
    """The exception for an answer that is no success; ``document`` is its parsed body, if any."""
    said = document if isinstance(document, dict) else {}
    flaws = said.get("errors")
    return _BY_STATUS.get(status, Problem)(
        what,
        status,
        code=_text(said, "code"),
        title=_text(said, "title"),
        detail=_text(said, "detail"),
        errors=tuple(
            FieldError(_text(each, "field"), _text(each, "code"), _text(each, "message"))
            for each in (flaws if isinstance(flaws, list) else ())
            if isinstance(each, dict)
        ),
        request_id=_text(said, "request_id") or request_id,
    )


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return "" if value is None else str(value)
