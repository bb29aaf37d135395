"""What is paid for without any loan is counted, and stays small."""

from __future__ import annotations

import ast
from decimal import Decimal

import pytest

from bench import _costs, _fixed
from chalicelib.metrics import METRICS
from local.home import ROOT

MOST_SERIES = 90
"""$27 a month if all of them are told each hour."""


def test_every_dimension_that_cloudwatch_is_told_has_a_short_list_of_values() -> None:
    told = {name for row in METRICS.values() for names in row.told_by for name in names}
    assert told - {"before", "after"} <= set(_fixed.VALUES), "routes, say, belong into the log"
    assert all(len(values) <= 20 for values in _fixed.VALUES.values())
    assert len(_fixed.MOVES) <= 20


def test_a_stage_has_few_series_of_metrics() -> None:
    paid = {name: _fixed.series(row) for name, row in METRICS.items() if name not in _fixed.TROUBLE}
    assert sum(paid.values()) <= MOST_SERIES, dict(
        sorted(paid.items(), key=lambda one: -one[1])[:5]
    )
    assert set(METRICS) >= _fixed.TROUBLE
    assert _fixed.series(METRICS["RequestLatency"]) == 1, "not one a route"


def test_every_alarm_of_the_code_is_counted() -> None:
    found: set[str] = set()
    for path in (ROOT / "chalicelib" / "usecases").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(
                node.func, (ast.Name, ast.Attribute)
            ):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            given = [node.args[1]] if name == "raise_alarm" else []
            given += [
                one.value for one in node.keywords if name == "measure" and one.arg == "alarm"
            ]
            for one in given:
                if isinstance(one, ast.Constant):
                    found.add(str(one.value))
                elif isinstance(one, ast.Name) and one.id in constants:
                    found.add(str(constants[one.id]))
    assert found == set(_fixed.VALUES["alarm"])
    runbook = ROOT / "docs" / "operators" / "runbooks" / "person-needed.md"
    assert all(f"`{name}`" in runbook.read_text("utf-8") for name in found)


@pytest.mark.parametrize("part", _fixed.parts(), ids=lambda part: part.name)
def test_the_page_says_what_is_counted(part: _fixed.Part) -> None:
    page = _costs.PAGE.read_text("utf-8")
    told = f"| {part.name} | {part.many} | {part.dollars:.2f} |"
    assert told in page, "run `make bench ARGS='units --write'`"


def test_fixed_costs_do_not_depend_on_loans_and_stay_below_sixty_dollars() -> None:
    assert _fixed.dollars(1) < 60
    assert _fixed.dollars(3) - _fixed.dollars(1) == 2 * Decimal("0.40")
