"""Where an end user lives and has lived (partner API, End users).

One address at most is the current one.  It and the end user's own address fields are the same
thing, seen twice: whatever changes one of them changes the other, in one commit, and the end user
knows which address it is (``EndUser.current_address``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import Flaw, Invalid

LINES = ("address_line_1", "address_line_2", "address_line_3", "city", "postal_code")
"""What makes an address; a country alone is none."""
FIELDS = (*LINES, "country")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of an end user.

    ``country`` is ISO 3166-1 alpha-2 or ``None``; ``valid_from`` the first day on which it held.
    """

    id: str
    end_user: str
    valid_from: date
    is_current: bool = False
    address_line_1: str = ""
    address_line_2: str = ""
    address_line_3: str = ""
    city: str = ""
    postal_code: str = ""
    country: str | None = None


class Moved(NamedTuple):
    """What belongs together after a change: all of it is written in one commit.

    ``address`` is the one that was made or changed; ``former`` the one that was current before and
    is not any more, if there is one.
    """

    end_user: EndUser
    address: Address
    former: Address | None = None


def create(
    address_id: str,
    end_user: EndUser,
    current: Address | None,
    values: Mapping[str, Any],
    today: date,
) -> Moved:
    """A further address, from today on unless it says otherwise.

    It is the current one unless it says that it is not, or is valid from a later day only.
    Raises :class:`Invalid`.
    """
    given = dict(values)
    valid_from = given.pop("valid_from", None) or today
    is_current = given.pop("is_current", None)
    if is_current is None:
        is_current = valid_from <= today
    new = Address(address_id, end_user.id, valid_from, is_current, **given)
    return _moved(end_user, current, new, today)


def change(
    end_user: EndUser,
    current: Address | None,
    address: Address,
    values: Mapping[str, Any],
    today: date,
) -> Moved:
    """An address with other values: all (``PUT``) or some (``PATCH``).

    ``valid_from`` and ``is_current`` stay as they are where they are not given.
    Raises :class:`Invalid`.
    """
    stays = {n for n in ("valid_from", "is_current") if values.get(n) is None}
    new = replace(address, **{n: v for n, v in values.items() if n not in stays})
    return _moved(end_user, current, new, today)


def remove(end_user: EndUser, address: Address) -> EndUser:
    """The end user after one of its addresses is gone: without any, if it was the current one."""
    return _without(end_user) if end_user.current_address == address.id else end_user


def mirrored(end_user: EndUser, current: Address | None, new_id: str, today: date) -> Moved | None:
    """What goes with an end user whose own address fields were just set or changed.

    The current address follows them; without one there is a new one from today, called ``new_id``.
    Where they were emptied the address stays as a former one.  ``None``: nothing goes with it.
    """
    own = _fields(end_user)
    if current is None:
        if not _is_address(own):
            return None
        made = Address(new_id, end_user.id, today, True, **own)
        return Moved(replace(end_user, current_address=new_id), made)
    if not _is_address(own):
        left = replace(end_user, current_address=None)
        return Moved(left, replace(current, is_current=False))
    after = replace(current, **own)
    return None if after == current else Moved(end_user, after)


def _moved(end_user: EndUser, current: Address | None, new: Address, today: date) -> Moved:
    flaws = list(_flaws(new, today))
    if flaws:
        raise Invalid(*flaws)
    was_current = current is not None and current.id == new.id
    if not new.is_current:
        return Moved(_without(end_user) if was_current else end_user, new)
    if new.country is None and not was_current:
        new = replace(new, country=end_user.country)
    former = None if current is None or was_current else replace(current, is_current=False)
    return Moved(replace(end_user, current_address=new.id, **_fields(new)), new, former)


def _flaws(address: Address, today: date) -> list[Flaw]:
    flaws: list[Flaw] = []
    if not _is_address(_fields(address)):
        message = "Give at least a line, the city or the postal code."
        flaws.append(Flaw("address_line_1", "required", message))
    if address.is_current and address.valid_from > today:
        message = f"An address that holds from {address.valid_from} on is not current on {today}."
        flaws.append(Flaw("is_current", "not_yet_valid", message))
    return flaws


def _without(end_user: EndUser) -> EndUser:
    """Without an address; the country stays, because it says more than where the post goes."""
    empty: dict[str, Any] = dict.fromkeys(LINES, "")
    return replace(end_user, current_address=None, **empty)


def _fields(of: EndUser | Address) -> dict[str, Any]:
    return {name: getattr(of, name) for name in FIELDS}


def _is_address(fields: Mapping[str, Any]) -> bool:
    return any(fields[name] for name in LINES)
