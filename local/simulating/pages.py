"""The overview of what a simulator holds: plain HTML that needs no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from local.simulating.faults import Faults
from local.simulating.records import Holding, Record
from local.simulating.world import Organisations

STYLE = (Path(__file__).parent / "page.css").read_text("utf-8")
SHOWN = 25

Org = TypeVar("Org", bound=Holding[Any])
Cell = Callable[[Record], object]
Columns = Mapping[str, tuple[str, Sequence[tuple[str, Cell]]]]
"""By kind: the table's title, and the columns after ``Id``."""


def document(title: str, body: str, wide: bool = False) -> str:
    """A whole page."""
    kind = ' class="wide"' if wide else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main{kind}>{body}</main></body></html>\n"
    )


def overview(
    title: str,
    world: Organisations[Org],
    faults: Faults,
    facts: Callable[[Org], tuple[str, Iterable[tuple[str, object]]]],
    columns: Columns,
) -> tuple[int, str]:
    """What each organisation holds; ``facts(org)`` is its id and what is told of itself."""
    parts = [f"<h1>{title}</h1>"]
    organisations = world.all()
    if not organisations:
        parts.append("<p>There is no organisation yet.</p>")
    for org in organisations:
        with world.looking(org):
            parts.append(_section(org, faults, *facts(org), columns))
    return 200, document(title, "".join(parts), wide=True)


def _section(
    org: Holding[Any],
    faults: Faults,
    identity: str,
    facts: Iterable[tuple[str, object]],
    columns: Columns,
) -> str:
    rows = "".join(f'<tr><th scope="row">{n}</th><td>{escape(str(v))}</td></tr>' for n, v in facts)
    tables = "".join(_table(org, kind, columns) for kind in columns)
    left = [(f.kind, f.match, f.times) for f in faults.left(org.head.partner)]
    told = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in left
    )
    troubles = (
        '<table><caption>Faults to come</caption><thead><tr><th scope="col">Kind</th>'
        '<th scope="col">For</th><th scope="col">Times</th></tr></thead>'
        f"<tbody>{told}</tbody></table>"
        if left
        else ""
    )
    return (
        f'<section aria-labelledby="{identity}"><h2 id="{identity}">Organisation {identity}</h2>'
        f"<table><caption>Organisation</caption><tbody>{rows}</tbody></table>"
        f'{troubles}<div class="scroll">{tables}</div></section>'
    )


def _table(org: Holding[Any], kind: str, known: Columns) -> str:
    title, columns = known[kind]
    records = list(org.records[kind].values())
    if not records:
        return ""
    newest = records[: -SHOWN - 1 : -1]
    first = "".join(
        f'<th scope="col"{_numeric(name)}>{name}</th>'
        for name in ("Id", *(name for name, _ in columns))
    )
    body = "".join(
        f'<tr><th scope="row">{escape(record.id)}</th>'
        + "".join(f"<td{_numeric(n)}>{escape(str(cell(record)))}</td>" for n, cell in columns)
        + "</tr>"
        for record in newest
    )
    which = f", the newest {SHOWN}" if len(records) > SHOWN else ""
    return (
        f"<table><caption>{title}: {len(records)}{which}</caption>"
        f"<thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"
    )


def _numeric(name: str) -> str:
    return ' class="number"' if name.startswith("Amount") else ""
