"""Access and refresh tokens: one pair at a time, the access token good for fourteen days."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time

from local.blackmoon.errors import ApiError, Json
from local.blackmoon.organisation import LONDON, Organisation, lives_until


def check(org: Organisation, parameters: Mapping[str, str]) -> None:
    """The access token of a request is the organisation's and has not expired."""
    given = parameters.get("accessToken", "")
    if not _same(given, org.head.access_token):
        raise ApiError(2)
    if org.head.access_expired or org.today.isoformat() >= org.head.access_expires:
        raise ApiError(5)
    if org.head.suspended:
        raise ApiError(11)


def _same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode(errors="replace"), known.encode())


def refresh(org: Organisation, parameters: Mapping[str, str]) -> Json:
    """A new pair; neither of the old ones is good any more, whoever hears the answer."""
    given = parameters.get("refreshToken", "")
    if org.head.refresh_expired or not _same(given, org.head.refresh_token):
        raise ApiError(3)
    if org.head.suspended:
        raise ApiError(11)
    org.head = replace(
        org.head,
        access_token=org.new_id("access"),
        refresh_token=org.new_id("refresh"),
        access_expires=lives_until(org.today),
        access_expired=False,
    )
    return {
        "accessToken": org.head.access_token,
        "refreshToken": org.head.refresh_token,
        "accessTokenExpirationTime": expiration(org),
    }


def renew(org: Organisation) -> None:
    """The same pair begins its life anew, on the business date."""
    org.head = replace(
        org.head,
        access_expires=lives_until(org.today),
        access_expired=False,
        refresh_expired=False,
    )


def expiration(org: Organisation) -> str:
    """The instant from which the access token is good no longer, ISO text."""
    day = date.fromisoformat(org.head.access_expires)
    return datetime.combine(day, time(), LONDON).isoformat()
