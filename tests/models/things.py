"""Small kinds to try the store with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import CancellationReason, VerboseClientError

from chalicelib.models.kinds import Kind
from chalicelib.models.store import Store

NOW = datetime(2024, 1, 31, 9, 0, tzinfo=UTC)
ONE, TWO = "partner-1", "partner-2"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with a status, an owner and perhaps a date on which it is due."""

    id: str
    status: str = "new"
    owner: str | None = None
    amount: Decimal = Decimal("0.00")
    due: date | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A numbered part of a thing, in the same partition."""

    thing: str
    seq: int
    text: str = ""


def _prefix(an_id: str) -> dict[str, object]:
    return {"prefix": an_id[:4]}


THING: Kind[Thing] = Kind(
    "thing",
    "tests.models.things:Thing",
    pk="{partner}#THING#{id}",
    list="{partner}#THING",
    status="{partner}#THING#{status}",
    owner="{partner}#THING#OWNER#{owner}",
    due="{partner}#DUE",
    due_at="{due}",
)
HEAD: Kind[Thing] = Kind(
    "head", "tests.models.things:Thing", pk="{partner}#G#{prefix}", sk="A#HEAD", parts=_prefix
)
PART: Kind[Part] = Kind(
    "part",
    "tests.models.things:Part",
    pk="{partner}#G#{prefix}",
    sk="J#{seq:08d}",
    id_of="thing",
    parts=_prefix,
)


class Faults:
    """Failures of the next calls to DynamoDB, in order, instead of them or after them."""

    def __init__(self, store: Store) -> None:
        self._connection = store._record.table().connection
        self._real = self._connection.dispatch
        self._script: list[tuple[str, Exception]] = []
        self.calls: list[str] = []
        self.arguments: list[dict[str, Any]] = []
        self._connection.dispatch = self._dispatch  # type: ignore[method-assign]

    def instead(self, *errors: Exception) -> None:
        """The next calls do nothing and fail."""
        self._script += [("instead", error) for error in errors]

    def after(self, *errors: Exception) -> None:
        """The next calls are carried out, and their answer is lost."""
        self._script += [("after", error) for error in errors]

    def _dispatch(self, operation: str, arguments: dict[str, Any]) -> Any:
        self.calls.append(operation)
        self.arguments.append(arguments)
        when, error = self._script.pop(0) if self._script else ("", None)
        if error is None:
            return self._real(operation, arguments)
        if when == "after":
            self._real(operation, arguments)
        raise error


def refused(code: str, *reasons: str, status: int = 400) -> VerboseClientError:
    """DynamoDB's error of this code; ``reasons`` are a cancelled transaction's."""
    why = [None if reason == "None" else CancellationReason(reason) for reason in reasons]
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return VerboseClientError(response, "Operation", {}, cancellation_reasons=why)


def timeout() -> ReadTimeoutError:
    """No answer in time."""
    return ReadTimeoutError(endpoint_url="http://table")
