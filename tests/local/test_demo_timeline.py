"""The demo's payments by days around their due date: what is drawn where."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from local.demo_charts import WIDTH
from local.demo_timeline import APART, LEFT, RIGHT, SHAPES, Lane, Mark, timeline

SVG = "{http://www.w3.org/2000/svg}"
ROOM = WIDTH - LEFT - RIGHT


def drawn(*marks: Mark, end: str = "arrived") -> ElementTree.Element:
    lane = Lane("2,070.58", "due 6 Jan", marks, end, "good")
    return ElementTree.fromstring(timeline("t", "T", "D", [lane]))


def test_a_mark_stands_at_its_day() -> None:
    chart = drawn(Mark(-5, "asked", "", "6 Jan"), Mark(1, "arrived", "", "7 Jan"))
    asked, arrived = chart.findall(f"{SVG}g/{SVG}circle")
    # From a day before the first mark to a day after the last: -6 to 2.
    assert Decimal(asked.get("cx", "")) == LEFT + ROOM / 8
    assert Decimal(arrived.get("cx", "")) == LEFT + ROOM * 7 / 8
    (due,) = chart.findall(f"{SVG}path[@class='due']")
    assert due.get("d", "").startswith(f"M{LEFT + ROOM * 6 / 8:.1f} ")


def test_marks_of_one_day_stand_side_by_side() -> None:
    chart = drawn(Mark(0, "asked", "", "a"), Mark(0, "asked", "", "b"))
    first, second = (Decimal(each.get("cx", "")) for each in chart.findall(f"{SVG}g/{SVG}circle"))
    assert second - first == APART


def test_words_are_text_and_stand_on_both_sides() -> None:
    chart = drawn(
        Mark(-5, "asked", "<i>asked</i>", "1"), Mark(0, "refused", "no", "2"), end="<b>end</b>"
    )
    texts = {each.text: Decimal(each.get("y", "")) for each in chart.findall(f"{SVG}text")}
    assert {"<i>asked</i>", "no", "<b>end</b>", "2,070.58", "due date"} <= set(texts)
    assert texts["<i>asked</i>"] < texts["no"]


@pytest.mark.parametrize("kind", SHAPES)
def test_every_shape_is_sound(kind: str) -> None:
    assert drawn(Mark(0, kind, "", "x")).find(f"{SVG}g") is not None


def test_nothing_to_draw_is_no_chart() -> None:
    assert timeline("t", "T", "D", []) == ""
