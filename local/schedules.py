"""When EventBridge would run a schedule: ``rate(5 minutes)`` and ``cron(0 2 * * ? *)``, in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _WEEKDAYS),
    ("year", 1970, 2199, ()),
)
#: A day of month and a weekday meet within 28 years, a 29 February within 8.
_HORIZON_DAYS = 366 * 28


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so often, counted from the last time."""

    every: timedelta

    def after(self, instant: datetime) -> datetime:
        """The next time after ``instant``."""
        return instant + self.every


@dataclass(frozen=True, slots=True)
class Cron:
    """At the minutes that every field allows; Sunday is weekday 1."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def after(self, instant: datetime) -> datetime:
        """The next whole minute after ``instant`` that matches; ValueError if none ever does."""
        start = instant.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        midnight = start.replace(hour=0, minute=0)
        for offset in range(_HORIZON_DAYS):
            day = midnight + timedelta(days=offset)
            if not self._on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    moment = day.replace(hour=hour, minute=minute)
                    if moment >= start:
                        return moment
        raise ValueError("this schedule never comes")

    def _on(self, day: datetime) -> bool:
        return (
            day.year in self.years
            and day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 + 1 in self.weekdays
        )


def parse(expression: str) -> Rate | Cron:
    """The schedule that ``expression`` means; ValueError says what is not understood."""
    rate = _RATE.fullmatch(expression)
    if rate and int(rate[1]) > 0:
        return Rate(timedelta(**{f"{rate[2]}s": int(rate[1])}))
    cron = _CRON.fullmatch(expression)
    fields = cron[1].split() if cron else []
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{expression!r} is neither rate(n unit) nor cron with six fields")
    allowed = [_field(text, *limits) for text, limits in zip(fields, _FIELDS, strict=True)]
    return Cron(*allowed)


def _field(text: str, name: str, low: int, high: int, words: tuple[str, ...]) -> frozenset[int]:
    """``*``, ``?``, ``5``, ``1-5``, ``0/15``, ``MON-FRI`` and lists of them."""
    found: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        else:
            begin, _, end = span.partition("-")
            first = _number(begin, name, low, words)
            last = _number(end, name, low, words) if end else (high if step else first)
        stride = _number(step, name, 1, ()) if step else 1
        if not low <= first <= last <= high or stride < 1:
            raise ValueError(f"{text!r} is outside {low} to {high} for {name}")
        found.update(range(first, last + 1, stride))
    return frozenset(found)


def _number(text: str, name: str, low: int, words: Iterable[str]) -> int:
    names = tuple(words)
    if text in names:
        return names.index(text) + low
    if not text.isdigit():
        raise ValueError(f"{text!r} is not understood as {name}")
    return int(text)
