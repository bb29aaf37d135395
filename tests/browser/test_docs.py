"""``/docs`` in a real browser, on the laptop stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import Page, browser
from tests.stack import Stack

LOADED = "document.querySelectorAll('[data-section-id=\"tag/Loans\"]').length > 0"
HEADING = "[...document.querySelectorAll('h1,h2')].map(each => each.innerText).join('\\n')"
LOANS = "document.querySelector('[data-section-id=\"tag/Loans\"]').innerText"
OPEN = "document.querySelector('[data-section-id=\"tag/Loans/operation/post_loan\"]')"


@pytest.fixture
def page(tmp_path: Path, stack: Stack) -> Iterator[Page]:
    with browser(tmp_path / "profile") as opened:
        yield opened


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_docs_are_readable_and_ask_no_other_host(
    page: Page, stack: Stack, path: str, tmp_path: Path
) -> None:
    page.opens(stack.url + path).until(LOADED)
    assert "Loans" in page.says(HEADING).splitlines()
    page.says(f"{OPEN}.scrollIntoView()")
    example = page.until(f"{OPEN}.querySelector('code') && {OPEN}.innerText")
    assert "Open a loan for an approved application" in example
    assert "As it was approved" in example, "the request's example has its name"
    assert '"application":' in example, "and its body"
    assert page.complaints == []
    asked = [urlsplit(url) for url in page.requests]
    network = {each.hostname for each in asked if each.scheme not in ("data", "blob", "about")}
    assert network == {"127.0.0.1"}
    assert any(each.path == "/openapi.json" for each in asked)
    page.photograph(tmp_path / "docs.png")
