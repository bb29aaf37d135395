"""``make permissions``: what each function may do, recorded from runs of the whole application.

Runs the stories that use the laptop stack, with an application that notes its AWS calls, and writes
``infra/permissions.json``; ``--check`` compares both ways instead, and changes nothing.  Another
source of truth would be somebody's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.aws.policies import PERMISSIONS
from tools.aws.stages import ROOT, functions

Table = dict[str, dict[str, list[str]]]

#: Where the stories are that leave out no function.
STORIES = ("tests/infra/test_every_function.py",)
#: What belongs together in ``models/store.py`` and its neighbours: (one of these, all of those).
#: Which of them a run happens to make depends on how much there is to do: how long a journal is,
#: whether a commit has messages, and how many.
_SENDING = {("sqs:GetQueueUrl", "queue"), ("sqs:SendMessage", "queue")}
_READING = {("dynamodb:GetItem", "table"), ("dynamodb:Query", "table")}
_LOOKING = {("dynamodb:Query", "index"), ("dynamodb:BatchGetItem", "table")}
_WRITING = {
    (f"dynamodb:{action}", "table")
    for action in ("PutItem", "DeleteItem", "ConditionCheckItem", "BatchWriteItem")
}
TOGETHER: tuple[tuple[set[tuple[str, str]], set[tuple[str, str]]], ...] = (
    (_READING, _READING | {("dynamodb:BatchGetItem", "table")}),
    ({("dynamodb:Query", "index")}, _LOOKING),
    (_WRITING, _WRITING | _SENDING),
    (_SENDING, _SENDING),
)
MODULE = "tests.infra.recorded"
PATIENCE_SECONDS = 1800


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make permissions", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "calls"
        code = run(record)
        if code:
            return code
        found = table(record.read_text("utf-8").splitlines())
    if options.check:
        flaws = differences(found, json.loads(PERMISSIONS.read_text("utf-8")))
        print("\n".join(flaws) or "infra/permissions.json is what the functions do")
        return 1 if flaws else 0
    PERMISSIONS.write_text(text(found), "utf-8")
    silent = sorted({function.name for function in functions()} - set(found))
    for name in silent:
        print(f"{name} made no call: give it a story in {STORIES[0]}", file=sys.stderr)
    print(f"infra/permissions.json: {len(found)} functions")
    return 1 if silent else 0


def run(record: Path) -> int:
    """Run the stories; what was called is in ``record``."""
    environment = {
        **os.environ,
        "BACKBONE_APP_MODULE": MODULE,
        "BACKBONE_RECORD": str(record),
        "BACKBONE_CSV_LIMIT": "300",  # so that exports take the way of large ones
        "BACKBONE_ANSWER_WITHIN": "0",  # a slow machine is no reason
    }
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-m", "stack", *STORIES]
    done = subprocess.run(command, cwd=ROOT, env=environment, timeout=PATIENCE_SECONDS)
    return done.returncode


def table(lines: Iterable[str]) -> Table:
    """Function -> action -> kinds, everything in order."""
    did: dict[str, set[tuple[str, str]]] = {}
    for line in lines:
        function, action, kind = line.split()
        did.setdefault(function, set()).add((action, kind))
    return {function: _completed(rows) for function, rows in sorted(did.items())}


def _completed(rows: set[tuple[str, str]]) -> dict[str, list[str]]:
    """Action -> kinds, with what belongs together."""
    for some, everything in TOGETHER:
        if rows & some:
            rows = rows | everything
    uploads = {kind for action, kind in rows if action == "s3:PutObject"}
    rows = rows | {("s3:AbortMultipartUpload", kind) for kind in uploads}
    found: dict[str, list[str]] = {}
    for action, kind in sorted(rows):
        found.setdefault(action, []).append(kind)
    return found


def differences(recorded: Table, allowed: Table) -> list[str]:
    """What is missing and what is not used, a line each."""
    did, may = _rows(recorded), _rows(allowed)
    lines = [f"{row}: it is done, and not allowed" for row in sorted(did - may)]
    lines += [f"{row}: it is allowed, and not done" for row in sorted(may - did)]
    return [f"infra/permissions.json: {line}: run `make permissions`" for line in lines]


def _rows(given: Table) -> set[str]:
    return {
        f"{function} {action} {kind}"
        for function, actions in given.items()
        for action, kinds in actions.items()
        for kind in kinds
    }


def text(found: Table) -> str:
    """The file: a function a block, an action a line."""
    blocks = []
    for function, actions in found.items():
        lines = [f'  "{action}": {json.dumps(kinds)}' for action, kinds in actions.items()]
        blocks.append(f' "{function}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
