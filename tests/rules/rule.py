"""A test that is titled with the sentence it is about, and the table of its cases.

    @rule("Interest never bears interest.", {"after a leap year": ("366", "366.00")})
    def test_simple_interest(nights: str, interest: str) -> None: ...

``conftest.py`` makes the sentence the test's title; ``test_sentences.py`` holds sentences and
``sentences.txt`` together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LIST = Path(__file__).with_name("sentences.txt")


@dataclass(frozen=True)
class Quoted:
    """What a test is about: a whole sentence, and where it has several parts, which of them."""

    sentence: str
    part: str | None

    @property
    def title(self) -> str:
        """The test's name in a report."""
        words = self.sentence.rstrip(".;:")
        return words if self.part is None else f"{words} → “{self.part}”"


def rule(
    sentence: str,
    rows: Mapping[str, Any],
    *,
    part: str | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Title a test with ``sentence`` and run it on every row: name of the case -> its arguments.

    ``part`` are the words of the sentence that the table is about, where it is not all of it.
    """

    def titled(test: Callable[..., None]) -> Callable[..., None]:
        names = list(inspect.signature(test).parameters)
        params = []
        for case, values in rows.items():
            given = values if len(names) > 1 else (values,)
            params.append(pytest.param(*given, id=case))
        test.quoted = Quoted(sentence, part)  # type: ignore[attr-defined]
        return pytest.mark.parametrize(names, params)(test)

    return titled


def listed() -> dict[str, list[str]]:
    """The rules by their headings, as they stand in the list."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
            found[heading] = []
        elif line:
            found[heading].append(line)
    return found
