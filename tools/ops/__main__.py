"""``python -m tools.ops``."""

from tools.ops.cli import main

if __name__ == "__main__":
    main()
