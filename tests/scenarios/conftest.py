from __future__ import annotations

from collections.abc import Iterator

import pytest

from app import app
from chalicelib import runtime
from tests.http_support import Api
from tests.scenarios.partner import Partner
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-scenarios"


@pytest.fixture
def world() -> Iterator[World]:
    with runtime.use(World()) as used:
        runtime.bootstrap(KEY)
        yield used  # type: ignore[misc]


@pytest.fixture
def partner(world: World) -> Partner:
    return Partner(Api(app, KEY))
