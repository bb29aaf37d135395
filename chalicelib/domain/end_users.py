"""End users: the people and companies that borrow (partner API, End users).

Bank details and birth dates never stand in an error, a log or a ``repr``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from chalicelib.domain.countries import COUNTRIES
from chalicelib.domain.decision import Decision
from chalicelib.domain.errors import Flaw, Invalid, Refused

INDIVIDUAL, SOLE_TRADER = "individual", "sole_trader"
TYPES = (
    INDIVIDUAL,
    "limited_company",
    SOLE_TRADER,
    "partnership_up_to_3",
    "partnership_4_or_more",
)
#: Lending to these is regulated.
REGULATED = frozenset({INDIVIDUAL, SOLE_TRADER, "partnership_up_to_3"})

ADULT_AGE = 18
OLDEST_AGE = 150


@dataclass(frozen=True, slots=True)
class EndUser:
    """A borrower.  Texts that were not given are empty, other values ``None``.

    ``country`` is ISO 3166-1 alpha-2, ``sort_code`` six digits, ``bank_account_number`` 6 to 10.
    ``sensitive`` is set by what a provider reports, never by a request.  ``current_address`` is the
    id of the address that the own address fields are; ``assigned`` counts a company's people, or
    the companies that an individual belongs to.
    """

    id: str
    type: str = INDIVIDUAL
    first_name: str = ""
    last_name: str = ""
    birth_date: date | None = field(default=None, repr=False)
    address_line_1: str = ""
    address_line_2: str = ""
    address_line_3: str = ""
    city: str = ""
    postal_code: str = ""
    country: str | None = None
    bank_account_number: str | None = field(default=None, repr=False)
    sort_code: str | None = field(default=None, repr=False)
    mobile_number: str = ""
    email: str = ""
    company_name: str = ""
    company_number: str = ""
    sensitive: bool = False
    current_address: str | None = None
    assigned: int = 0

    @property
    def regulated(self) -> bool:
        """Whether lending to this end user is regulated."""
        return self.type in REGULATED

    @property
    def is_company(self) -> bool:
        """Whether other people can belong to it: any type but ``individual``."""
        return self.type != INDIVIDUAL

    def age_on(self, day: date) -> int | None:
        """Whole years on ``day``, or ``None`` without a birth date.

        Whoever was born on 29 February is a year older on 1 March where that day does not exist.
        """
        return None if self.birth_date is None else age(self.birth_date, day)


def age(born: date, day: date) -> int:
    """Whole years from ``born`` to ``day``; negative for a day before."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def create(end_user_id: str, values: Mapping[str, Any], today: date) -> Decision[EndUser]:
    """A new end user of ``values``; ``today`` is the business date.

    Raises :class:`Invalid` with every flaw, among them whoever is under 18 today.
    """
    return _decided(EndUser(end_user_id, **_tidy(values)), today, None)


def change(end_user: EndUser, values: Mapping[str, Any], today: date) -> Decision[EndUser]:
    """The end user with other values: all of them (``PUT``) or some (``PATCH``).

    A birth date is looked at again only when it changes.  Raises :class:`Invalid`, and
    ``invalid_status`` for an individual that becomes a company, or a company that becomes one,
    while people are assigned.
    """
    decided = _decided(replace(end_user, **_tidy(values)), today, end_user.birth_date)
    if end_user.assigned and decided.state.is_company != end_user.is_company:
        raise Refused(
            "invalid_status",
            f"Assignments ({end_user.assigned}) need this end user as it is: "
            f"{end_user.type} cannot become {decided.state.type}.",
            {"type": end_user.type, "assigned": end_user.assigned},
        )
    return decided


def _tidy(values: Mapping[str, Any]) -> dict[str, Any]:
    """As they are kept: the sort code as six digits."""
    tidy = dict(values)
    if tidy.get("sort_code") is not None:
        tidy["sort_code"] = sort_code_digits(tidy["sort_code"])
    return tidy


def sort_code_digits(text: str) -> str:
    """``12-34-56`` and ``12 34 56`` -> ``123456``."""
    return text.replace("-", "").replace(" ", "")


def _decided(end_user: EndUser, today: date, known_birth_date: date | None) -> Decision[EndUser]:
    flaws = [*_name_flaws(end_user), *_detail_flaws(end_user)]
    if end_user.birth_date is not None and end_user.birth_date != known_birth_date:
        flaws += _age_flaws(end_user.birth_date, today)
    if flaws:
        raise Invalid(*flaws)
    return Decision(end_user)


def _name_flaws(end_user: EndUser) -> Iterator[Flaw]:
    """Individuals need both names, companies theirs, a sole trader one or the other."""
    company_missing = not end_user.company_name
    if end_user.type not in (INDIVIDUAL, SOLE_TRADER):
        if company_missing:
            message = f"Required for the type {end_user.type}."
            yield Flaw("company_name", "required", message)
    elif end_user.type == INDIVIDUAL or company_missing:
        for name in ("first_name", "last_name"):
            if not getattr(end_user, name):
                yield Flaw(name, "required", f"Required for the type {end_user.type}.")


def _detail_flaws(end_user: EndUser) -> Iterator[Flaw]:
    if end_user.country is not None and end_user.country not in COUNTRIES:
        yield Flaw("country", "unknown", "Must be an ISO 3166-1 alpha-2 code such as GB.")
    for name, least, most in (("sort_code", 6, 6), ("bank_account_number", 6, 10)):
        digits = getattr(end_user, name)
        if digits is not None and not (_are_digits(digits) and least <= len(digits) <= most):
            number = f"{least}" if least == most else f"{least} to {most}"
            yield Flaw(name, "wrong_form", f"Must have {number} digits.")


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _age_flaws(born: date, today: date) -> Iterator[Flaw]:
    years = age(born, today)
    if years < ADULT_AGE:
        yield Flaw("birth_date", "under_age", f"Must be {ADULT_AGE} or older.")
    elif years > OLDEST_AGE:
        yield Flaw("birth_date", "out_of_range", "Must be the birth date of a living person.")
