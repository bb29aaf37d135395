"""The documentation holds: links, examples, routes, generated parts, and the worked figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.machine import Machine
from chalicelib.domain.status import LOAN
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.routing import PREFIX, operations
from tests.scenarios.partner import Loan, Partner
from tests.served import Served, serve
from tools import partner_docs
from tools.diagrams import finals, moves, svg

ROOT = Path(__file__).parent.parent
PARTNERS = sorted((ROOT / "docs" / "partners").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
EXAMPLE = re.compile(r"^```json\n(.*?)^```", re.DOTALL | re.MULTILINE)
ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`\s]*)")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_resolves(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("page", PARTNERS, ids=named)
def test_every_json_example_parses(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.count("```json") == len(EXAMPLE.findall(text))
    for example in EXAMPLE.findall(text):
        json.loads(example)


def spelled() -> set[tuple[str, str]]:
    """Every served method and path, variables all alike, as the documentation writes them."""
    found = set()
    for operation in operations(RESOURCES):
        path = re.sub(r"\{[a-z]+\}", "{}", operation.path.removeprefix(PREFIX))
        at_root = not operation.path.startswith(PREFIX)
        found.add((operation.method, path if at_root else path + "/"))
    return found


@pytest.mark.parametrize("page", PARTNERS, ids=named)
def test_every_named_route_is_served(page: Path) -> None:
    known = spelled()
    for method, where in ROUTE.findall(page.read_text("utf-8")):
        path = re.sub(r"\{[a-z_]+\}", "{}", where.partition("?")[0].removeprefix(PREFIX))
        assert (method, path) in known, f"{method} {where}"


def test_a_route_that_is_not_served_would_be_noticed() -> None:
    assert ("POST", "/transaction/{}/apply/") in spelled()
    assert ("DELETE", "/transaction/{}/apply/") not in spelled()


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "partners" / "README.md").read_text("utf-8")
    assert {page.name for page in PARTNERS} - {"README.md"} <= set(LINK.findall(index))


# --- generated parts ------------------------------------------------------------------------------


def test_generated_parts_are_up_to_date() -> None:
    for path, text in partner_docs.pages().items():
        assert path.read_text("utf-8") == text, f"{named(path)}: run `make docs`"


def test_a_stale_page_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.argv", ["partner_docs", "--check"])
    monkeypatch.setitem(partner_docs.ERRORS, "loan_exists", "Something else.")
    assert partner_docs.main() == 1
    assert capsys.readouterr().out == "docs/partners/errors.md: out of date: run `make docs`.\n"


def test_a_command_without_words_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {name: text for name, text in partner_docs.MOVES["loan"].items() if name != "cure"}
    monkeypatch.setitem(partner_docs.MOVES, "loan", words)
    with pytest.raises(SystemExit, match="moves of loan: cure"):
        partner_docs.move_table("loan")


def test_the_moves_are_the_table() -> None:
    told = {(m.command, source, m.target) for m in moves(LOAN) for source in m.sources}
    table = {(c, source, to) for c, pairs in LOAN.moves.items() for source, to in pairs.items()}
    assert told == table
    assert finals(LOAN) == ("cancelled",)


def test_a_picture_shows_every_state_command_and_move() -> None:
    machine = Machine(
        "door",
        ("open", "shut", "<gone>"),
        "open",
        {
            "close": {"open": "shut"},
            "push": {"open": "open"},
            "lose": {"open": "<gone>", "shut": "<gone>"},
        },
    )
    drawn = svg(machine, "A door")
    assert all(f">{word}<" in drawn for word in ("open", "shut", "&lt;gone&gt;", "close", "push"))
    assert drawn.count('class="head"') == 1 + 3  # into the initial state, and one a command
    assert drawn.count('class="dot"') == 1 + 4  # and one a source
    assert svg(machine, "A door") == drawn


# --- the figures of money-and-schedules.md and loan-life.md ---------------------------------------


@pytest.fixture
def served() -> Iterator[Served]:
    with serve() as both:
        both.world.today = date(2018, 2, 9)
        yield both


def on(served: Served, day: str) -> None:
    served.world.today = date.fromisoformat(day)


def lent(served: Served, **product: str) -> Loan:
    partner = Partner(served.api)
    return partner.opens_loan(partner.publishes(**product)).disburses("12000.00").confirmed()


def cells(page: str, row: str) -> list[str]:
    """The cells of the page's table row that begins with ``row``."""
    text = (ROOT / "docs" / "partners" / page).read_text("utf-8")
    (line,) = re.findall(rf"^\| {re.escape(row)} \|(.*)\|$", text, re.M)
    return [cell.strip().strip("`") for cell in line.split("|")]


def test_the_late_loan(served: Served) -> None:
    loan = lent(served)

    def shown() -> list[str]:
        now = loan.now
        names = ("status", "days_past_due", "late_since", "arrears_since")
        return ["null" if now[name] is None else str(now[name]) for name in names]

    for day in ("2018-03-14", "2018-03-15", "2018-03-21", "2018-03-22"):
        on(served, day)
        assert shown() == cells("loan-life.md", day)
    loan.repays("2070.58").confirmed()
    assert shown() == cells("loan-life.md", "2018-03-22, after repaying 2,070.58")
    on(served, "2018-04-13")
    loan.shows(next_repayment_amount="2075.68")


def test_the_payoff(served: Served) -> None:
    loan = lent(served)
    page = (ROOT / "docs" / "partners" / "money-and-schedules.md").read_text("utf-8")
    (example,) = EXAMPLE.findall(page)
    on(served, "2018-03-14")
    answer = served.api.get(f"/loan/{loan.id}/payoff/?date=2018-03-31").ok()
    assert answer == json.loads(example, parse_float=Decimal)


@pytest.mark.parametrize(
    ("mode", "column"), [("from_last_instalment", 1), ("reduced_instalments", 2)]
)
def test_the_early_repayment(served: Served, mode: str, column: int) -> None:
    loan = lent(served, early_repayment_recalculation=mode)
    on(served, "2018-03-01")
    loan.repays("3000.00").confirmed().shows(principal="9078.90", interest="0.00")
    split = served.api.get(f"/transaction/{loan.last}/").ok()
    assert (str(split["interest"]), str(split["principal"])) == ("78.90", "2921.10")
    rows = served.api.get(f"/loan/{loan.id}/schedule/").ok()["schedule"]
    told = {str(row["number"]): f"{row['total_amount']:,}" for row in rows}
    for number in "123456":
        # Row 1 also begins a row of the generated tables: the plan's own has three cells.
        text = (ROOT / "docs" / "partners" / "money-and-schedules.md").read_text("utf-8")
        (line,) = re.findall(rf"^\| {number} \|([^|]*\|[^|]*\|[^|]*)\|$", text, re.M)
        assert line.split("|")[column].strip() == told.get(number, "gone")


def test_paying_a_few_days_ahead(served: Served) -> None:
    loan = lent(served)
    on(served, "2018-03-10")
    loan.repays("2070.58").confirmed()
    split = served.api.get(f"/transaction/{loan.last}/").ok()
    shown = [str(split[name]) for name in ("interest", "principal", "overpayment")]
    assert shown == ["114.41", "1940.39", "15.78"]
    on(served, "2018-03-14")
    loan.shows(overpayment="2.55", next_repayment_amount="2068.03")
    newest = served.api.get(f"/transaction/?loan={loan.id}&type=allocation").ok()["results"]
    assert [str(each["amount"]) for each in newest] == ["13.23"]


def test_a_replayed_transaction_is_shown_as_it_is_now(served: Served) -> None:
    loan = Loan(partner := Partner(served.api), "")
    loan.id = partner.opens_loan(partner.publishes()).id
    body = {"loan": loan.id, "type": "disbursement", "amount": "12000", "idempotency_key": "out-1"}
    first = served.api.post("/transaction/", body).ok(201)
    served.api.post(f"/transaction/{first['id']}/apply/").ok(201)
    again = served.api.post("/transaction/", {**body, "amount": Decimal("12000.00")})
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status, again.json["id"], again.json["status"]) == (201, first["id"], "applied")
