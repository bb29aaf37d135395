"""Rules are reported under their own words: ``pytest -vv tests/rules`` reads like the contract."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: Any
) -> Generator[None, Any, Any]:
    """A rule's tests are named by its sentence; ``-k`` finds them by the function's name too."""
    found = yield
    quoted = getattr(obj, "quoted", None)
    return [_titled(item, quoted.title, obj) for item in found] if quoted and found else found


def _titled(item: pytest.Function, title: str, test: Any) -> pytest.Function:
    case = item.callspec.id
    titled = pytest.Function.from_parent(
        item.parent,
        name=f"{title}[{case}]",
        callspec=item.callspec,
        callobj=test,
        fixtureinfo=item._fixtureinfo,
        keywords={case: True},
        originalname=title,
    )
    titled.extra_keyword_matches.add(item.originalname)
    return titled
