"""How the store says that a commit did not happen, or that it cannot tell."""

from __future__ import annotations


class StoreError(Exception):
    """Anything that keeps the store from answering."""


class Conflict(StoreError):
    """Somebody else changed, made or removed one of the items: load, decide and commit again.

    ``keys`` are the ``(pk, sk)`` pairs that were not as they had been read.
    """

    def __init__(self, keys: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__("An item was changed at the same time.")
        self.keys = keys


class UniqueTaken(StoreError):
    """What had to be unique is already there: ``scope`` (``"selector.product"``) and ``value``."""

    def __init__(self, scope: str, value: str) -> None:
        super().__init__(f"The {scope} is taken.")
        self.scope = scope
        self.value = value


class AlreadyDone(StoreError):
    """The idempotency key was used before: ``recall`` it and answer as then."""

    def __init__(self, key: str) -> None:
        super().__init__("A request with this idempotency key was already done.")
        self.key = key


class Unavailable(StoreError):
    """The table throttles, fails or does not answer, retries included.  Nothing was written."""


class OutcomeUnknown(Unavailable):
    """An answer was lost, and whether the write happened can no longer be told from the items.

    Not to be repeated blindly: what must happen once goes with an idempotency record.
    """


class TooManyOperations(StoreError):
    """A unit of more operations than one transaction takes (100): a mistake of the caller."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(f"{count} operations in one unit; a transaction takes {most}.")
        self.count = count
