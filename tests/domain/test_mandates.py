"""Mandates: the table of moves, what is believed when, and which loans hear of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from chalicelib.domain import mandates
from chalicelib.domain.errors import Refused
from chalicelib.domain.mandates import MANDATE, STATUSES, Mandate, Seen

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


def mandate(**more: object) -> Mandate:
    given = {"provider_mandate_id": "MD1", **more}
    return Mandate("m", "e", "https://a.example", "https://b.example", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", [*MANDATE.moves, "transferred", "reinstated", "novelty"])
def test_every_event_moves_a_status_or_makes_us_look(status: str, action: str) -> None:
    decided = mandates.happened("p", mandate(status=status), action, NOW)
    expected = MANDATE.moves.get(action, {}).get(status)
    assert (None if decided is None else decided.state.status) == expected


def test_an_event_is_not_believed_when_it_is_older_than_what_is_known() -> None:
    known = mandate(status="active", told_at=NOW)
    assert mandates.happened("p", known, "cancelled", NOW - timedelta(seconds=1)) is None
    assert mandates.happened("p", known, "cancelled", None) is None
    assert mandates.happened("p", known, "cancelled", NOW) is not None


def test_no_event_moves_a_mandate_that_is_not_known_to_be_the_providers() -> None:
    assert mandates.happened("p", mandate(provider_mandate_id=None), "created", NOW) is None


def test_what_is_seen_at_the_provider_holds() -> None:
    decided = mandates.observed("p", mandate(), Seen("MD2", "active", "REF"), NOW)
    assert (decided.state.status, decided.state.provider_mandate_id) == ("active", "MD2")
    assert (decided.state.reference, decided.state.told_at) == ("REF", NOW)
    odd = mandates.observed("p", mandate(status="submitted"), Seen("MD1", "novelty"))
    assert odd.state.status == "submitted"


def test_a_life_in_any_order_ends_where_the_provider_is() -> None:
    """Each unexpected event makes us look, and what is seen is the end."""
    life = ["created", "submitted", "active", "cancelled", "reinstated"]
    events = [(action, NOW + timedelta(minutes=n)) for n, action in enumerate(life)]
    for order in permutations(events):
        now = mandate()
        for action, at in order:
            decided = mandates.happened("p", now, action, at)
            decided = decided or mandates.observed("p", now, Seen("MD1", "active"), at)
            now = decided.state
        assert now.status == "active", order


def test_its_loans_hear_of_it_when_it_becomes_usable_or_stops_being_so() -> None:
    becomes = mandates.happened("p", mandate(status="submitted"), "active", NOW)
    assert becomes is not None
    assert [m.body["do"] for m in becomes.messages] == ["mandate_changed"]
    assert [e.name for e in becomes.events] == ["mandate_created"]
    ends = mandates.happened("p", becomes.state, "cancelled", NOW)
    assert ends is not None and len(ends.messages) == 1 and ends.events == ()
    again = mandates.observed("p", ends.state, Seen("MD1", "active"), NOW)
    assert len(again.messages) == 1 and again.events == (), "it is announced once"
    quiet = mandates.happened("p", mandate(status="pending_submission"), "submitted", NOW)
    assert quiet is not None and quiet.messages == quiet.events == ()


def test_a_disabled_mandate_that_becomes_active_is_no_use() -> None:
    decided = mandates.happened("p", mandate(status="submitted", is_disabled=True), "active", NOW)
    assert decided is not None and decided.messages == () and not decided.state.usable


def test_switching() -> None:
    used = mandate(status="active")
    with pytest.raises(Refused) as refused:
        mandates.switched("p", used, True, in_use=1)
    assert refused.value.code == "invalid_status"
    off = mandates.switched("p", used, True, in_use=0)
    assert off.state.is_disabled and len(off.messages) == 1
    same = mandates.switched("p", off.state, True, in_use=1)
    assert same.state == off.state and same.messages == ()
    on = mandates.switched("p", off.state, False, in_use=0)
    assert on.state.usable and len(on.messages) == 1


@pytest.mark.parametrize(
    ("given", "end_user"),
    [({}, "e"), ({"status": "active", "is_disabled": True}, "e"), ({"status": "active"}, "x")],
)
def test_only_a_usable_mandate_of_the_same_end_user_is_chosen(
    given: dict[str, object], end_user: str
) -> None:
    with pytest.raises(Refused) as refused:
        mandates.refuse_unless_usable(mandate(**given), end_user)
    assert refused.value.code == "mandate_not_usable"
    mandates.refuse_unless_usable(mandate(status="active"), "e")


def test_a_form_is_renewed_once_it_has_expired_and_only_while_it_is_wanted() -> None:
    form = mandate(form_url="https://form.example", form_expires_at=NOW)
    assert mandates.form_again("p", form, NOW - timedelta(seconds=1)) is None
    renewed = mandates.form_again("p", form, NOW)
    assert renewed is not None and renewed.state.form_url is None and len(renewed.messages) == 1
    assert mandates.form_again("p", renewed.state, NOW) is None
    signed = mandate(status="active", form_url="https://form.example", form_expires_at=NOW)
    assert mandates.form_again("p", signed, NOW) is None


@pytest.mark.parametrize(("action", "status"), mandates.GIVEN_UP.items())
def test_a_set_up_that_comes_to_nothing(action: str, status: str) -> None:
    after = mandates.given_up(mandate(provider_mandate_id=None), action, NOW)
    assert after is not None and after.status == status
    assert mandates.given_up(mandate(), action, NOW) is None, "there is a mandate"
    assert mandates.given_up(after, action, NOW) is None


def test_the_form_is_in_no_repr() -> None:
    assert "form.example" not in repr(mandate(form_url="https://form.example"))
