"""``python -m tools.openapi`` writes ``openapi.json``; with ``--check`` it only compares."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from chalicelib.config import VERSION
from tools.lint_routes import ENVIRONMENT

PATH = Path(__file__).resolve().parent.parent / "openapi.json"


def text() -> str:
    """The document of the declarations as they are now."""
    from chalicelib.handlers.api import RESOURCES
    from chalicelib.handlers.openapi.document import document, rendered

    return rendered(document(RESOURCES, VERSION))


def main() -> int:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    made = text()
    if "--check" not in sys.argv:
        PATH.write_text(made, "utf-8")
        print(f"{PATH.name}: {len(made) // 1024} kB")
        return 0
    if PATH.exists() and PATH.read_text("utf-8") == made:
        print(f"{PATH.name}: up to date")
        return 0
    print(f"{PATH.name} is out of date: run `make openapi`.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
