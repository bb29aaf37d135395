"""What the simulator holds, in its one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from local.gocardless.organisation import Head, Organisation
from local.simulating.store import Keep

FILE = "gocardless.sqlite"


class Store(Keep):
    """The file ``gocardless.sqlite`` of a directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, FILE)

    def load(self, new_id: Callable[[str], str]) -> Iterator[Organisation]:
        """All organisations as they were."""
        return self.revive(lambda doc: Organisation(Head(**doc), new_id))
