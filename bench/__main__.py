"""``python -m bench``: which benchmarks there are; with names: run them, one after the other."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def known() -> dict[str, str]:
    """Every benchmark by its name, with the first line of what it says of itself."""
    found = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not module.name.startswith("_"):
            doc = importlib.import_module(f"bench.{module.name}").__doc__ or ""
            found[module.name] = doc.split("\n", 1)[0]
    return found


def main(arguments: list[str]) -> int:
    """0 if every benchmark that was named kept its promise."""
    names = known()
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    unknown = [name for name in wanted if name not in names]
    if unknown or not wanted:
        for name in unknown:
            print(f"There is no benchmark {name}.", file=sys.stderr)
        for name, what in names.items():
            print(f"python -m bench {name:10} {what}")
        return 1 if unknown else 0
    options = [argument for argument in arguments if argument.startswith("-")]
    results = [importlib.import_module(f"bench.{name}").main(options) for name in wanted]
    return max(results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
