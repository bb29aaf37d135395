"""Layers of single functions: heavy libraries that the others must not carry.

``infra/layers.json`` says which functions have one: ``{"parquet": ["replica"]}``.  Its libraries
stand in ``requirements-parquet.in``, locked in ``requirements-parquet.txt``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from tools.aws.stages import ROOT

LAYERS = ROOT / "infra" / "layers.json"


@cache
def all_layers() -> dict[str, list[str]]:
    """Layer -> the functions that have it."""
    found: dict[str, list[str]] = json.loads(LAYERS.read_text("utf-8"))
    return found


def of(function: str) -> list[str]:
    """The further layers of a function."""
    return sorted(name for name, functions in all_layers().items() if function in functions)


def resource(name: str) -> str:
    """A layer's name in the template."""
    return f"{name.capitalize()}Layer"


def archive(name: str) -> str:
    """The file name of a layer's zip."""
    return f"layer-{name}.zip"


def lock_file(name: str) -> Path:
    """Where a layer's libraries are locked."""
    return ROOT / f"requirements-{name}.txt"
