"""Pieces of the demo's page: text, cells, tables.  All text goes through :func:`text`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


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


def figure(caption: str, chart: str) -> str:
    """A chart that can be moved sideways where the window is narrower than it can be read."""
    return (
        f"<figure><figcaption>{text(caption)}</figcaption>"
        f'<div class="scroll chart" role="region" aria-label="Chart: {text(caption)}" tabindex="0">'
        f"{chart}</div></figure>"
    )


def keys(items: Iterable[tuple[str, str]]) -> str:
    """What the marks of a chart mean: markup of a small drawing (36 by 14), and words."""
    found = "".join(
        f'<li><svg class="key" viewBox="0 0 36 14" aria-hidden="true">{drawing}</svg>'
        f"{text(meaning)}</li>"
        for drawing, meaning in items
    )
    return f'<ul class="keys">{found}</ul>'
