"""Reads a module's source and says where it could touch binary floating point."""

from __future__ import annotations

import ast
from pathlib import Path

#: Names whose use would bring floats in.
FORBIDDEN_NAMES = {"float", "complex", "math", "cmath", "numpy", "statistics", "chalicelib"}


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").split(".")[0]]
    return []


def float_traces(path: Path) -> list[str]:
    """Float literals, `float` and the modules that compute with it, and the application itself."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
            found.append(f"line {node.lineno}: {node.value!r}")
        found += [
            f"line {node.lineno}: {name}" for name in names_of(node) if name in FORBIDDEN_NAMES
        ]
    return found
