"""The real application over a table in memory, with two partners and a clock that stands still.

For tests of handlers: what differs from the runtime of a stage is only where the table is, who the
keys belong to and what time it is.  Application and table are made once; every test has new
partners, who see nothing of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from chalicelib import runtime
from chalicelib.domain.partners import Partner
from chalicelib.handlers import events
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.http import Backbone
from chalicelib.models.store import Store
from chalicelib.runtime import Runtime
from chalicelib.usecases.keyring import key_hash
from tests.http_support import Api
from tests.support import forget_versions, memory_store

KEY, OTHER_KEY = "test-key-of-the-first-partner", "test-key-of-the-second-partner"
TODAY = date(2026, 3, 2)


class StandingRuntime(Runtime):
    """The real runtime with another table, other keys and the time that the test says."""

    def __init__(self, keys: Mapping[str, Partner], today: date = TODAY) -> None:
        super().__init__(sleep=lambda _: None)
        forget_versions()
        self.today = today
        self.store = _store()
        self.config = SimpleNamespace(  # type: ignore[assignment]
            stage="test",
            version="1.2.3",
            public_base_url=None,
            log_level="INFO",
            csv_limit_bytes=5_000_000,
            sandbox=False,
            gocardless_url=None,
            webhook_seconds=15.0,
        )
        self._keys = {key_hash(key): partner for key, partner in keys.items()}

    def identify(self, hashed: str) -> Partner | None:
        """Whose key this is."""
        return self._keys.get(hashed)

    def moment(self, partner: Partner) -> tuple[datetime, date]:
        """Nine in the morning of the test's business date."""
        return datetime.combine(self.today, time(9), UTC), self.today

    def dispatch(self, messages: Any) -> None:
        """Nothing takes messages away here."""


@dataclass
class Served:
    """Both partners' clients; ``world.today`` may be moved."""

    world: StandingRuntime
    api: Api
    other: Api


@contextmanager
def serve() -> Iterator[Served]:
    """Serve every resource to two new partners while the block lasts."""
    world = StandingRuntime({KEY: Partner(str(uuid4())), OTHER_KEY: Partner(str(uuid4()))})
    with runtime.use(world):
        yield Served(world, Api(_app(), KEY), Api(_app(), OTHER_KEY))


@cache
def _store() -> Store:
    return memory_store()


@cache
def _app() -> Backbone:
    app = Backbone(app_name="served", configure_logs=False)
    app.mount(RESOURCES)
    runtime.compose(events.event_data)
    return app
