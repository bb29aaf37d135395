"""Carrying out a unit's operations: one conditional write, or one transaction of up to 100.

DynamoDB's answer may be lost after it has written.  Every written item therefore carries the mark
of its commit (``w``), and a transaction its token: a repetition that meets a condition that no
longer holds looks whether it was itself that changed the item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import uuid4

from pynamodb.exceptions import DoesNotExist, PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.models.calls import LOST_TRIES, TRIES, Backoff, Verdict, read, reasons, verdict
from chalicelib.models.records import Record
from chalicelib.models.store_errors import (
    AlreadyDone,
    Conflict,
    OutcomeUnknown,
    StoreError,
    TooManyOperations,
    Unavailable,
    UniqueTaken,
)
from chalicelib.models.unit import Operation

MOST_OPERATIONS = 100
_ORDER = {"check": 0, "delete": 1, "put": 2}  # pynamodb's order within a transaction
_MARK_LENGTH = 12
_FAILED = "ConditionalCheckFailed"


class Commit:
    """One commit: ``run`` returns once everything is written, or raises and nothing is.

    ``now`` is real time in seconds since 1970, from which ``ttl`` counts.
    """

    def __init__(
        self, record: type[Record], operations: Sequence[Operation], now: int, backoff: Backoff
    ) -> None:
        if len(operations) > MOST_OPERATIONS:
            raise TooManyOperations(len(operations), MOST_OPERATIONS)
        self._record = record
        self._operations = sorted(operations, key=lambda one: _ORDER[one.action])
        self._now = now
        self._backoff = backoff
        self._token = str(uuid4())
        self._mark = self._token.replace("-", "")[-_MARK_LENGTH:]
        self._lost = 0

    def run(self) -> None:
        """Write.  Raises :class:`Conflict`, :class:`UniqueTaken`, :class:`AlreadyDone`,
        :class:`Unavailable`, or :class:`OutcomeUnknown` if that cannot be told.
        """
        if not self._operations:
            return
        send = self._one() if self._is_plain() else self._all
        for tries in range(TRIES):
            try:
                send()
                return
            except PynamoDBException as error:
                if self._is_over(error, last=tries == TRIES - 1):
                    return
            self._backoff.pause(tries)

    def _is_over(self, error: PynamoDBException, *, last: bool) -> bool:
        """Whether it was written after all; false to try again.  Raises what the error means."""
        what = verdict(error)
        if what is Verdict.MISTAKE:
            raise error
        self._lost += what is Verdict.LOST
        if what is Verdict.REFUSED:
            if self._lost and self._was_mine():
                return True
            raise self._refusal(error) from error
        if last or self._lost == LOST_TRIES:
            if self._lost and self._was_mine():
                return True
            if self._lost:
                raise OutcomeUnknown(
                    "The table did not answer; it may yet do what was asked."
                ) from error
            if what is Verdict.CONTENDED:
                raise Conflict from error
            raise Unavailable(f"The table does not answer ({what.value}).") from error
        if not self._lost:
            self._token = str(uuid4())  # a cancelled transaction is over: this will be another
        return False

    # --- sending ---------------------------------------------------------------------------------

    def _is_plain(self) -> bool:
        return len(self._operations) == 1 and self._operations[0].action != "check"

    def _one(self) -> Callable[[], Any]:
        [operation] = self._operations
        item, condition = self._item(operation), self._condition(operation)
        if operation.action == "delete":
            return lambda: item.delete(condition)
        return lambda: item.save(condition)

    def _all(self) -> None:
        connection = self._record.table().connection
        with TransactWrite(connection=connection, client_request_token=self._token) as transaction:
            for operation in self._operations:
                condition = self._condition(operation)
                if operation.action == "check":
                    transaction.condition_check(
                        self._record, operation.pk, operation.sk, condition=condition
                    )
                elif operation.action == "delete":
                    transaction.delete(self._item(operation), condition)
                else:
                    transaction.save(self._item(operation), condition)

    def _item(self, operation: Operation) -> Record:
        if operation.action != "put":
            return self._record(operation.pk, operation.sk)
        item = self._record(operation.pk, operation.sk, w=self._mark, **operation.item)
        if operation.ttl_seconds is not None:
            item.ttl = self._now + operation.ttl_seconds
        return item

    def _condition(self, operation: Operation) -> Condition | None:
        record = self._record
        if operation.expect is None:
            return None
        if operation.expect == 0:
            expired = cast(Condition, record.ttl <= self._now)
            return cast(Condition, record.pk.does_not_exist() | expired)
        return cast(Condition, record.v == operation.expect)

    # --- what a failure means --------------------------------------------------------------------

    def _refusal(self, error: PynamoDBException) -> StoreError:
        failed: Sequence[Operation] = self._operations
        if why := reasons(error):
            pairs = zip(self._operations, why, strict=True)
            failed = [one for one, reason in pairs if reason and reason.code == _FAILED]
        for kind in (AlreadyDone, UniqueTaken):
            for operation in failed:
                if isinstance(operation.refusal, kind):
                    return operation.refusal
        return Conflict(tuple((one.pk, one.sk) for one in failed))

    def _was_mine(self) -> bool:
        """Whether the write of a lost answer happened; raises if the items cannot tell."""
        writes = [one for one in self._operations if one.action != "check"]
        sure_not = not writes
        for operation in writes:
            version, mark = self._present(operation)
            if operation.action == "put" and mark == self._mark:
                return True
            if operation.action == "put" and operation.expect is not None:
                # still as it was before, or somebody else's first version
                sure_not |= version == operation.expect or version == operation.item["v"] == 1
            elif operation.expect is not None:
                sure_not |= version == operation.expect
        if sure_not:
            return False
        if all(one.action == "delete" for one in writes):
            return all(self._present(one)[0] == 0 for one in writes)
        raise OutcomeUnknown("The answer was lost, and the items have changed since.")

    def _present(self, operation: Operation) -> tuple[int, str | None]:
        """Version and mark of what is there now; version 0 for nothing."""
        record = self._record
        try:
            item = read(
                lambda: record.get(operation.pk, operation.sk, consistent_read=True), self._backoff
            )
        except DoesNotExist:
            return 0, None
        except Unavailable as error:
            raise OutcomeUnknown("The table did not answer; it may have written.") from error
        if item.ttl is not None and item.ttl <= self._now:
            return 0, None
        return item.v, item.w
