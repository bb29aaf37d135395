"""API keys in the container: whose key is this, without asking the store each time.

A revoked key works on for at most 60 seconds (partner API, Conventions); so does the memory that a
key is unknown.  Both memories are bounded, apart, so that guessing cannot push good keys out.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.domain.partners import Partner

TTL_SECONDS = 60.0
MAX_KNOWN = 1024
MAX_UNKNOWN = 4096

_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)


def key_hash(key: str) -> str:
    """SHA-256 in hex: keys are random 32 bytes and more, so nothing slower is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


class Keyring:
    """Partners by their key's hash, remembered for 60 seconds.

    ``identify`` asks the store (None: unknown or revoked); ``monotonic`` gives seconds.  Only the
    hash is kept, and looking up is by equality of hashes of secrets, which tells an attacker who
    times it nothing about a key.
    """

    def __init__(
        self, identify: Callable[[str], Partner | None], monotonic: Callable[[], float]
    ) -> None:
        self._identify = identify
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[float, Partner]] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def partner(self, key: str | None) -> Partner | None:
        """Whose key ``key`` is; None for a missing, malformed, unknown or revoked one alike."""
        if key is None or not _KEY.fullmatch(key):
            return None
        hashed = key_hash(key)
        now = self._monotonic()
        with self._lock:
            known = self._known.get(hashed)
            if known is not None and known[0] > now:
                return known[1]
            if self._unknown.get(hashed, now) > now:
                return None
        found = self._identify(hashed)
        with self._lock:
            self._forget(hashed)
            if found is None:
                self._unknown[hashed] = now + TTL_SECONDS
                if len(self._unknown) > MAX_UNKNOWN:
                    self._unknown.popitem(last=False)
            else:
                self._known[hashed] = (now + TTL_SECONDS, found)
                if len(self._known) > MAX_KNOWN:
                    self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        """Drop everything: after a partner or a key was changed in this container."""
        with self._lock:
            self._known.clear()
            self._unknown.clear()

    def _forget(self, hashed: str) -> None:
        self._known.pop(hashed, None)
        self._unknown.pop(hashed, None)
