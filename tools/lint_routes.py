"""No registered route ends in a slash, and siblings share one variable name on each level.

API Gateway refuses both, and Chalice's local server leaks the parameters of one sibling into
another.  ``python -m tools.lint_routes`` looks at ``app.app``.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable


def complaints(routes: Iterable[str]) -> list[str]:
    """What is wrong with ``routes`` (``/a/{b}``), one line each, in order."""
    found: list[str] = []
    names: dict[tuple[str, ...], str] = {}
    for route in sorted(routes):
        if route != "/" and route.endswith("/"):
            found.append(f"{route}: a route must not end in '/'")
        level: tuple[str, ...] = ()
        for part in route.strip("/").split("/"):
            if part.startswith("{"):
                first = names.setdefault(level, part)
                if first != part:
                    found.append(f"{route}: {part} is {first} in a sibling route")
                part = "{}"
            level = (*level, part)
    return found


#: Importing the application reads its configuration; nothing is called.
ENVIRONMENT = {
    "BACKBONE_STAGE": "lint",
    "BACKBONE_TABLE": "backbone-lint",
    "BACKBONE_QUEUE_PREFIX": "backbone-lint",
    "AWS_REGION": "eu-west-2",
    "AWS_DEFAULT_REGION": "eu-west-2",
}


def main() -> int:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    application = importlib.import_module("app").app
    found = complaints(application.routes)
    print("\n".join(found) or f"routes: {len(application.routes)}, all well named")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
