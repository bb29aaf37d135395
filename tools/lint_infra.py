"""``cfn-lint`` on the templates in ``infra/`` and on a stage's packaged one.

``python -m tools.lint_infra [STAGE]``: the packaged template is written without packages, which
takes seconds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.aws import template
from tools.aws.stages import Trouble, stage
from tools.aws.templates import INFRA

#: Merged into another template: no template by itself.
PARTS = frozenset({"merge.yaml"})
STAGE = "production"
PATIENCE_SECONDS = 300
REGIONS = "eu-west-2"


def main() -> int:
    """The command line."""
    try:
        chosen = stage(sys.argv[1] if len(sys.argv) > 1 else STAGE)
        with tempfile.TemporaryDirectory() as scratch:
            packaged = template.write(chosen, Path(scratch))
            return lint([*whole(), packaged])
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1


def whole() -> list[Path]:
    """The templates that are deployed as they stand."""
    return sorted(path for path in INFRA.glob("*.yaml") if path.name not in PARTS)


def lint(paths: list[Path]) -> int:
    """What cfn-lint says of these templates; 0 if nothing."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", REGIONS, "--"]
    done = subprocess.run([*command, *map(str, paths)], timeout=PATIENCE_SECONDS)
    if not done.returncode:
        print(f"cfn-lint: {len(paths)} templates, nothing to say")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
