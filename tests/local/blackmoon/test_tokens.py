"""Tokens: fourteen days by the organisation's date, one pair at a time."""

from __future__ import annotations

from datetime import date

import pytest

from local.blackmoon import days, state
from local.simulating.control import Refusal
from tests.local.blackmoon.support import MONDAY, done, offered, organisation, refused


def test_a_token_is_good_for_fourteen_days() -> None:
    org = organisation()
    days.send(org, date(2026, 1, 18), "23:59")
    assert done(org, "ping")["message"] == "pong"
    days.send(org, date(2026, 1, 19))
    assert refused(org, "ping") == 5
    fresh = done(org, "auth.refreshTokens", refreshToken="refresh-1")
    assert fresh["accessTokenExpirationTime"] == "2026-02-02T00:00:00+00:00"
    assert fresh["accessToken"] == org.head.access_token != "access-1"
    assert done(org, "ping")["date"] == "2026-01-19T00:00:00+0000"


def test_refreshing_ends_the_old_pair() -> None:
    org = organisation()
    fresh = done(org, "auth.refreshTokens", refreshToken="refresh-1", accessToken="anything")
    assert refused(org, "ping", accessToken="access-1") == 2
    assert refused(org, "auth.refreshTokens", refreshToken="refresh-1") == 3
    done(org, "auth.refreshTokens", refreshToken=fresh["refreshToken"])


def test_tokens_may_end_on_purpose() -> None:
    org = organisation()
    state.put(org, {"expire_access_token": True})
    assert refused(org, "ping") == 5
    state.put(org, {"expire_refresh_token": True})
    assert refused(org, "auth.refreshTokens", refreshToken="refresh-1") == 3
    state.put(org, {"expire_refresh_token": False})
    done(org, "auth.refreshTokens", refreshToken="refresh-1")
    done(org, "ping")


def test_expiry_is_said_in_londons_time() -> None:
    org = organisation(date(2026, 6, 1))
    fresh = done(org, "auth.refreshTokens", refreshToken="refresh-1")
    assert fresh["accessTokenExpirationTime"] == "2026-06-15T00:00:00+01:00"


def test_a_date_before_begins_their_lives_anew() -> None:
    org = organisation()
    days.send(org, date(2026, 3, 1))
    assert refused(org, "ping") == 5
    days.send(org, date(2025, 3, 1))
    assert org.head.access_expires == "2025-03-15"
    done(org, "ping")
    days.send(org, date(2025, 4, 1), reset=True)
    assert refused(org, "ping") == 5, "forward they go on"
    days.send(org, date(2025, 4, 2), renew=True)
    done(org, "ping")


def test_time_goes_forward_once_there_is_an_offer() -> None:
    org = organisation()
    days.send(org, MONDAY, "12:00")
    offered(org)
    with pytest.raises(Refusal) as refusal:
        days.send(org, MONDAY, "11:00")
    assert (refusal.value.status, refusal.value.code) == (409, "clock_backwards")
    days.send(org, MONDAY)
    assert org.head.time == "12:00", "the same date leaves the time as it is"
    days.send(org, date(2026, 1, 1), reset=True)
    assert org.today == date(2026, 1, 1)
