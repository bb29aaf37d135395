"""Business date and calendar."""

from __future__ import annotations

from datetime import date, datetime

from chalicelib.domain.account import Terms
from chalicelib.domain.calendar import calendar_for, charged_nights
from chalicelib.domain.partners import Clock, Partner, business_date
from tests.domain.lives import terms
from tests.rules.plain import line, on, shown
from tests.rules.rule import rule


@rule(
    "A partner's business date is today's date in its timezone (in the sandbox: its clock).",
    {
        "London, winter, before midnight": ("Europe/London", "2023-01-31T23:59:59", "2023-01-31"),
        "London, winter, midnight": ("Europe/London", "2023-02-01T00:00:00", "2023-02-01"),
        "London, summer, 00:30 there": ("Europe/London", "2023-06-30T23:30:00", "2023-07-01"),
        "London, 29 February": ("Europe/London", "2024-02-29T12:00:00", "2024-02-29"),
        "New York, an hour before midnight": ("America/New_York", "2023-03-01T04:00:00",
                                              "2023-02-28"),
        "Auckland, tomorrow already": ("Pacific/Auckland", "2023-01-31T11:00:00", "2023-02-01"),
        "Kathmandu, 05:45 ahead": ("Asia/Kathmandu", "2023-01-31T18:15:00", "2023-02-01"),
    },
    part="A partner's business date is today's date in its timezone",
)  # fmt: skip
def test_business_date(timezone: str, utc: str, expected: str) -> None:
    partner = Partner("p1", timezone=timezone)
    assert business_date(partner, None, datetime.fromisoformat(f"{utc}+00:00")) == on(expected)


@rule(
    "A partner's business date is today's date in its timezone (in the sandbox: its clock).",
    {
        "years behind": ("2018-01-01", True, "2018-01-01"),
        "ahead": ("2031-12-31", True, "2031-12-31"),
        "no sandbox, no clock of its own": ("2018-01-01", False, "2023-06-15"),
    },
    part="(in the sandbox: its clock)",
)
def test_sandbox_clock(clock: str, sandbox: bool, expected: str) -> None:
    partner = Partner("p1", sandbox=sandbox)
    wall = datetime.fromisoformat("2023-06-15T12:00:00+00:00")
    assert business_date(partner, Clock("p1", day=on(clock)), wall) == on(expected)


@rule(
    "A business day is Monday to Friday and not a public holiday of the partner's calendar "
    "(the `holidays` library, default England).",
    {
        "a Thursday": ("2023-04-06", "GB-ENG", True),
        "Good Friday": ("2023-04-07", "GB-ENG", False),
        "Saturday": ("2023-04-08", "GB-ENG", False),
        "Easter Sunday": ("2023-04-09", "GB-ENG", False),
        "Easter Monday": ("2023-04-10", "GB-ENG", False),
        "the Tuesday after": ("2023-04-11", "GB-ENG", True),
        "Good Friday in March": ("2024-03-29", "GB-ENG", False),
        "Easter Monday in Scotland": ("2023-04-10", "GB-SCT", True),
        "Easter Monday in Northern Ireland": ("2023-04-10", "GB-NIR", False),
        "St Patrick in Northern Ireland": ("2023-03-17", "GB-NIR", False),
        "St Patrick in England": ("2023-03-17", "GB-ENG", True),
        "early May": ("2023-05-01", "GB-ENG", False),
        "the coronation": ("2023-05-08", "GB-ENG", False),
        "summer in England": ("2023-08-28", "GB-ENG", False),
        "summer in Scotland": ("2023-08-07", "GB-SCT", False),
        "Christmas Day": ("2023-12-25", "GB-ENG", False),
        "Boxing Day": ("2023-12-26", "GB-ENG", False),
        "Christmas on a Sunday is kept on Tuesday": ("2022-12-27", "GB-ENG", False),
        "and not on Wednesday": ("2022-12-28", "GB-ENG", True),
        "New Year on a Sunday is kept on Monday": ("2023-01-02", "GB-ENG", False),
        "3 January in England": ("2023-01-03", "GB-ENG", True),
        "3 January in Scotland, for the 2nd": ("2023-01-03", "GB-SCT", False),
        "29 February, a Thursday": ("2024-02-29", "GB-ENG", True),
        "29 February, a Saturday": ("2020-02-29", "GB-ENG", False),
        "the 4th of July in the US": ("2023-07-04", "US", False),
    },
    part="A business day is Monday to Friday and not a public holiday",
)
def test_business_day(day: str, code: str, expected: bool) -> None:
    assert calendar_for(code).is_business_day(on(day)) is expected


@rule(
    "A business day is Monday to Friday and not a public holiday of the partner's calendar "
    "(the `holidays` library, default England).",
    {"a partner's": Partner("p1").calendar, "a loan's": terms().calendar},
    part="default England",
)
def test_default_calendar(code: str) -> None:
    assert code == "GB-ENG"
    assert Terms.__dataclass_fields__["calendar"].default == "GB-ENG"


@rule(
    "Daylight saving changes nothing: days are dates, not 24 hours.",
    {
        # London: 26 March 2023 has 23 hours, 29 October 25; New York: 12 March, 5 November
        "23 hours": ("2023-03-25", "2023-03-27", 2),
        "25 hours": ("2023-10-28", "2023-10-30", 2),
        "23 hours in New York": ("2023-03-11", "2023-03-13", 2),
        "25 hours in New York": ("2023-11-04", "2023-11-06", 2),
        "the whole of March": ("2023-03-01", "2023-04-01", 31),
        "a summer": ("2023-03-26", "2023-10-29", 217),
    },
)
def test_daylight_saving(start: str, end: str, nights: int) -> None:
    assert charged_nights(calendar_for("GB-ENG"), True, on(start), on(end)) == nights
    life = line(on(start)).goes_to(on(end))
    assert shown(life.account.interest) == (f"{nights}.00",)
    for zone in ("Europe/London", "America/New_York"):
        partner = Partner("p1", timezone=zone)
        begins = [partner.begins(date.fromordinal(on(start).toordinal() + n)) for n in range(3)]
        assert [partner.date_of(one).toordinal() for one in begins] == [
            on(start).toordinal() + n for n in range(3)
        ]
