"""Signatures and events as they come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.integrations.gocardless.events import Unreadable, parse
from chalicelib.integrations.gocardless.signature import signature, signed

BODY = b'{"events":[]}'


@pytest.mark.parametrize(
    "given", [None, "", "0", "é", "\udcff", "x" * 10_000, signature("other", BODY)]
)
def test_forged_signatures(given: str | None) -> None:
    assert not signed("secret", BODY, given)


def test_a_signature_is_of_these_bytes_alone() -> None:
    good = signature("secret", BODY)
    assert signed("secret", BODY, good)
    assert not signed("secret", BODY + b" ", good)
    assert not signed("secret", BODY, good.upper())


def test_a_known_signature() -> None:
    # RFC 4231, test case 2: the algorithm itself.
    assert signature("Jefe", b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"events": {}}', b"\xff", b"[" * 9999]
)
def test_what_is_no_list_of_events(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body)


def test_an_event_as_it_is_understood() -> None:
    given: dict[str, Any] = {
        "id": "EV1",
        "created_at": "2026-03-22T17:05:25.054Z",
        "resource_type": "payments",
        "action": "failed",
        "details": {"cause": "refer_to_payer", "will_attempt_retry": False, "odd": [1]},
        "links": {"payment": "PM1"},
        "novelty": {"a": 1},
    }
    [said] = parse(json.dumps({"events": [given], "meta": {}}).encode())
    assert said.created_at == datetime(2026, 3, 22, 17, 5, 25, 54000, UTC)
    assert said.details == {"cause": "refer_to_payer", "will_attempt_retry": "false"}
    assert said.links == {"payment": "PM1"}


def test_what_cannot_be_told_apart_is_left_out_and_the_rest_is_kept() -> None:
    odd: list[Any] = [1, None, {}, {"id": 5}, {"id": ""}, {"id": "a#b"}, {"id": "x" * 101}]
    good = {"id": "EV2", "resource_type": 7, "links": [], "created_at": "yesterday"}
    [said] = parse(json.dumps({"events": [*odd, good]}).encode())
    assert (said.id, said.resource_type, said.links, said.created_at) == ("EV2", "", {}, None)
