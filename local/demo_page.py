"""The demo's page: one HTML text that needs nothing else, from a record.

A subject is a :class:`Section` of :data:`SECTIONS`; all text goes through :func:`text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from local.demo_charts import Band, Pair, Series, bars_chart, day, lines_chart, money
from local.demo_checks import checks, cost_of_lateness, extra
from local.demo_record import (
    PARTS,
    ZERO,
    Decision,
    Entry,
    Life,
    Record,
    Sight,
    Split,
    pence,
    total,
)

STYLE = Path(__file__).with_name("demo_style.css")
#: Nothing may be loaded and no script may run, even if something slipped through.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WORDS = {"repayment": "Repayment", "disbursement": "Disbursement", "fee": "Fee",
         "rounding": "Rounding", "allocation": "Overpayment used"}  # fmt: skip


def text(value: object) -> str:
    """As text in HTML, in attributes too."""
    return escape(str(value), quote=True)


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell: ``kind`` is its class (``n``: a number); ``html`` is markup already."""

    html: str
    kind: str = ""


def words(value: object) -> Cell:
    """A cell of text."""
    return Cell(text(value))


def number(value: object) -> Cell:
    """A cell of a figure."""
    return Cell(text(value), "n")


def table(
    caption: str, heads: Sequence[Cell], rows: Iterable[tuple[str, Sequence[Cell]]]
) -> str:
    """A table with a caption; each row has a class and begins with its own heading."""

    def tag(name: str, cell: Cell, scope: str = "") -> str:
        kind = f' class="{cell.kind}"' if cell.kind else ""
        return f"<{name}{scope}{kind}>{cell.html}</{name}>"

    body = "".join(
        f'<tr class="{style}">{tag("th", first, " scope=row")}'
        + "".join(tag("td", cell) for cell in rest)
        + "</tr>"
        for style, (first, *rest) in rows
    )
    head = "".join(tag("th", cell, " scope=col") for cell in heads)
    return (
        f'<div class="scroll" role="region" aria-label="{text(caption)}" tabindex="0"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _against_quote(record: Record) -> str:
    quote, (twin, late) = record.quote, record.lives
    interest, fees = extra(record)
    row = record.late.rows[record.missed - 1]
    collected = [total(life.collected) for life in record.lives]
    figures = [
        ("Interest charged", quote.interest, pence(twin.interest), pence(late.interest)),
        ("Fees charged", ZERO, twin.fees, late.fees),
        ("Collected in all", quote.total, *collected),
    ]
    rows = [
        ("", [words(name), *map(number, map(money, found)), number(f"{found[2] - found[0]:+,.2f}")])
        for name, *found in figures
    ]
    heads = [words("Figure"), *(Cell(text(head), "n") for head in
             ("Quoted", twin.title, late.title, "Cost of the missed payment"))]  # fmt: skip
    return (
        table("Both loans against the quote, in pounds", heads, rows)
        + f"<p>Payment {record.missed} was due on {day(row.due)} and made "
        f"{row.days_late} days late. Its principal bore {money(pence(cost_of_lateness(record)))} "
        f"of interest in those nights, and entering arrears cost {money(fees)} "
        f"({text(record.fee_name)}): {money(interest + fees)} in all.</p>"
        + _checks(record)
    )


def _checks(record: Record) -> str:
    found = checks(record)
    rows = [
        (
            "",
            [
                words(check.what),
                words(check.found),
                Cell("agrees", "good")
                if check.holds
                else Cell(f"differs; expected {text(check.expected)}", "bad"),
            ],
        )
        for check in found
    ]
    heads = [words("What was compared"), words("Found"), words("Result")]
    return "<h3>What was compared</h3>" + table(
        f"{sum(check.holds for check in found)} of {len(found)} agree", heads, rows
    )


def _keys(record: Record) -> str:
    items = "".join(
        f'<li><svg class="key" viewBox="0 0 36 14" aria-hidden="true">'
        f'<path class="line {style}" d="M0 7H36"/></svg>{text(life.title)}</li>'
        for style, life in zip(("twin", "late"), record.lives, strict=True)
    )
    return (
        f'<ul class="keys">{items}'
        '<li><svg class="key" viewBox="0 0 36 14" aria-hidden="true">'
        '<rect class="band late" width="18" height="14"/>'
        '<rect class="band arrears" x="18" width="18" height="14"/></svg>late, then arrears</li></ul>'
    )


def bands(life: Life) -> list[Band]:
    """The stretches in which a loan was late or in arrears."""
    moves = life.moves
    return [
        Band(move.on, after.on, move.status, f"{move.status} from {day(move.on)}")
        for move, after in zip(moves, moves[1:], strict=False)
        if move.status in ("late", "arrears")
    ]


def _balances(record: Record) -> str:
    days = [list(life.balances()) for life in record.lives]
    panels = []
    for part, name in zip(PARTS, ("Principal", "Interest", "Fees"), strict=True):
        series = [
            Series(style, [(on, getattr(balance, part)) for on, balance in found])
            for style, found in zip(("twin", "late"), days, strict=True)
        ]
        peaks = ", ".join(
            f"{life.title}: at most {money(max(value for _, value in line.points))}"
            for life, line in zip(record.lives, series, strict=True)
        )
        title = f"{name} owed at the end of each day"
        chart = lines_chart(f"balance-{part}", title, peaks, series, bands(record.late))
        panels.append(f"<figure><figcaption>{title}</figcaption>{chart}</figure>")
    return (
        "<p>Each panel has its own scale. Interest grows by the night and is paid "
        "on the due dates.</p>" + _keys(record) + "".join(panels)
    )


def paid(life: Life, index: int) -> Split:
    """What was paid of a row, with the fees of the repayments of that day."""
    row = life.rows[index]
    fees = total(
        entry.split.fee
        for entry in life.applied
        if entry.kind == "repayment" and entry.on == row.paid_on
    )
    return Split(row.paid_principal, row.paid_interest, fees)


def _schedules(record: Record) -> str:
    keys = "".join(
        f'<li><svg class="key" viewBox="0 0 36 14" aria-hidden="true">'
        f'<rect class="bar planned {part}" width="18" height="14"/>'
        f'<rect class="bar paid {part}" x="18" width="18" height="14"/></svg>{part}</li>'
        for part in PARTS
    )
    lead = "<p>For each row, what the quote planned (left, pale) and what was paid (right).</p>"
    return f'{lead}<ul class="keys">{keys}</ul>' + "".join(
        _schedule(record, life) for life in record.lives
    )


def _schedule(record: Record, life: Life) -> str:
    pairs, rows = [], []
    for index, (plan, row) in enumerate(zip(record.quote.rows, life.rows, strict=True)):
        got = paid(life, index)
        when = day(row.paid_on) if row.paid_on else "not paid"
        note = f"{row.days_late} days late" if row.days_late else "on time" if row.paid_on else when
        planned = Split(plan.principal, plan.interest, ZERO)
        pairs.append(Pair(day(plan.due), note, planned, got))
        figures = (plan.principal, plan.interest, plan.amount,
                   got.principal, got.interest, got.fee, got.total)  # fmt: skip
        rows.append(("", [Cell(f"{row.number}. {day(row.due)}", "day"),
                          *(number(money(figure)) for figure in figures),
                          Cell(f"{when}, {note}" if row.days_late else when, "day")]))  # fmt: skip
    what = f"{life.title}: planned against paid"
    late = [f"row {row.number} {row.days_late} days late" for row in life.rows if row.days_late]
    told = f"{len(pairs)} rows; the table below has the figures. " + ("; ".join(late) or "None late.")
    chart = bars_chart(f"rows-{'late' if late else 'twin'}", what, told, pairs)
    heads = [words("Due"), *(Cell(head, "n") for head in (
        "Planned principal", "interest", "total", "Paid principal", "interest", "fee", "total"
    )), words("Paid on")]  # fmt: skip
    return (
        f"<h3>{text(life.title)}</h3><figure>{chart}</figure>"
        + table(f"{what}, in pounds", heads, rows)
    )


def _history(record: Record) -> str:
    return "".join(
        f"<h3>{text(life.title)}: {text(life.borrower)}</h3>"
        + table(f"{life.title}: what happened, oldest first", HISTORY, happenings(life))
        for life in record.lives
    )


HISTORY = (words("Date"), words("What"), *(Cell(head, "n") for head in (
    "Amount", "Principal", "Interest", "Fee", "Owed after")))  # fmt: skip


def happenings(life: Life) -> list[tuple[str, list[Cell]]]:
    """A loan's transactions and moves as rows, oldest first; nights of interest together."""
    entries = [
        (list(found)[0 if not nights else slice(None)], nights)
        for nights, found in ((n, list(g)) for n, g in _runs(life))
        for found in ([found] if nights else [[each] for each in found])
    ]
    del entries
    rows = [(found[0].on, 1, _entries_row(found)) for found in _together(life)]
    moves = [(move.on, 0 if _by_calendar(move) else 2, _move_row(move)) for move in life.moves]
    return [row for *_, row in sorted([*rows, *moves], key=lambda row: row[:2])]
