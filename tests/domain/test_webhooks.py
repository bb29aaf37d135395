"""Endpoints' events and the rotation of their secrets."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain import webhooks
from chalicelib.domain.errors import Invalid
from chalicelib.domain.webhooks import Endpoint, Secret, Secrets

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(hours=24)


def test_a_secret_of_32_bytes() -> None:
    text = webhooks.secret_text(bytes(range(32)))
    assert text.startswith("whsec_")
    assert base64.b64decode(text.removeprefix("whsec_")) == bytes(range(32))
    with pytest.raises(ValueError, match="32"):
        webhooks.secret_text(b"short")


def test_an_old_secret_signs_for_24_hours_more() -> None:
    kept = webhooks.rotated(Secrets("e", (Secret("one"),)), "two", NOW)
    assert kept.valid(NOW + DAY - timedelta(seconds=1)) == ("two", "one")
    assert kept.valid(NOW + DAY) == ("two",)


def test_each_rotation_begins_24_hours_of_its_own() -> None:
    kept = Secrets("e", (Secret("one"),))
    kept = webhooks.rotated(kept, "two", NOW)
    kept = webhooks.rotated(kept, "three", NOW + DAY / 2)
    assert kept.valid(NOW + DAY / 2) == ("three", "two", "one")
    assert kept.valid(NOW + DAY) == ("three", "two")
    kept = webhooks.rotated(kept, "four", NOW + DAY)
    assert [one.text for one in kept.all] == ["four", "three", "two"], "what is over is dropped"


def test_secrets_are_bounded_and_not_printed() -> None:
    kept = Secrets("e", (Secret("one"),))
    for number in range(20):
        kept = webhooks.rotated(kept, f"hidden-{number}", NOW)
    assert len(kept.all) == webhooks.MAX_VALID
    assert kept.valid(NOW)[0] == "hidden-19"
    assert "hidden" not in repr(kept)


def test_events_are_known_ones_each_once() -> None:
    made = webhooks.create(
        "e", {"url": "u", "events": ["loan_closed", "statement_ready", "loan_closed"]}
    )
    assert made.state == Endpoint("e", "u", ("loan_closed", "statement_ready"))
    assert webhooks.change(made.state, {"events": ["*"]}).state.events == ("*",)


@pytest.mark.parametrize(
    ("events", "field"),
    [([], "events"), (["*", "loan_closed"], "events"), (["loan_closed", "x"], "events[1]")],
)
def test_other_events(events: list[str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        webhooks.create("e", {"url": "u", "events": events})
    assert [flaw.field for flaw in refusal.value.flaws] == [field]
