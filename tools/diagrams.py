"""Draws a state machine's table as an SVG that needs nothing else: a column a state, a row a move.

Each line of a row begins with a dot on every state that the command is possible in and ends with an
arrowhead on the state that it leads to; a move that stays where it is is a loop.  So no line ever
crosses a label, whatever the table holds.  ``python -m tools.partner_docs`` writes the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple

from chalicelib.domain.machine import Machine

COLUMN, ROW, LEFT, TOP, EDGE = 124, 40, 172, 92, 20
BOX_WIDTH, BOX_HEIGHT = 100, 32
DOT, HEAD = 4, 9

STYLE = """
  .paper { fill: #ffffff } .band { fill: #f4f6f9 }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #1c2733 }
  .state { font-weight: 600; text-anchor: middle } .command { text-anchor: end }
  .box { fill: #e4edf8; stroke: #3d6ea8 } .final .box { fill: #eceff2; stroke: #7b8794 }
  .life { stroke: #c3ccd6; stroke-dasharray: 3 4 }
  .move { stroke: #3d6ea8; stroke-width: 2; fill: none } .dot, .head { fill: #3d6ea8 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #14191f } .band { fill: #1b222b } text { fill: #e3e9ef }
    .box { fill: #1f3350; stroke: #7faee6 } .final .box { fill: #262d35; stroke: #8a96a3 }
    .life { stroke: #44505c } .move { stroke: #7faee6 } .dot, .head { fill: #7faee6 }
  }
"""


class Move(NamedTuple):
    """One command's way into one state: from which states it leads there."""

    command: str
    sources: tuple[str, ...]
    target: str


def moves(machine: Machine) -> tuple[Move, ...]:
    """The table's moves, in its order; states in the machine's order."""
    found: list[Move] = []
    for command, table in machine.moves.items():
        for target in machine.states:
            sources = tuple(s for s in machine.states if table.get(s) == target)
            if sources:
                found.append(Move(command, sources, target))
    return tuple(found)


def finals(machine: Machine) -> tuple[str, ...]:
    """The states that no command leaves."""
    left = {state for table in machine.moves.values() for state, to in table.items() if state != to}
    return tuple(state for state in machine.states if state not in left)


def svg(machine: Machine, title: str) -> str:
    """The whole picture as text; the same table always gives the same text."""
    columns = {state: LEFT + COLUMN * n + COLUMN // 2 for n, state in enumerate(machine.states)}
    rows = moves(machine)
    width = LEFT + COLUMN * len(columns) + EDGE
    bottom = TOP + ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + EDGE}" '
        f'width="{width}" height="{bottom + EDGE}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(title)}</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{bottom + EDGE}" rx="8"/>',
        *_bands(rows, width),
        *_states(machine, columns, bottom),
    ]
    for number, move in enumerate(rows):
        y = TOP + ROW * number + ROW // 2
        if not number or rows[number - 1].command != move.command:
            label = escape(move.command.replace("_", " "))
            parts.append(f'<text class="command" x="{LEFT - 14}" y="{y + 4}">{label}</text>')
        parts += _arrows(move, columns, y)
    return "\n".join([*parts, "</svg>", ""])


def _bands(rows: tuple[Move, ...], width: int) -> Iterator[str]:
    """Every other command lies on a band, so that the eye keeps the line."""
    commands = list(dict.fromkeys(move.command for move in rows))
    for number, move in enumerate(rows):
        if commands.index(move.command) % 2 == 0:
            y = TOP + ROW * number
            yield f'<rect class="band" x="0" y="{y}" width="{width}" height="{ROW}"/>'


def _states(machine: Machine, columns: Mapping[str, int], bottom: int) -> Iterator[str]:
    y = EDGE + 14
    last = finals(machine)
    for state, x in columns.items():
        kind = ' class="final"' if state in last else ""
        yield f'<line class="life" x1="{x}" y1="{y + BOX_HEIGHT}" x2="{x}" y2="{bottom}"/>'
        yield (
            f'<g{kind}><rect class="box" x="{x - BOX_WIDTH // 2}" y="{y}" '
            f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
            f'<text class="state" x="{x}" y="{y + 21}">{escape(state)}</text></g>'
        )
    x = columns[machine.initial]
    start = f"M {x - BOX_WIDTH // 2 - 34} {y + 16} h {34 - HEAD}"
    yield f'<circle class="dot" cx="{x - BOX_WIDTH // 2 - 38}" cy="{y + 16}" r="6"/>'
    yield f'<path class="move" d="{start}"/>{_head(x - BOX_WIDTH // 2, y + 16, 1)}'


def _arrows(move: Move, columns: Mapping[str, int], y: int) -> Iterator[str]:
    """A line from the left, one from the right, a loop: whichever the move has."""
    end = columns[move.target]
    for side in (1, -1):
        starts = [columns[s] for s in move.sources if (end - columns[s]) * side > 0]
        if starts:
            far = min(starts) if side > 0 else max(starts)
            yield f'<path class="move" d="M {far} {y} H {end - side * HEAD}"/>'
            yield from (f'<circle class="dot" cx="{x}" cy="{y}" r="{DOT}"/>' for x in starts)
            yield _head(end, y, side)
    if move.target in move.sources:
        loop = f"M {end} {y - 8} C {end + 40} {y - 18} {end + 40} {y + 18} {end + HEAD} {y + 8}"
        yield f'<circle class="dot" cx="{end}" cy="{y - 8}" r="{DOT}"/>'
        yield f'<path class="move" d="{loop}"/>{_head(end, y + 8, -1)}'


def _head(x: int, y: int, side: int) -> str:
    back = x - side * (HEAD + 2)
    return f'<path class="head" d="M {x} {y} L {back} {y - 5} L {back} {y + 5} Z"/>'
