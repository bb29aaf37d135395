"""One way to call DynamoDB: what its errors mean, and when to try again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from pynamodb.exceptions import CancellationReason, PynamoDBException, TransactWriteError

from chalicelib.models.store_errors import Unavailable

R = TypeVar("R")


class Verdict(Enum):
    """What an error says about the call."""

    REFUSED = "a condition does not hold: nothing was written"
    CONTENDED = "another write to the same item is under way: nothing was written"
    BUSY = "throttled or not reached: nothing was written"
    LOST = "failed on the way or inside: it may have been written"
    MISTAKE = "will never succeed"


_BY_CODE = {
    "ConditionalCheckFailedException": Verdict.REFUSED,
    "TransactionConflictException": Verdict.CONTENDED,
    "ReplicatedWriteConflictException": Verdict.CONTENDED,
    "ProvisionedThroughputExceededException": Verdict.BUSY,
    "ThrottlingException": Verdict.BUSY,
    "Throttling": Verdict.BUSY,
    "RequestLimitExceeded": Verdict.BUSY,
    "TransactionInProgressException": Verdict.LOST,
    "InternalServerError": Verdict.LOST,
    "InternalServerErrorException": Verdict.LOST,
    "InternalFailure": Verdict.LOST,
    "ServiceUnavailable": Verdict.LOST,
    "ServiceUnavailableException": Verdict.LOST,
}
_BY_REASON = {
    "ConditionalCheckFailed": Verdict.REFUSED,
    "TransactionConflict": Verdict.CONTENDED,
    "ProvisionedThroughputExceeded": Verdict.BUSY,
    "ThrottlingError": Verdict.BUSY,
    "ThrottlingException": Verdict.BUSY,
}
_WORST_FIRST = (Verdict.MISTAKE, Verdict.REFUSED, Verdict.CONTENDED, Verdict.BUSY)


def verdict(error: PynamoDBException) -> Verdict:
    """What a failed call means."""
    cause = error.cause
    if isinstance(cause, ClientError):
        code = cause.response.get("Error", {}).get("Code", "")
        if code == "TransactionCanceledException":
            found = {_BY_REASON.get(r.code, Verdict.MISTAKE) for r in reasons(error) if r}
            return next((one for one in _WORST_FIRST if one in found), Verdict.MISTAKE)
        status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _BY_CODE.get(code, Verdict.LOST if status >= 500 else Verdict.MISTAKE)
    if isinstance(cause, ConnectTimeoutError | EndpointConnectionError):
        return Verdict.BUSY
    if isinstance(cause, HTTPClientError | BotoConnectionError):
        return Verdict.LOST
    return Verdict.MISTAKE


def reasons(error: PynamoDBException) -> list[CancellationReason | None]:
    """Why a transaction was cancelled, operation by operation; empty for other errors."""
    return error.cancellation_reasons if isinstance(error, TransactWriteError) else []


@dataclass(frozen=True, slots=True)
class Backoff:
    """Growing pauses with full jitter: ``uniform(low, high)`` seconds, by ``sleep``."""

    sleep: Callable[[float], None]
    uniform: Callable[[float, float], float]
    first_seconds: float = 0.02
    longest_seconds: float = 1.0

    def pause(self, tries: int) -> None:
        """Wait after try number ``tries``, counted from 0."""
        self.sleep(self.uniform(0, min(self.longest_seconds, self.first_seconds * 2**tries)))

    def pause_bounded(self, tries: int) -> None:
        """The same after ``tries`` times in a row without progress; at last it gives up."""
        if tries >= TRIES:
            raise Unavailable("The table leaves requests unprocessed.")
        self.pause(tries)


TRIES = 8
LOST_TRIES = 3


def read(call: Callable[[], R], backoff: Backoff) -> R:
    """The answer of a reading call, tried again while the table is busy or out of reach."""
    lost = 0
    for tries in range(TRIES):
        try:
            return call()
        except PynamoDBException as error:
            what = verdict(error)
            if what in (Verdict.MISTAKE, Verdict.REFUSED):
                raise
            lost += what is Verdict.LOST
            if lost == LOST_TRIES or tries == TRIES - 1:
                raise Unavailable(f"The table does not answer ({what.value}).") from error
        backoff.pause(tries)
    raise AssertionError("unreachable")
