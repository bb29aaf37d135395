"""The demo's charts: what is drawn where."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from local.demo_charts import Band, Bar, Pair, Series, bars_chart, lines_chart, months, ticks
from local.demo_record import Split

SVG = "{http://www.w3.org/2000/svg}"
JAN, FEB, MAR = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)


def split(*parts: str) -> Split:
    return Split(*map(Decimal, parts))


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        ("0", ["0", "1"]),
        ("25", ["0", "5", "10", "15", "20", "25"]),
        ("12000.00", ["0", "2500", "5000", "7500", "10000", "12500"]),
        ("99", ["0", "20", "40", "60", "80", "100"]),
        ("130.19", ["0", "50", "100", "150"]),
        ("0.30", ["0", "0.1", "0.2", "0.3"]),
        ("1", ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_ticks_are_round_and_reach_the_highest(highest: str, expected: list[str]) -> None:
    assert ticks(Decimal(highest)) == [Decimal(each) for each in expected]


def test_months_are_those_whose_first_is_in_the_range() -> None:
    assert list(months(date(2023, 12, 31), MAR)) == [JAN, FEB, MAR]
    assert list(months(date(2024, 2, 2), date(2024, 2, 28))) == []


def test_a_line_goes_across_and_then_to_the_new_value() -> None:
    points = [(JAN, Decimal(100)), (FEB, Decimal(100)), (MAR, Decimal(0))]
    chart = ElementTree.fromstring(lines_chart("c", "T", "D", [Series("twin", points)]))
    (line,) = chart.findall(f"{SVG}path[@class='line twin']")
    # 60 days over 684 units of width from 64; 150 of height from 14 at the top.
    assert line.get("d") == "M64.0 14.0H748.0V164.0H748.0"


def test_two_lines_share_their_scales() -> None:
    low = Series("late", [(JAN, Decimal(50)), (FEB, Decimal(50))])
    high = Series("twin", [(JAN, Decimal(100)), (MAR, Decimal(100))])
    chart = ElementTree.fromstring(lines_chart("c", "T", "D", [high, low]))
    (line,) = chart.findall(f"{SVG}path[@class='line late']")
    assert line.get("d") == "M64.0 89.0H417.4"


def test_a_chart_is_named_and_described_and_nothing_in_it_is_markup() -> None:
    points = [(JAN, Decimal(1)), (MAR, Decimal(2))]
    band = Band(JAN, FEB, "arrears", "<i>late</i>")
    text = lines_chart("c1", "<b>T</b>", 'a "D" & more', [Series("twin", points)], [band])
    assert "<b>" not in text
    assert "<i>" not in text
    chart = ElementTree.fromstring(text)
    assert chart.get("role") == "img"
    named = chart.get("aria-labelledby", "").split()
    assert [chart.findtext(f"{SVG}*[@id='{each}']") for each in named] == [
        "<b>T</b>",
        'a "D" & more',
    ]
    (shade,) = chart.findall(f"{SVG}rect")
    assert (shade.get("x"), shade.get("width")) == ("64.0", "353.4")
    assert shade.findtext(f"{SVG}title") == "<i>late</i>"


def test_bars_stack_their_parts_without_gaps() -> None:
    pair = Pair(
        "Row 1",
        "<paid>",
        Bar(split("60", "30", "0"), Decimal("90")),
        Bar(split("60", "30", "10"), Decimal("100.01")),
    )
    chart = ElementTree.fromstring(bars_chart("b", "T", "D", [pair]))
    bars = chart.findall(f"{SVG}rect")
    assert [bar.get("class") for bar in bars] == [
        "bar planned principal", "bar planned interest",
        "bar paid principal", "bar paid interest", "bar paid fee",
    ]  # fmt: skip
    heights = [Decimal(bar.get("height", "")) for bar in bars]
    # 100 is the highest tick: 210 units.
    assert heights == [Decimal(each) for each in ("126.0", "63.0", "126.0", "63.0", "21.0")]
    tops = [Decimal(bar.get("y", "")) for bar in bars]
    assert tops[3] + heights[3] == tops[2]
    assert tops[4] + heights[4] == tops[3]
    assert tops[4] == 14
    labels = [text.text for text in chart.findall(f"{SVG}text[@class='label amount']")]
    assert labels == ["90.00", "100.01"]
    assert "<paid>" not in ElementTree.tostring(chart, "unicode")


def test_nothing_to_draw_is_no_chart() -> None:
    assert lines_chart("c", "T", "D", [Series("twin", [])]) == ""
    assert bars_chart("b", "T", "D", []) == ""


def test_all_coordinates_are_plain_numbers() -> None:
    points = [(JAN, Decimal("0.1") / 3), (MAR, Decimal("1E+4"))]
    text = lines_chart("c", "T", "D", [Series("twin", points)])
    for path in re.findall(r' d="([^"]*)"', text):
        assert re.fullmatch(r"[MHVv0-9. ]+", path)
