"""The part of the composition root that measures: requests, runs, calls, read and write units.

It looks on.  Nothing here decides anything, and nothing here may stop what it looks at.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

from chalicelib import metrics, runtime

if TYPE_CHECKING:
    from chalicelib.domain.partners import Partner
    from chalicelib.integrations.transport import Attempt
    from chalicelib.models.records import CapacityHook
    from chalicelib.runtime import Runtime
    from chalicelib.usecases.context import Context

HTTP = "api_handler"
"""What Lambda's function of all routes is called."""

API_PREFIX = "/api/v1"
WAITING = frozenset({"POST /sandbox/clock"})
"""Answered when something else is done: how long that took says nothing of the API."""

SERVER_ERROR, TOO_MANY, UNAVAILABLE = 500, 429, 503
AGAIN = (TOO_MANY, UNAVAILABLE)
"""What the same request may get past a little later: counted apart from mistakes and faults."""

READING = frozenset({"GetItem", "BatchGetItem", "Query", "TransactGetItems", "Scan"})
REFUSED_ACCESS = (
    "AccessDenied",
    "KMS",
    "DecryptionFailure",
    "UnrecognizedClient",
    "InvalidSignature",
)
MOST_CAUSES = 8

_warm: set[str] = set()


# --- requests and runs ----------------------------------------------------------------------------


def request(method: str, route: str, status: int, seconds: float, context: Any) -> None:
    """A request was answered; ``route`` is its template, never what was asked for."""
    edge = runtime.get()
    name = f"{method or 'other'} {route.removeprefix(API_PREFIX) or '/'}" if route else "unmatched"
    answer = str(status) if status in AGAIN else f"{status // 100}xx"
    edge.count(metrics.REQUESTS, 1, answer=answer)
    if name not in WAITING:
        edge.count(metrics.REQUEST_LATENCY, round(seconds * 1000, 1), route=name)
    if status >= SERVER_ERROR and status not in AGAIN:
        edge.count(metrics.SERVER_ERRORS, 1, route=name)
    _invoked(edge, HTTP, seconds, context)
    edge.flush()


def measured(name: str, work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A scheduled or queue function that tells how its runs go."""

    @wraps(work)
    def run(event: Any) -> Any:
        begun, well = time.perf_counter(), False
        try:
            answer = work(event)
            well = True
            return answer
        except Exception as error:
            failed(runtime.get(), error)
            raise
        finally:
            seconds = time.perf_counter() - begun
            edge = runtime.get()
            edge.count(metrics.JOB_RUNS if well else metrics.JOB_FAILURES, 1, function=name)
            _invoked(edge, name, seconds, getattr(event, "context", None))
            edge.flush()

    return run


def _invoked(edge: Runtime, function: str, seconds: float, context: Any) -> None:
    if function not in _warm:
        _warm.add(function)
        edge.count(metrics.COLD_STARTS, 1, function=function)
    try:
        megabytes = int(context.memory_limit_in_mb)
    except (AttributeError, TypeError, ValueError):
        return  # not started by Lambda, nor by what stands in for it
    edge.count(metrics.COMPUTE, round(seconds * megabytes / 1024, 6), function=function)


# --- errors ---------------------------------------------------------------------------------------


def failed(edge: Runtime, error: BaseException) -> None:
    """Something unexpected was raised: was it a key, or a secret, that could not be had?"""
    service = refused_by(error)
    if service is not None:
        edge.count(metrics.KEY_ERRORS, 1, service=service)


def refused_by(error: BaseException) -> str | None:
    """The service that refused access, if an error or what caused it says so."""
    found: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if found is None:
            return None
        response = getattr(found, "response", None)
        told = response.get("Error", {}) if isinstance(response, dict) else {}
        code = str(told.get("Code", ""))
        if code.startswith(REFUSED_ACCESS):
            return (
                "kms" if "KMS" in f"{code} {told.get('Message', '')}".upper() else _service(found)
            )
        found = getattr(found, "cause", None) or found.__cause__ or found.__context__
    return None


def _service(error: BaseException) -> str:
    operation = str(getattr(error, "operation_name", ""))
    return "secrets" if "Secret" in operation else "other"


# --- providers ------------------------------------------------------------------------------------


def heard(edge: Runtime, attempt: Attempt) -> None:
    """Note how a call to a provider went: never its contents."""
    edge.logger.info(
        "provider",
        extra={
            "provider": attempt.provider,
            "operation": attempt.operation,
            "attempt": attempt.number,
            "status": attempt.status,
            "error": attempt.error,
            "ms": round(attempt.seconds * 1000, 1),
        },
    )
    kind = kind_of(attempt)
    edge.count(metrics.PROVIDER_FAILING, int(attempt.failed), provider=attempt.provider)
    if kind is not None:
        edge.count(metrics.PROVIDER_ERRORS, 1, provider=attempt.provider, kind=kind)
    if kind == "circuit_open":
        return
    named = {"provider": attempt.provider, "operation": attempt.operation}
    edge.count(metrics.PROVIDER_CALLS, 1, provider=attempt.provider)
    edge.count(metrics.PROVIDER_LATENCY, round(attempt.seconds * 1000, 1), **named)


def kind_of(attempt: Attempt) -> str | None:
    """How a try failed, in a word of few; ``None`` if its answer is no fault of theirs."""
    if attempt.error is None:
        if attempt.status == TOO_MANY:
            return str(TOO_MANY)
        return "5xx" if attempt.failed else None
    if attempt.error == "CircuitOpen":
        return "circuit_open"
    if "Timeout" in attempt.error:
        return "timeout"
    return "connection" if "Connection" in attempt.error or "SSL" in attempt.error else "other"


# --- the table ------------------------------------------------------------------------------------


def capacity(edge: Runtime) -> CapacityHook:
    """What the store is given to be heard: units by operation."""

    def used(operation: str, in_table: float, in_indexes: float) -> None:
        metric = metrics.READ_UNITS if operation in READING else metrics.WRITE_UNITS
        edge.count(metric, in_table + in_indexes, operation=operation)

    return used


# --- days -----------------------------------------------------------------------------------------

LATE = timedelta(hours=1)
BOOK_EVERY_SECONDS = 2.0
_book_told = 0.0


class Round:
    """One walk past all partners: how far behind the worst is, and the book of them all."""

    def __init__(self, edge: Runtime) -> None:
        self.partners = 0
        self._edge = edge
        self._worst = timedelta()
        self._late = 0
        self._book: Counter[str] = Counter()

    def saw(self, partner: Partner) -> None:
        """One more partner."""
        self.partners += 1
        edge = self._edge
        try:
            from chalicelib.usecases import measuring

            lag = measuring.behind(edge.context_for(partner))
            self._worst = max(self._worst, lag)
            self._late += lag > LATE
            if edge.config.counts_book:
                self._book.update(measuring.book_of(edge.store, partner))
        except Exception as error:
            edge.report("a partner could not be looked at", error, partner_id=partner.id)

    def tell(self) -> None:
        """What all of them came to."""
        edge = self._edge
        edge.count(metrics.CLOSE_LAG, round(self._worst.total_seconds()))
        edge.count(metrics.PARTNERS_BEHIND, self._late)
        _tell_book(edge, self._book)


def day_closed(edge: Runtime, ctx: Context) -> None:
    """A partner's day is closed: its loans are counted.

    A sandbox's days are shorter than the hour after which the book is told, so it is told at once.
    """
    global _book_told
    if not edge.config.counts_book:
        return
    try:
        from chalicelib.usecases import days, measuring

        measuring.count_book(ctx)
        if ctx.partner.sandbox and time.monotonic() - _book_told > BOOK_EVERY_SECONDS:
            _book_told = time.monotonic()
            book: Counter[str] = Counter()
            for partner in days.every_partner(edge.store):
                book.update(measuring.book_of(edge.store, partner))
            _tell_book(edge, book)
    except Exception as error:
        edge.report("the book could not be counted", error, partner_id=ctx.partner.id)


def _tell_book(edge: Runtime, book: Counter[str]) -> None:
    for status, number in book.items():
        edge.count(metrics.LOANS_IN_BOOK, number, status=status)
