"""When EventBridge would run a schedule."""

from datetime import UTC, datetime, timedelta

import pytest

from local.schedules import parse


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("rate(5 minutes)", "2024-02-01T10:00:30", "2024-02-01T10:05:30"),
        ("rate(1 hour)", "2024-02-01T23:30:00", "2024-02-02T00:30:00"),
        ("rate(1 day)", "2024-02-28T00:00:00", "2024-02-29T00:00:00"),
        ("cron(0 2 * * ? *)", "2024-02-01T01:59:59", "2024-02-01T02:00:00"),
        ("cron(0 2 * * ? *)", "2024-02-01T02:00:00", "2024-02-02T02:00:00"),
        ("cron(0/15 * * * ? *)", "2024-02-01T02:44:10", "2024-02-01T02:45:00"),
        ("cron(0/15 * * * ? *)", "2024-12-31T23:45:00", "2025-01-01T00:00:00"),
        ("cron(5 8-10 ? * MON-FRI *)", "2024-02-02T10:05:00", "2024-02-05T08:05:00"),
        ("cron(0 0 ? * SUN *)", "2024-02-01T00:00:00", "2024-02-04T00:00:00"),
        ("cron(0 0 29 FEB ? *)", "2024-02-29T00:00:00", "2028-02-29T00:00:00"),
        ("cron(30 6 1,15 JAN,JUL ? 2025-2026)", "2024-02-01T00:00:00", "2025-01-01T06:30:00"),
        ("cron(0 */6 * * ? *)", "2024-02-01T06:00:00", "2024-02-01T12:00:00"),
    ],
)
def test_the_next_time(expression: str, after: str, due: str) -> None:
    assert parse(expression).after(at(after)) == at(due)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "every day",
        "cron(0 2 * * *)",
        "cron(60 2 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 2 0 * ? *)",
        "cron(0 2 L * ? *)",
        "cron(0 2 ? * 6#3 *)",
        "cron(10-5 2 * * ? *)",
        "cron(0/0 2 * * ? *)",
        "cron(0 2 ? * MONDAY *)",
    ],
)
def test_what_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(expression)


def test_a_schedule_that_never_comes_is_said_to_be_so() -> None:
    with pytest.raises(ValueError, match="never"):
        parse("cron(0 0 30 FEB ? *)").after(at("2024-01-01T00:00:00"))


def test_a_year_of_hours_is_a_year() -> None:
    schedule, moment, runs = parse("cron(0 * * * ? *)"), at("2023-12-31T23:30:00"), 0
    while (moment := schedule.after(moment)) < at("2025-01-01T00:00:00"):
        runs += 1
    assert runs == 366 * 24
    assert moment - at("2025-01-01T00:00:00") == timedelta(0)
