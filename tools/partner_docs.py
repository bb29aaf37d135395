"""``python -m tools.partner_docs`` writes the generated parts of ``docs/partners``.

The diagrams and tables of the state machines, the error table, the events and the documented
schedules come from the code that serves them.  With ``--check`` it only compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from chalicelib.domain.applications import APPLICATION
from chalicelib.domain.ledger import TRANSACTION
from chalicelib.domain.machine import Machine
from chalicelib.domain.products import create
from chalicelib.domain.quotes import Quote, quote
from chalicelib.domain.status import LOAN
from tools.diagrams import moves, svg
from tools.partner_words import ANYWHERE, ERRORS, MOVES

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "partners"
MACHINES: Mapping[str, Machine] = {
    "application": APPLICATION,
    "loan": LOAN,
    "transaction": TRANSACTION,
}
MOST_ROUTES = 3
#: What the documentation's two example loans have in common, and what each has of its own.
DOCUMENTED = {
    "name": "Documented",
    "max_loan_amount": Decimal(12000),
    "default_loan_amount": Decimal(12000),
    "max_interest_rate": Decimal(12),
    "default_interest_rate": Decimal(12),
    "installments": 6,
    "repayment_date_type": "day_of_month",
}
EQUAL_INSTALMENTS = {
    "type": "term_loan_equal_instalments",
    "repayment_date_period": 14,
    "repayment_holiday_scheduling": "last_business_day_before_the_day",
}
EQUAL_PRINCIPAL = {
    "type": "term_loan_equal_principal",
    "repayment_date_period": 1,
    "repayment_holiday_scheduling": "on_day",
}


def agreed(words: Mapping[str, object], names: Iterable[str], what: str) -> None:
    """Every name has its words and the other way round, or :class:`SystemExit` says which not."""
    differ = set(words) ^ set(names)
    if differ:
        raise SystemExit(f"tools/partner_words.py: {what}: {', '.join(sorted(differ))}")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def move_table(name: str) -> str:
    """The moves of a machine: from where to where, and what makes them."""
    machine = MACHINES[name]
    agreed(MOVES[name], machine.moves, f"moves of {name}")
    rows: list[tuple[str, ...]] = []
    for move in moves(machine):
        sources = ", ".join(f"`{source}`" for source in move.sources)
        rows.append((move.command, sources, f"`{move.target}`", MOVES[name][move.command]))
    return table(("move", "from", "to", "what makes it"), rows)


def error_table() -> str:
    """Every code with its status, its meaning and the routes that may answer it."""
    from chalicelib.handlers.problems import CODES

    agreed(ERRORS, CODES, "errors")
    by_code = _routes_by_code()
    rows: list[tuple[object, ...]] = []
    for code, (status, _) in CODES.items():
        routes = by_code.get(code, [])
        where = ", ".join(routes) if len(routes) <= MOST_ROUTES else "several"
        rows.append(
            (status, f"`{code}`", ERRORS[code], "any" if code in ANYWHERE else where or "—")
        )
    return table(("status", "code", "what it means, and what to do", "where"), rows)


def _routes_by_code() -> Mapping[str, list[str]]:
    from chalicelib.handlers.api import RESOURCES
    from chalicelib.handlers.routing import PREFIX, operations

    found: dict[str, list[str]] = {}
    for operation in operations(RESOURCES):
        path = operation.path.removeprefix(PREFIX).replace("{pk}", "{id}").replace("{sub}", "{id}")
        path += "/" if operation.path.startswith(PREFIX) else ""
        for code in operation.refuses:
            found.setdefault(code, []).append(f"`{operation.method} {path}`")
    return found


def event_table() -> str:
    """Every webhook event: when it is sent, and what its ``data`` holds."""
    from chalicelib.domain.webhooks import EVENTS as KNOWN
    from chalicelib.handlers.loans import LoanOut
    from chalicelib.handlers.mandates import MandateOut
    from chalicelib.handlers.openapi.webhooks import EVENTS
    from chalicelib.handlers.statements import StatementOut

    agreed(EVENTS, KNOWN, "events")
    whole = {LoanOut: "the loan", MandateOut: "the mandate", StatementOut: "the statement"}
    rows: list[tuple[str, ...]] = []
    for name, event in EVENTS.items():
        names = ", ".join(f"`{field}`" for field in event.data.model_fields)
        rows.append((f"`{name}`", f"{event.summary}.", whole.get(event.data, names)))
    return table(("event", "when", "`data`"), rows)


def quote_table(own: Mapping[str, object], disbursed: date) -> str:
    """A documented loan, as ``GET /product/{id}/quote/`` gives it."""
    product = create("documented", {**DOCUMENTED, **own}).state
    made: Quote = quote(product, {}, disbursed, "GB-ENG")
    rows: list[tuple[object, ...]] = [
        (
            row.number,
            row.due_date,
            row.days,
            f"{row.principal:,}",
            f"{row.interest:,}",
            f"{row.total_amount:,}",
            f"{row.principal_after_repayment:,}",
        )
        for row in made.schedule
    ]
    sums = made.totals
    rows.append(
        ("total", "", "", f"{sums.principal:,}", f"{sums.interest:,}", f"{sums.total_amount:,}", "")
    )
    head = ("row", "due", "nights", "principal", "interest", "total", "principal after")
    return table(head, rows)


#: Markers in the pages -> what stands between them.
BLOCKS: Mapping[str, Callable[[], str]] = {
    "moves of an application": lambda: move_table("application"),
    "moves of a loan": lambda: move_table("loan"),
    "moves of a transaction": lambda: move_table("transaction"),
    "errors": error_table,
    "events": event_table,
    "equal instalments": lambda: quote_table(EQUAL_INSTALMENTS, date(2018, 2, 9)),
    "equal principal": lambda: quote_table(EQUAL_PRINCIPAL, date(2018, 1, 1)),
}
_BLOCK = re.compile(r"(<!-- made: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """A page with what stands between its markers made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", text)


def pages() -> Mapping[Path, str]:
    """Every file that has generated parts, with the text that it should have."""
    made = {
        FOLDER / "diagrams" / f"{name}.svg": svg(machine, f"The states of {_a(name)}")
        for name, machine in MACHINES.items()
    }
    used: set[str] = set()
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text("utf-8")
        here = {name for _, name, _ in _BLOCK.findall(text)}
        used |= here
        if here:
            made[path] = filled(text)
    agreed(BLOCKS, used, "blocks that no page has, or unknown ones")
    return made


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def main() -> int:
    stale = [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    names = ", ".join(str(path.relative_to(FOLDER.parent.parent)) for path in stale)
    if "--check" in sys.argv:
        print(f"{names}: out of date: run `make docs`." if stale else "docs/partners: up to date")
        return 1 if stale else 0
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"docs/partners: {names or 'nothing to do'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
