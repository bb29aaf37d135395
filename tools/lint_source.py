"""House rules that no general linter knows, read from the syntax trees.

* ``chalicelib/domain`` is pure: no float, no clock, no ids, no chance, no environment, no I/O.
* Only ``chalicelib/config.py`` reads the environment.
* Nothing evaluates or executes text, anywhere.
* A function has at most 60 lines, a file at most 400.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400

FORBIDDEN_EVERYWHERE = frozenset({"eval", "exec"})
IMPURE_NAMES = frozenset({"float", "open", "print", "input"})
IMPURE_MODULES = frozenset(
    {"os", "uuid", "random", "secrets", "time", "socket", "subprocess", "io", "threading"}
)
IMPURE_CALLS = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
)
ENVIRONMENT_READS = frozenset({"os.environ", "os.getenv", "os.environb"})
SOURCES = ("app.py", "chalicelib", "local", "tools", "bench")


def complaints(path: str, text: str) -> Iterator[str]:
    """What is wrong with the file ``path`` (relative to the project, with ``/``)."""
    tree = ast.parse(text, path)
    lines = text.count("\n") + 1
    if lines > MAX_FILE_LINES + 1:
        yield f"{path}: {lines} lines; at most {MAX_FILE_LINES}"
    pure = path.startswith("chalicelib/domain/")
    inside = path.startswith("chalicelib/") or path == "app.py"
    for node in ast.walk(tree):
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        yield from _too_long(where, node)
        yield from _evaluating(where, node)
        if inside and path != "chalicelib/config.py":
            yield from _environment(where, node)
        if pure:
            yield from _impure(where, node)


def _too_long(where: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > MAX_FUNCTION_LINES:
            yield f"{where}: {node.name} has {length} lines; at most {MAX_FUNCTION_LINES}"


def _evaluating(where: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and _dotted(node.func) in FORBIDDEN_EVERYWHERE:
        yield f"{where}: text is never evaluated or executed"


def _environment(where: str, node: ast.AST) -> Iterator[str]:
    named = _dotted(node) in ENVIRONMENT_READS if isinstance(node, ast.Attribute) else False
    imported = (
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and any(alias.name in {"environ", "getenv", "environb"} for alias in node.names)
    )
    if named or imported:
        yield f"{where}: only chalicelib/config.py reads the environment"


def _impure(where: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in modules:
            if module.split(".")[0] in IMPURE_MODULES:
                yield f"{where}: the domain does not import {module}"
    elif isinstance(node, ast.Call):
        name = _dotted(node.func)
        if name in IMPURE_NAMES:
            yield f"{where}: the domain does not call {name}()"
        elif ".".join(name.split(".")[-2:]) in IMPURE_CALLS:
            yield f"{where}: the domain is told the time, it does not ask ({name})"
    elif isinstance(node, ast.Constant) and type(node.value) is float:
        yield f"{where}: the domain counts in Decimal, not in {node.value!r}"


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def sources(root: Path) -> Iterator[Path]:
    """Every Python file of the project's own, in order; tests have their own measure."""
    for name in SOURCES:
        path = root / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.is_file()


def main() -> int:
    paths = list(sources(ROOT))
    found = [
        line
        for path in paths
        for line in complaints(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ]
    print("\n".join(found) or f"source: {len(paths)} files keep the house rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
