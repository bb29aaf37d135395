"""What must be unique and is not: a refusal that says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.domain.errors import Refused
from chalicelib.models.store_errors import UniqueTaken


@contextmanager
def unique(scope: str, message: str) -> Iterator[None]:
    """Around a commit that claims something in ``scope``: taken is ``409 conflict``."""
    try:
        yield
    except UniqueTaken as taken:
        if taken.scope != scope:
            raise
        raise Refused("conflict", message) from taken
