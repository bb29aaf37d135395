"""A bucket in memory that takes what comes piece by piece, and can be told to fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class MemoryBucket:
    """As ``integrations/objects.py``; ``spoil`` may change what is stored."""

    objects: dict[str, bytes] = field(default_factory=dict)
    fail_after: int | None = None
    writes: int = 0

    def write(self, key: str, pieces: Iterable[bytes], content_type: str) -> int:
        """Store an object; :class:`ConnectionError` once ``fail_after`` writes are done."""
        whole = b"".join(pieces)
        self.writes += 1
        if self.fail_after is not None and self.writes > self.fail_after:
            raise ConnectionError("the bucket is away")
        self.objects[key] = whole
        return len(whole)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Its bytes, some at a time, so that hardly a chunk ends where a row does."""
        if key not in self.objects:
            raise FileNotFoundError(key)
        whole = self.objects[key][start:end]
        for place in range(0, len(whole), 61):
            yield whole[place : place + 61]
