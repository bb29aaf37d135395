from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib import runtime
from tests.handlers.toy import KEY, ToyRuntime, toy_app
from tests.http_support import Api


@pytest.fixture
def world() -> Iterator[ToyRuntime]:
    with runtime.use(ToyRuntime()) as used:
        yield used  # type: ignore[misc]


@pytest.fixture
def api(world: ToyRuntime) -> Api:
    return Api(toy_app(), KEY)
