"""Opaque places in a page: URL-safe text, good only for the very list that it came from."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from chalicelib.domain.errors import Flaw, Invalid

_TAG_BYTES = 9
_MOST = 1900


@dataclass(frozen=True, slots=True)
class Place:
    """After which sort key to go on, and the size of the whole, if it was counted."""

    after: str
    count: int | None = None


def write(place: Place, bound_to: str) -> str:
    """The cursor of a place in the list that ``bound_to`` names."""
    raw = json.dumps([place.after, place.count], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_tag(raw, bound_to) + raw).rstrip(b"=").decode()


def read(cursor: str, bound_to: str) -> Place:
    """The place again.  :class:`Invalid` (field ``cursor``) unless it was made for this list."""
    try:
        if len(cursor) > _MOST:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        packed = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        tag, raw = packed[:_TAG_BYTES], packed[_TAG_BYTES:]
        if tag != _tag(raw, bound_to):
            raise ValueError
        after, count = json.loads(raw)
        if not isinstance(after, str) or not isinstance(count, int | None):
            raise ValueError
    except ValueError:
        flaw = Flaw("cursor", "invalid", "This cursor was not made by this list.")
        raise Invalid(flaw) from None
    return Place(after, count)


def _tag(raw: bytes, bound_to: str) -> bytes:
    """Binds, but is no secret: the list to read is named by the request, never by its cursor."""
    return hashlib.blake2b(raw + b"\0" + bound_to.encode(), digest_size=_TAG_BYTES).digest()
