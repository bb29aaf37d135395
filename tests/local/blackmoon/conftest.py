"""One simulator a test file; every test has a partner of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.local.blackmoon.support import Partner, Running, running

NUMBERS = count(1)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("blackmoon")) as found:
        yield found


@pytest.fixture
def partner(simulator: Running) -> Partner:
    return simulator.partner(f"partner-{next(NUMBERS)}")
