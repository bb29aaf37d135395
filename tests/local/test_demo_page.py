"""The demo's page: self-contained, sound markup, nothing in a name is markup, right figures."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from local.demo_page import SECTIONS, STYLE, bands, happenings, page, rows_of
from local.demo_page_debits import MEANINGS, STEPS
from local.demo_timeline import SHAPES
from tests.local.demo_life import HEARD, LATE, RECORD, TROUBLED, TWIN

VOID = {"meta", "br", "path", "rect"}


class Outline(HTMLParser):
    """What is in a document: its tags, ids, references, texts; whether tags are closed in order."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "aria-labelledby":
                self.named += (value or "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def outline() -> Outline:
    return Outline(page(RECORD))


def test_the_markup_is_sound_and_ids_are_unique_and_known(outline: Outline) -> None:
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.named) <= set(outline.ids)
    links = {value[1:] for name, value in outline.attributes if name == "href"}
    assert links == {section.ident for section in SECTIONS} <= set(outline.ids)


def test_nothing_is_loaded_and_nothing_runs(outline: Outline) -> None:
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(outline.tags)
    assert not any(name == "src" or name.startswith("on") for name, _ in outline.attributes)
    assert not re.search(r"url\(|@import|https?:", STYLE.read_text("utf-8"))
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in outline.attributes


def test_names_are_text(outline: Outline) -> None:
    document = page(RECORD)
    for raw in ("<script>", "<b>loan</b>", "v<1>"):
        assert raw not in document
    texts = "".join(outline.texts)
    for name in (TWIN.borrower, LATE.borrower, RECORD.product, "{{score}} > 0"):
        assert name in texts


def test_headings_go_down_one_at_a_time(outline: Outline) -> None:
    levels = [int(tag[1]) for tag in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_every_chart_a_name(outline: Outline) -> None:
    assert outline.tags.count("table") == outline.tags.count("caption") > 0
    charts = outline.attributes.count(("role", "img"))
    assert charts == 8
    assert len([ident for ident in outline.ids if ident.endswith(("-t", "-d"))]) == 2 * charts


def test_what_happened_is_told_in_order() -> None:
    told = [(style, cells[0].html, cells[1].html) for style, cells in happenings(LATE)]
    assert told == [
        ("status", "1 Jan 2024", "Status: inactive"),
        ("", "1 Jan 2024", "Disbursement"),
        ("status", "1 Jan 2024", "Status: active"),
        ("nights", "2 Jan 2024 to 12 Jan 2024", "Interest, 11 nights"),
        ("status", "12 Jan 2024", "Status: late"),
        ("nights", "13 Jan 2024 to 14 Jan 2024", "Interest, 2 nights"),
        ("status", "14 Jan 2024", "Status: arrears"),
        ("", "14 Jan 2024", "Arrears fee"),
        ("nights", "15 Jan 2024", "Interest, 1 night"),
        ("", "15 Jan 2024", "Repayment"),
        ("status", "15 Jan 2024", "Status: active"),
        ("nights", "16 Jan 2024 to 21 Jan 2024", "Interest, 6 nights"),
        ("", "21 Jan 2024", "Repayment"),
        ("nights", "22 Jan 2024 to 31 Jan 2024", "Interest, 10 nights"),
        ("", "31 Jan 2024", "Repayment"),
        ("status", "31 Jan 2024", "Status: closed"),
    ]


def test_a_repayment_shows_its_split_and_what_is_owed_after() -> None:
    (row,) = [cells for _, cells in happenings(LATE) if cells[0].html == "15 Jan 2024"
              and cells[1].html == "Repayment"]  # fmt: skip
    assert [cell.html for cell in row[2:]] == ["380.00", "365.00", "15.00", "0.00", "761.00"]


def test_bands_are_the_days_late_and_in_arrears() -> None:
    assert [(b.style, b.first.day, b.last.day) for b in bands(LATE)] == [
        ("late", 12, 14), ("arrears", 14, 15),
    ]  # fmt: skip
    assert bands(TWIN) == []


def test_the_cost_of_the_missed_payment_is_stated(outline: Outline) -> None:
    told = "".join(outline.texts)
    assert "4 days late. Its principal bore 2.00 of interest" in told
    assert "27.00 in all" in told
    assert "All 37 comparisons agree." in told


def test_a_difference_is_shown_with_both_figures() -> None:
    told = "".join(Outline(page(replace(RECORD, fee=Decimal("24.00")))).texts)
    assert "1 of 37 comparisons differ." in told
    assert "differs; expected 24.00" in told


def test_a_collection_and_what_the_bank_takes_back_are_told_apart() -> None:
    told = [cells[1].html for _, cells in happenings(TROUBLED)]
    assert told.count("Repayment by direct debit") == 2
    assert told.count("Repayment") == 2
    assert told.count("Taken back by the bank") == 1


def test_a_payoff_stands_where_the_row_was_planned() -> None:
    (*_, last) = rows_of(RECORD, TROUBLED)
    assert (last.number, last.paid_on, last.paid_interest) == (
        3,
        date(2024, 1, 27),
        Decimal("3.50"),
    )
    told = "".join(Outline(page(RECORD)).texts)
    assert "4 days early" in told
    assert "cost 2.50 of interest" in told
    assert "4 days early saved 2.00" in told


def test_the_payments_and_their_troubles_are_told(outline: Outline) -> None:
    told = "".join(outline.texts)
    assert "Payment 1 was refused on 11 Jan 2024 and charged again on 16 Jan 2024" in told
    assert "one payment, 2 attempts" in told
    assert "Payment 2 had arrived, but on 24 Jan 2024 the bank took 377.50 back" in told
    assert "was told 368.50, and paid it" in told
    assert told.count("taken back, paid by card") == 1
    assert "name on the account, sort code; the rest was filled in" in told


def test_every_webhook_is_shown_with_its_signature() -> None:
    told = "".join(Outline(page(RECORD)).texts)
    assert "9 signed messages" in told
    assert "Every signature was verified." in told
    assert told.count("verified") == 1 + len(HEARD)
    assert "<b>377.50</b>" in told
    assert "<b>377" not in page(RECORD)
    flawed = replace(RECORD, heard=(replace(HEARD[0], flaw="No <matching> signature"), *HEARD[1:]))
    document = page(flawed)
    assert "1 with a wrong signature." in document
    assert "No &lt;matching&gt; signature" in document


def test_every_step_has_a_shape_and_a_meaning() -> None:
    assert {kind for kind, _ in MEANINGS} == set(SHAPES)
    assert {kind for kind, _ in STEPS.values()} < set(SHAPES)
