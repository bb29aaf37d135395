"""A client of a server that says what it is told to."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from chalicelib.integrations.blackmoon.client import Blackmoon, Credentials
from chalicelib.integrations.blackmoon.shape import Shape
from chalicelib.integrations.transport import Attempt, Limits, Transport
from tests.integrations.server import Asked, Says, Told

QUICK = Limits(connect_seconds=0.5, read_seconds=0.3, attempts=2)
TOKEN = "not+a/token&at all"


def client(told: Told, shape: Shape | None = None, heard: list[Attempt] | None = None) -> Blackmoon:
    note = (lambda _: None) if heard is None else heard.append
    transport = Transport(QUICK, sleep=lambda _: None, uniform=max, heard=note)
    return Blackmoon(told.url + "/api/", Credentials("14", TOKEN), transport, shape)


def form(asked: Asked) -> dict[str, str]:
    """The parameters of a form, each once."""
    pairs = parse_qsl(asked.body.decode(), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def success(value: Any, **more: Any) -> Says:
    return Says(body={"success": value, **more})


def error(code: Any, message: str = "words", status: int = 200) -> Says:
    echo = {"organizationId": "14", "accessToken": TOKEN}
    told = {"errorMessage": message, "errorCode": code, "requestParameters": echo}
    return Says(status, {"error": told})


BID = {
    "updatedDatetime": "2026-03-02T10:00:00+0000",
    "willParticipate": True,
    "offerId": "8",
    "originationFee": 99.17,
    "servicingFee": "0.1525",
    "bidAmount": "1000.00",
    "loanAmount": 1000,
    "investorLegalEntityId": 24,
}
