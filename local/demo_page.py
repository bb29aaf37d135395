"""The demo's page: one HTML text that needs nothing else, from a record.

A subject is a :class:`Section` of :data:`SECTIONS`; all text goes through :func:`text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from itertools import groupby, pairwise
from pathlib import Path

from local.demo_charts import Band, Bar, Pair, Series, bars_chart, day, lines_chart, money
from local.demo_checks import checks, cost_of_lateness, extra
from local.demo_record import (
    PARTS,
    ZERO,
    Entry,
    Life,
    Record,
    Row,
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


def table(caption: str, heads: Sequence[Cell], rows: Iterable[tuple[str, Sequence[Cell]]]) -> str:
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
    figures: list[tuple[str, tuple[Decimal, Decimal, Decimal]]] = [
        ("Interest charged", (quote.interest, pence(twin.interest), pence(late.interest))),
        ("Fees charged", (ZERO, twin.fees, late.fees)),
        ("Collected in all", (quote.total, total(twin.collected), total(late.collected))),
    ]
    rows = [
        ("", [words(name), *map(number, map(money, found)), number(f"{found[2] - found[0]:+,.2f}")])
        for name, found in figures
    ]
    heads = [words("Figure"), *(Cell(text(head), "n") for head in
             ("Quoted", twin.title, late.title, "Cost of the missed payment"))]  # fmt: skip
    return (
        table("Both loans against the quote, in pounds", heads, rows)
        + f"<p>Payment {record.missed} was due on {day(row.due)} and made "
        f"{row.days_late} days late. Its principal bore {money(pence(cost_of_lateness(record)))} "
        f"of interest in those nights, and entering arrears cost {money(fees)} "
        f"({text(record.fee_name)}): {money(interest + fees)} in all.</p>" + _checks(record)
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
        '<rect class="band arrears" x="18" width="18" height="14"/></svg>'
        "late, then arrears</li></ul>"
    )


def bands(life: Life) -> list[Band]:
    """The stretches in which a loan was late or in arrears."""
    return [
        Band(move.on, after.on, move.status, f"{move.status} from {day(move.on)}")
        for move, after in pairwise(life.moves)
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


def paid(life: Life, row: Row) -> Bar:
    """What was paid of a row, with the fees in the repayments of the day on which it was paid.

    The amount is that of those repayments: in this story each row has its own.
    """
    found = [e for e in life.applied if e.kind == "repayment" and e.on == row.paid_on]
    split = Split(row.paid_principal, row.paid_interest, total(e.split.fee for e in found))
    return Bar(split, total(e.amount for e in found))


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
    for plan, row in zip(record.quote.rows, life.rows, strict=True):
        got = paid(life, row)
        when = day(row.paid_on) if row.paid_on else "not paid"
        note = f"{row.days_late} days late" if row.days_late else "on time" if row.paid_on else when
        planned = Bar(Split(plan.principal, plan.interest, ZERO), plan.amount)
        pairs.append(Pair(day(plan.due), note, planned, got))
        figures = (plan.principal, plan.interest, plan.amount,
                   *(getattr(got.split, part) for part in PARTS), got.amount)  # fmt: skip
        rows.append(("", [Cell(f"{row.number}. {day(row.due)}", "day"),
                          *(number(money(figure)) for figure in figures),
                          words(f"{when}, {note}" if row.days_late else when)]))  # fmt: skip
    what = f"{life.title}: planned against paid"
    late = [f"row {row.number} {row.days_late} days late" for row in life.rows if row.days_late]
    told = f"{len(pairs)} rows; the table below has the figures. " + (
        "; ".join(late) or "None late."
    )
    chart = bars_chart(f"rows-{'late' if life is record.late else 'twin'}", what, told, pairs)
    heads = [words("Due"), *(Cell(head, "n") for head in (
        "Planned principal", "interest", "total", "Paid principal", "interest", "fee", "total"
    )), words("Paid on")]  # fmt: skip
    return f"<h3>{text(life.title)}</h3><figure>{chart}</figure>" + table(
        f"{what}, in pounds", heads, rows
    )


def _history(record: Record) -> str:
    return "".join(
        f"<h3>{text(life.title)}: {text(life.borrower)}</h3>"
        + table(f"{life.title}: what happened, oldest first", HISTORY, happenings(life))
        for life in record.lives
    )


HISTORY = (words("Date"), words("What"), *(Cell(head, "n") for head in (
    "Amount", "Principal", "Interest", "Fee", "Owed after")))  # fmt: skip


#: On one day: its night, what the calendar did, money, and what came of that.
BY_CALENDAR = frozenset({"inactive", "late", "arrears", "default"})


def happenings(life: Life) -> list[tuple[str, list[Cell]]]:
    """A loan's transactions and moves as rows, oldest first; nights in a row are one."""
    items: list[tuple[date, int, Entry | Sight]] = [
        (entry.on, 0 if entry.kind == "interest" else 2, entry) for entry in life.applied
    ]
    items += [(move.on, 1 if move.status in BY_CALENDAR else 3, move) for move in life.moves]
    items.sort(key=lambda item: item[:2])
    rows: list[tuple[str, list[Cell]]] = []
    for order, found in groupby(items, lambda item: item[1]):
        things = [thing for *_, thing in found]
        entries = [thing for thing in things if isinstance(thing, Entry)]
        if order == 0:
            rows.append(_nights(entries))
            continue
        rows += [_entry(e) if isinstance(e, Entry) else _move(e) for e in things]
    return rows


def _nights(nights: Sequence[Entry]) -> tuple[str, list[Cell]]:
    first, last, interest = nights[0], nights[-1], total(n.exact.interest for n in nights)
    when = day(last.on) if first is last else f"{day(first.on)} to {day(last.on)}"
    what = f"Interest, {len(nights)} night{'s' if len(nights) > 1 else ''}"
    split = Split(ZERO, pence(interest), ZERO)
    return "nights", [Cell(text(when), "day"), words(what), *_figures(split, last.after)]


def _entry(entry: Entry) -> tuple[str, list[Cell]]:
    what = entry.name or WORDS.get(entry.kind, entry.kind.replace("_", " ").capitalize())
    if entry.kind == "rounding":
        what += f" of {entry.exact.total.normalize():f}"
    return "", [Cell(day(entry.on), "day"), words(what), *_figures(entry.split, entry.after)]


def _figures(split: Split, after: Split) -> list[Cell]:
    shown = (split.total, split.principal, split.interest, split.fee, after.total)
    return [number(money(amount)) for amount in shown]


def _move(move: Sight) -> tuple[str, list[Cell]]:
    empty = [Cell("")] * 5
    return "status", [Cell(day(move.on), "day"), words(f"Status: {move.status}"), *empty]


def _decisions(record: Record) -> str:
    return "".join(
        f"<h3>{text(life.title)}: {text(life.borrower)}</h3>"
        f"<p>{text(life.decision.line)}.</p>" + _rules(life)
        for life in record.lives
    )


def _rules(life: Life) -> str:
    rows = [
        (
            "",
            [
                words(rule.name),
                Cell(f"<code>{text(rule.statement)}</code>"),
                words(", ".join(f"{name} {value}" for name, value in rule.inputs)),
                number(rule.value),
                number(rule.threshold),
                Cell("passed", "good") if rule.passed else Cell("failed", "bad"),
            ],
        )
        for card in life.decision.cards
        for rule in card.rules
    ]
    heads = [words("Rule"), words("Statement"), words("What it read"),
             Cell("Value", "n"), Cell("Needs", "n"), words("Outcome")]  # fmt: skip
    return table(f"{life.title}: the rules that were evaluated", heads, rows)


@dataclass(frozen=True, slots=True)
class Section:
    """One subject of the page."""

    ident: str
    heading: str
    body: Callable[[Record], str]


SECTIONS = (
    Section("quote", "Against the quote", _against_quote),
    Section("balances", "Balances over time", _balances),
    Section("schedule", "Planned against paid", _schedules),
    Section("history", "What happened", _history),
    Section("decision", "How it was decided", _decisions),
)


def _lede(record: Record) -> str:
    quote, found = record.quote, checks(record)
    wrong = sum(not check.holds for check in found)
    verdict = (
        f'<span class="bad">{wrong} of {len(found)} comparisons differ.</span>'
        if wrong
        else f'<span class="good">All {len(found)} comparisons agree.</span>'
    )
    return (
        f'<p class="lede">{money(quote.amount)} lent twice on {day(quote.start)} at '
        f"{text(quote.rate)} % over {len(quote.rows)} months ({text(record.product)}, "
        f"APR {text(quote.apr)} %): once with every payment on time, once with payment "
        f"{record.missed} missed, the loan in arrears, and cured. {verdict}</p>"
    )


def page(record: Record) -> str:
    """The whole HTML document."""
    links = "".join(f'<li><a href="#{s.ident}">{text(s.heading)}</a></li>' for s in SECTIONS)
    sections = "".join(
        f'<section aria-labelledby="{s.ident}"><h2 id="{s.ident}">{text(s.heading)}</h2>'
        f"{s.body(record)}</section>"
        for s in SECTIONS
    )
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>A loan’s whole life</title>"
        f"<style>{STYLE.read_text('utf-8')}</style></head><body>"
        f"<header><h1>A loan’s whole life</h1>{_lede(record)}"
        f'<nav aria-label="On this page"><ul>{links}</ul></nav></header>'
        f"<main>{sections}</main></body></html>\n"
    )
