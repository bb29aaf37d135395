"""The demo's page: one HTML text that needs nothing else, from a record.

A subject is a :class:`Section` of :data:`SECTIONS`; all text goes through :func:`text`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path

from local.demo_charts import Band, Bar, Pair, Series, bars_chart, day, lines_chart, money
from local.demo_checks import checks, cost_of_lateness, extra, nights_of
from local.demo_html import Cell, figure, keys, number, table, text, words
from local.demo_page_debits import collections, webhooks
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
         "rounding": "Rounding", "allocation": "Overpayment used",
         "chargeback": "Taken back by the bank"}  # fmt: skip


def _against_quote(record: Record) -> str:
    quote, lives = record.quote, record.lives
    interest, fees = extra(record)
    row = record.late.rows[record.missed - 1]
    figures: list[tuple[str, Decimal, list[Decimal]]] = [
        ("Interest charged", quote.interest, [pence(life.interest) for life in lives]),
        ("Fees charged", ZERO, [life.fees for life in lives]),
        ("Paid in all", quote.total, [life.kept for life in lives]),
    ]
    rows = [
        ("", [words(name), *map(number, map(money, (quoted, *found))),
              *(number(f"{one - quoted:+,.2f}".replace("-", "\u2212")) for one in found[1:])])
        for name, quoted, found in figures
    ]  # fmt: skip
    heads = [words("Figure"), *(Cell(text(head), "n") for head in (
        "Quoted", *(life.title for life in lives),
        *(f"{life.title} against quote" for life in lives[1:])))]  # fmt: skip
    return (
        table("All three loans against the quote, in pounds", heads, rows)
        + f"<p><strong>{text(record.late.title)}.</strong> Payment {record.missed} was due on "
        f"{day(row.due)} and made {row.days_late} days late. Its principal bore "
        f"{money(pence(cost_of_lateness(record, record.late, record.missed)))} of interest in "
        f"those nights, and entering arrears cost {money(fees)} ({text(record.fee_name)}): "
        f"{money(interest + fees)} in all.</p>" + _of_troubled(record)
    )


def _of_troubled(record: Record) -> str:
    life, last = record.troubled, record.quote.rows[-1]
    if life.settled_on is None:
        return ""
    late = pence(cost_of_lateness(record, life, record.failed))
    saved = pence(nights_of(record, last.number, (last.due - life.settled_on).days))
    return (
        f"<p><strong>{text(life.title)}.</strong> The payment that had to be collected twice cost "
        f"{money(late)} of interest for the days until it was charged again. Paying the loan off "
        f"{(last.due - life.settled_on).days} days early saved {money(saved)}.</p>"
    )


def _checked(record: Record) -> str:
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
    return (
        "<p>Nothing on this page is taken on trust. The quote, the loans’ transactions, the "
        "payments provider’s own books and the messages that arrived were compared with each "
        "other.</p>"
    ) + table(f"{sum(check.holds for check in found)} of {len(found)} agree", heads, rows)


STYLES = ("twin", "late", "troubled")


def _keys(record: Record) -> str:
    lines = [
        (f'<path class="line {style}" d="M0 7H36"/>', life.title)
        for style, life in zip(STYLES, record.lives, strict=True)
    ]
    shades = (
        '<rect class="band late" width="18" height="14"/>'
        '<rect class="band arrears" x="18" width="18" height="14"/>'
    )
    return keys([*lines, (shades, "a loan is late, then in arrears")])


def bands(life: Life) -> list[Band]:
    """The stretches in which a loan was late or in arrears."""
    return [
        Band(move.on, after.on, move.status, f"{life.title}: {move.status} from {day(move.on)}")
        for move, after in pairwise(life.moves)
        if move.status in ("late", "arrears")
    ]


def _balances(record: Record) -> str:
    days = [list(life.balances()) for life in record.lives]
    shaded = [band for life in record.lives[1:] for band in bands(life)]
    panels = []
    for part, name in zip(PARTS, ("Principal", "Interest", "Fees"), strict=True):
        series = [
            Series(style, [(on, getattr(balance, part)) for on, balance in found])
            for style, found in zip(STYLES, days, strict=True)
        ]
        peaks = ", ".join(
            f"{life.title}: at most {money(max(value for _, value in line.points))}"
            for life, line in zip(record.lives, series, strict=True)
        )
        title = f"{name} owed at the end of each day, in pounds"
        panels.append(figure(title, lines_chart(f"balance-{part}", title, peaks, series, shaded)))
    return (
        "<p>What each borrower owes. Each panel has its own scale. The principal steps down with "
        "every payment, and up where a bank takes one back; interest grows by the night and is "
        "paid on the due dates.</p>" + _keys(record) + "".join(panels)
    )


def paid(life: Life, row: Row) -> Bar:
    """What was paid of a row, with the fees in the repayments of the day on which it was paid.

    The amount is that of those repayments: in this story each row has its own.
    """
    found = [e for e in life.repayments if e.on == row.paid_on]
    split = Split(row.paid_principal, row.paid_interest, total(e.split.fee for e in found))
    return Bar(split, total(e.amount for e in found))


def rows_of(record: Record, life: Life) -> list[Row]:
    """The loan's rows; those that a payoff has taken away were paid by it."""
    last = life.repayments[-1]
    gone = [
        replace(plan, paid_principal=last.split.principal, paid_interest=last.split.interest,
                paid_on=last.on)
        for plan in record.quote.rows[len(life.rows):]
    ]  # fmt: skip
    return [*life.rows, *gone]


def _schedules(record: Record) -> str:
    marks = [
        (f'<rect class="bar planned {part}" width="18" height="14"/>'
         f'<rect class="bar paid {part}" x="18" width="18" height="14"/>', part)
        for part in PARTS
    ]  # fmt: skip
    lead = "<p>For each row, what the quote planned (left, pale) and what was paid (right).</p>"
    return (
        lead
        + keys(marks)
        + "".join(
            _schedule(record, life, style) for style, life in zip(STYLES, record.lives, strict=True)
        )
    )


def _when(row: Row) -> str:
    if row.paid_on is None:
        return "not paid"
    if row.days_late:
        return f"{row.days_late} days late"
    early = (row.due - row.paid_on).days
    return f"{early} days early" if early else "on time"


def _schedule(record: Record, life: Life, style: str) -> str:
    pairs, rows = [], []
    ours = rows_of(record, life)
    for plan, row in zip(record.quote.rows, ours, strict=True):
        got, note = paid(life, row), _when(row)
        planned = Bar(Split(plan.principal, plan.interest, ZERO), plan.amount)
        pairs.append(Pair(day(plan.due), note, planned, got))
        figures = (plan.principal, plan.interest, plan.amount,
                   *(getattr(got.split, part) for part in PARTS), got.amount)  # fmt: skip
        when = day(row.paid_on) if row.paid_on else note
        rows.append(("", [Cell(f"{row.number}. {day(row.due)}", "day"),
                          *(number(money(one)) for one in figures),
                          words(when if note == "on time" else f"{when}, {note}")]))  # fmt: skip
    what = f"{life.title}: planned against paid, in pounds"
    late = [f"row {row.number} {row.days_late} days late" for row in ours if row.days_late]
    told = f"{len(pairs)} rows; the table below has the figures. " + (
        "; ".join(late) or "None late."
    )
    chart = bars_chart(f"rows-{style}", what, told, pairs)
    heads = [words("Due"), *(Cell(head, "n") for head in (
        "Planned principal", "interest", "total", "Paid principal", "interest", "fee", "total"
    )), words("Paid on")]  # fmt: skip
    return f"<h3>{text(life.title)}</h3>{figure(what, chart)}" + table(what, heads, rows)


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
    if entry.how:
        what += " by direct debit"
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
    Section("payments", "Direct debits and their troubles", collections),
    Section("webhooks", "Webhooks received", webhooks),
    Section("history", "What happened", _history),
    Section("decision", "How it was decided", _decisions),
    Section("checks", "What was checked", _checked),
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
        f'<p class="lede">{money(quote.amount)} pounds lent three times on {day(quote.start)} at '
        f"{text(quote.rate)} % a year over {len(quote.rows)} months ({text(record.product)}, "
        f"APR {text(quote.apr)} %): the same loan, lived through in three ways. "
        f'<a href="#checks">{verdict}</a></p>' + _cards(record)
    )


def _cards(record: Record) -> str:
    stories = (
        "Every payment is collected by direct debit on its day. Nothing goes wrong, and "
        "everything costs what the quote said.",
        f"Pays by hand and misses payment {record.missed}: the loan is late, then in arrears, "
        "and cured by the payment that comes after all.",
        f"By direct debit: payment {record.failed} is refused and collected at a second attempt, "
        f"payment {record.disputed} is taken back by the bank, and the loan is paid off early.",
    )
    items = "".join(
        f'<li class="card {style}"><h2>{text(life.title)}</h2>'
        f'<p class="soft">{text(life.borrower)}</p><p>{text(story)}</p><dl>'
        f"<div><dt>Interest</dt><dd>{money(pence(life.interest))}</dd></div>"
        f"<div><dt>Fees</dt><dd>{money(pence(life.fees))}</dd></div>"
        f"<div><dt>Paid in all</dt><dd>{money(life.kept)}</dd></div>"
        f"<div><dt>Now</dt><dd>{text(life.sights[-1].status)}</dd></div></dl></li>"
        for style, life, story in zip(STYLES, record.lives, stories, strict=True)
    )
    return f'<ul class="cards" aria-label="The three loans">{items}</ul>'


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
