"""``make dashboards``: the dashboards of this machine as one page, and CloudWatch's template anew.

``--check`` only says whether ``infra/dashboards.yaml`` is what its definitions say.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.home import Home, Trouble, write_private
from local.metrics_file import MetricsFile
from tools.dashboards import cloudformation, page, readings
from tools.dashboards.definitions import ROOT, Flawed, all_dashboards


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the template only")
    parser.add_argument("--hours", type=float, default=24.0, help="real time to show")
    parser.add_argument("--to", type=Path, default=None, help="where the page goes")
    options = parser.parse_args()
    try:
        if options.check:
            current = cloudformation.is_current()
            known = "is" if current else "is not"
            print(f"infra/dashboards.yaml {known} what its definitions say")
            return 0 if current else 1
        cloudformation.write()
        print(render(options.hours, options.to))
    except (Flawed, Trouble) as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


def render(hours: float, to: Path | None) -> str:
    """Write the page; where it is."""
    home = Home.of_environment()
    file = MetricsFile.of(home)
    found = readings.read((file.older, file.path))
    path = to or home.directory / "dashboards.html"
    write_private(path, page.page(all_dashboards(), found, hours))
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{shown}: {found.lines:,} lines of metrics"


if __name__ == "__main__":
    sys.exit(main())
