"""Which messages a worker had in hand, so that its successor frees them at once.

SQS would show them again only after their visibility time.  An append-only file of one line each
survives a kill; every line is ``+`` or ``-``, the queue's URL and the receipt handle.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path

_COMPACT_AFTER_LINES = 5_000


class Receipts:
    """The messages in hand; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held: set[tuple[str, str]] = set()
        self._lines = 0
        self.orphans = _held_in(path)
        self._file = path.open("w", encoding="utf-8")

    def take(self, queue_url: str, handles: Iterable[str]) -> None:
        """These messages are in hand from now on."""
        with self._lock:
            for handle in handles:
                self._held.add((queue_url, handle))
                self._write("+", queue_url, handle)
            self._file.flush()

    def give(self, queue_url: str, handles: Iterable[str]) -> None:
        """These are done, or have failed and wait for their visibility time."""
        with self._lock:
            for handle in handles:
                self._held.discard((queue_url, handle))
                self._write("-", queue_url, handle)
            self._file.flush()
            if self._lines > _COMPACT_AFTER_LINES:
                self._compact()

    def held(self) -> list[tuple[str, str]]:
        """What is in hand now."""
        with self._lock:
            return sorted(self._held)

    def _write(self, sign: str, queue_url: str, handle: str) -> None:
        self._file.write(json.dumps([sign, queue_url, handle]) + "\n")
        self._lines += 1

    def _compact(self) -> None:
        self._file.close()
        draft = self._path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            for queue_url, handle in sorted(self._held):
                file.write(json.dumps(["+", queue_url, handle]) + "\n")
        draft.replace(self._path)
        self._file = self._path.open("a", encoding="utf-8")
        self._lines = len(self._held)


def _held_in(path: Path) -> list[tuple[str, str]]:
    """What an earlier worker took and did not give back; a torn last line is left out."""
    held: dict[tuple[str, str], None] = {}
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.exists() else []
    for line in lines:
        try:
            sign, queue_url, handle = json.loads(line)
        except ValueError:
            continue
        if sign == "+":
            held[(queue_url, handle)] = None
        else:
            held.pop((queue_url, handle), None)
    return list(held)
