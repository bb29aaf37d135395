"""The current address and the end user's own address fields are one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import addresses
from chalicelib.domain.addresses import FIELDS, Address
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import Invalid

TODAY = date(2026, 3, 2)
NOBODY = EndUser("u", first_name="Ada", last_name="Example")


class Household:
    """An end user with its addresses, kept as the store would keep them."""

    def __init__(self) -> None:
        self.end_user = NOBODY
        self.known: dict[str, Address] = {}

    @property
    def current(self) -> Address | None:
        current = self.end_user.current_address
        return None if current is None else self.known[current]

    def take(self, moved: addresses.Moved | None) -> None:
        if moved is None:
            return
        self.end_user = moved.end_user
        for each in (moved.address, moved.former):
            if each is not None:
                self.known[each.id] = each

    def add(self, **values: Any) -> Address:
        new_id = f"a{len(self.known)}"
        self.take(addresses.create(new_id, self.end_user, self.current, values, TODAY))
        return self.known[new_id]

    def change(self, address_id: str, **values: Any) -> None:
        address = self.known[address_id]
        self.take(addresses.change(self.end_user, self.current, address, values, TODAY))

    def remove(self, address_id: str) -> None:
        self.end_user = addresses.remove(self.end_user, self.known.pop(address_id))

    def says(self, **fields: Any) -> None:
        """The end user's own fields are set; ``domain.end_users`` has checked them."""
        self.end_user = replace(self.end_user, **fields)
        new_id = f"a{len(self.known)}"
        self.take(addresses.mirrored(self.end_user, self.current, new_id, TODAY))

    def agrees(self) -> None:
        marked = [each.id for each in self.known.values() if each.is_current]
        own = self.end_user.current_address
        assert marked == ([] if own is None else [own])
        lines = {name: getattr(self.end_user, name) for name in addresses.LINES}
        if self.current is None:
            assert not any(lines.values())
        else:
            shown = {name: getattr(self.current, name) for name in FIELDS}
            assert shown == {**lines, "country": self.end_user.country}
            assert self.current.valid_from <= TODAY


def test_a_first_address_and_a_move() -> None:
    home = Household()
    first = home.add(city="York", country="GB")
    assert first.is_current and home.end_user.city == "York"
    home.add(city="Leeds", postal_code="LS1 1AA")
    home.agrees()
    assert home.end_user.city == "Leeds"
    assert home.end_user.country == "GB", "a move within the country"
    assert not home.known["a0"].is_current


def test_history_and_plans_change_nothing_now() -> None:
    home = Household()
    home.says(city="York")
    home.add(city="Leeds", is_current=False, valid_from=date(2019, 1, 1))
    planned = home.add(city="Bath", valid_from=TODAY + timedelta(days=1))
    assert not planned.is_current
    assert home.end_user.city == "York"
    home.agrees()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "address_line_1"),
        ({"country": "GB"}, "address_line_1"),
        ({"city": "Bath", "is_current": True, "valid_from": date(2026, 3, 3)}, "is_current"),
    ],
)
def test_what_is_no_address(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Household().add(**values)
    assert [flaw.field for flaw in refusal.value.flaws] == [field]


def test_without_a_current_address_the_own_fields_are_empty_but_for_the_country() -> None:
    home = Household()
    home.says(address_line_1="1 Example Street", country="GB")
    home.remove("a0")
    assert (home.end_user.address_line_1, home.end_user.country) == ("", "GB")
    home.agrees()


FIELD = st.fixed_dictionaries(
    {},
    optional={
        "city": st.sampled_from(["", "York", "Leeds"]),
        "postal_code": st.sampled_from(["", "LS1 1AA"]),
        "country": st.sampled_from([None, "GB", "IE"]),
    },
)
MARK = st.fixed_dictionaries(
    {},
    optional={
        "is_current": st.sampled_from([None, True, False]),
        "valid_from": st.sampled_from([None, TODAY, TODAY + timedelta(days=9), date(2020, 1, 1)]),
    },
)
STEP = st.tuples(st.sampled_from(["add", "change", "remove", "says"]), FIELD, MARK, st.integers(0))


@given(st.lists(STEP, max_size=12))
def test_they_always_agree(steps: list[tuple[str, Any, Any, int]]) -> None:
    home = Household()
    for what, fields, marks, number in steps:
        some = sorted(home.known)[number % len(home.known)] if home.known else None
        try:
            if what == "add":
                home.add(**fields, **marks)
            elif what == "says":
                home.says(**fields)
            elif some is not None and what == "change":
                home.change(some, **fields, **marks)
            elif some is not None:
                home.remove(some)
        except Invalid:
            pass
        home.agrees()
