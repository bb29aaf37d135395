"""A mandate that the provider refuses, and one that waits until somebody has mended something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.integrations.gocardless.errors import ProviderTrouble
from tests.scenarios.paying import Paying, paying


@pytest.fixture
def pays(tmp_path: Path) -> Iterator[Paying]:
    with paying(tmp_path) as made:
        yield made


class Refusing:
    """A provider that refuses whatever it is asked for."""

    def __init__(self, trouble: ProviderTrouble) -> None:
        self.trouble = trouble

    def create_billing_request(self, key: str, metadata: Any) -> Any:
        """Refused."""
        raise self.trouble


def refuse(pays: Paying, trouble: ProviderTrouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(pays.world), "gocardless", lambda *_: Refusing(trouble))


def test_what_the_provider_will_never_do_fails_and_a_person_is_told(
    pays: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = ProviderTrouble("POST /x", "permanent", "validation_failed", fields=["email"])
    refuse(pays, trouble, monkeypatch)
    mandate = pays.mandate(pays.partner.borrower())
    shown = pays.partner.get(f"/mandate/{mandate['id']}/")
    assert shown["status"] == "failed"
    [alarm] = pays.partner.get("/alarm/")["results"]
    assert alarm["name"] == "mandate_not_requested"
    assert mandate["id"] in alarm["detail"] and "email" in alarm["detail"]
    way = "/direct-debit/" + mandate["authorisation_url"].partition("/direct-debit/")[2]
    assert pays.api.get(way, root=True).headers["location"] == mandate["failure_url"]
    assert pays.world.line.dead == []


def test_what_a_person_has_to_mend_waits_and_goes_on_where_it_stopped(
    pays: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        refuse(pays, ProviderTrouble("POST /x", "person", "unauthorized", status=401), context)
        mandate = pays.mandate(pays.partner.borrower())
    shown = pays.partner.get(f"/mandate/{mandate['id']}/")
    assert shown["status"] == "pending_customer_approval"
    assert pays.partner.get("/alarm/")["count"] == 1, "said once, however often it came"
    assert len(pays.world.line.dead) == 1
    pays.world.line.waiting.extend(pays.world.line.dead)
    pays.works()
    pays.signs(mandate)
    shown = pays.partner.get(f"/mandate/{mandate['id']}/")
    assert shown["status"] == "pending_submission"


def test_where_there_is_no_provider_nothing_is_asked_for(pays: Paying) -> None:
    pays.world.settings = replace(pays.world.settings, gocardless_url=None)
    pays.world.__dict__.pop("config", None)
    links = {"success_url": "https://a.example/", "failure_url": "https://b.example/"}
    body = {"end_user": pays.partner.borrower(), **links}
    pays.api.post("/mandate/", body).refused("collections_not_configured")
    assert not pays.world.line.waiting
