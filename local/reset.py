"""``python -m local.reset``: forgets everything under ``.local/``, unless it is in use."""

from __future__ import annotations

import os
import shutil
import sys

from local.home import Home, Trouble


def main() -> int:
    home = Home.of_environment()
    if not home.directory.exists():
        print("There is nothing to forget.")
        return 0
    try:
        if os.environ.get("BACKBONE_LOCAL_DIR") and not home.aws_state.is_dir():
            raise Trouble(f"{home.directory} does not look like a directory of the stack's own.")
        home.lock()
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    shutil.rmtree(home.directory)
    print(f"Forgot {home.directory}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
