"""Dead letters: ``python -m tools.redrive`` counts them, ``... QUEUE`` sends them to work again.

Reads the stage's environment (``BACKBONE_QUEUE_PREFIX`` and the rest; AWS credentials as ever).
What is sent again is printed by its id and what it asked for.
"""

from __future__ import annotations

import argparse
import sys

from chalicelib import config
from chalicelib.integrations.queues import Queues
from chalicelib.usecases import dead_letters

MOST = 1000


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.redrive", description=__doc__)
    parser.add_argument("queue", nargs="?", help="a logical queue, as in models/keys.py")
    parser.add_argument("--most", type=int, default=MOST, help="at most so many messages")
    options = parser.parse_args()
    try:
        queues = Queues(config.load())
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    if options.queue is None:
        for queue, number in dead_letters.counts(queues).items():
            print(f"{number:6} {queue}")
        return 0
    try:
        letters = dead_letters.redrive(queues, options.queue, options.most)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    for letter in letters:
        print(f"sent again: {letter.id} {letter.body.get('do', letter.queue)}")
    print(f"{len(letters)} message(s) of {options.queue} sent again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
