"""A sandbox partner's Blackmoon: its organisation, its tokens, and its date, which follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import app
from tests.http_support import Api
from tests.local.blackmoon.support import Partner, Running, running
from tests.scenarios.paying import Paying, paying
from tests.scenarios.stack_client import new_partner
from tests.stack import Stack


@contextmanager
def selling(directory: Path) -> Iterator[tuple[Paying, Running]]:
    """A partner whose world has both simulators."""
    with (
        running(directory / "b") as blackmoon,
        paying(directory / "g", blackmoon_url=blackmoon.url) as pays,
    ):
        yield pays, blackmoon


def shown(api: Api) -> Any:
    return api.get("/sandbox/simulators/").ok()["blackmoon"]


def speaks(pays: Paying, access: Any) -> Partner:
    """The partner as the simulator knows it."""
    return Partner(access["url"], pays.partner_id, access)


def test_each_partner_has_its_own_organisation_made_when_it_is_asked_for(tmp_path: Path) -> None:
    with selling(tmp_path) as (pays, blackmoon):
        assert blackmoon.simulator.world.of_partner(pays.partner_id) is None
        mine = shown(pays.api)
        assert set(mine) == {"url", "organization_id", "access_token", "refresh_token"}
        assert mine == shown(pays.api)
        partner = speaks(pays, mine)
        assert partner.asks("ping")["success"]["date"].startswith("2026-03-02")
        other = Api(app, pays.api.post("/sandbox/partner/").ok(201)["api_key"])
        theirs = shown(other)
        assert all(theirs[name] != mine[name] for name in mine if name != "url")
        swapped = partner.asks("ping", organizationId=theirs["organization_id"])
        assert swapped["error"]["errorCode"] == 2


def test_its_date_follows_and_without_loans_tokens_live_anew(tmp_path: Path) -> None:
    with selling(tmp_path) as (pays, _):
        partner = speaks(pays, shown(pays.api))
        for day in ("2026-09-01", "2025-01-01"):
            pays.partner.post("/sandbox/clock/", {"business_date": day}, status=200)
            assert partner.asks("ping")["success"]["date"].startswith(day)
        kept = pays.world.selling_simulator.vault.read(pays.partner_id)
        assert kept.pair.expires_at.isoformat() == "2025-01-15T00:00:00+00:00"


def test_whoever_renewed_the_tokens_the_new_ones_are_shown_and_kept(tmp_path: Path) -> None:
    with selling(tmp_path) as (pays, _):
        first = shown(pays.api)
        partner = speaks(pays, first)
        told = partner.asks("auth.refreshTokens", refreshToken=first["refresh_token"])["success"]
        now = shown(pays.api)
        assert (now["access_token"], now["refresh_token"]) == (
            told["accessToken"],
            told["refreshToken"],
        )
        kept = pays.world.selling_simulator.vault.read(pays.partner_id)
        assert (kept.pair.access_token, kept.pair.refresh_token) == (
            told["accessToken"],
            told["refreshToken"],
        )


def test_without_a_simulator_there_is_none(tmp_path: Path) -> None:
    with paying(tmp_path) as pays:
        assert shown(pays.api) is None
        assert pays.world.selling_simulator is None


@pytest.mark.slow
def test_on_a_stack(stack: Stack) -> None:
    partner = new_partner(stack)
    partner.goes_to("2026-03-02")
    access = partner.get("/sandbox/simulators/")["blackmoon"]
    assert access["url"] == stack.run["blackmoon_url"]
    seller = Partner(access["url"], "unused", access)
    assert seller.asks("ping")["success"]["date"].startswith("2026-03-02")
    partner.opens_loan(partner.publishes())
    partner.goes_to("2026-03-15")
    assert seller.asks("ping")["success"]["date"].startswith("2026-03-15")
    partner.goes_to("2026-03-16")
    assert seller.asks("ping")["error"]["errorCode"] in (2, 5), "renewed meanwhile, or expired"
    now = Partner(access["url"], "unused", partner.get("/sandbox/simulators/")["blackmoon"])
    told = now.asks("auth.refreshTokens", refreshToken=now.opened["refresh_token"])
    assert told["success"]["accessTokenExpirationTime"].startswith("2026-03-30")
