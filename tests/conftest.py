"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.stack import Stack, running_stack

# The same examples in every run; HYPOTHESIS_PROFILE=exploring draws new ones, and more of them.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("exploring", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole laptop stack with the real application, started once for the session."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


LONG = ("year/test_month.py", "usecases/test_daily_files.py", "scenarios/test_fault_matrix.py")
"""Files whose few tests take minutes: begun last, they would keep one worker alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use the stack are marked; a file's tests stay on one worker (--dist loadfile).

    The long files come first, then those with many tests (--no-loadscope-reorder leaves it so).
    """
    many = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[bool, int, str]:
        path = item.path.as_posix()
        return not path.endswith(LONG), -many[item.path], path

    items.sort(key=place)
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)
