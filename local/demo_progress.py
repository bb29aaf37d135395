"""How the demo says how far it is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.demo_stage import Narrator

if TYPE_CHECKING:
    from rich.progress import Progress


class Lines:
    """Plain lines."""

    def steps(self, more: int) -> None:
        """Nothing to show."""

    def done(self, steps: int, doing: str) -> None:
        """Nothing to show."""

    def say(self, line: str) -> None:
        """The line."""
        print(line, flush=True)


class Bar:
    """A bar with the lines above it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=0)
        self._total = 0

    def steps(self, more: int) -> None:
        """A longer bar."""
        self._total += more
        self._progress.update(self._task, total=self._total)

    def done(self, steps: int, doing: str) -> None:
        """Further along."""
        self._progress.update(self._task, advance=steps, description=doing)

    def say(self, line: str) -> None:
        """The line, as it is: nothing in it is markup."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def narrator() -> Iterator[Narrator]:
    """What suits standard output; the bar is taken away at the end."""
    if not sys.stdout.isatty():
        yield Lines()
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, transient=True) as progress:
        yield Bar(progress)
