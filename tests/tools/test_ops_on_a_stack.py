"""The operators' commands as they are typed, against the laptop stack that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from local.home import ROOT
from tests.scenarios.stack_client import new_partner
from tests.stack import Stack

pytestmark = pytest.mark.slow


def typed(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: one for name, one in os.environ.items() if not name.startswith("BACKBONE")}
    return subprocess.run(
        [sys.executable, "-m", "tools.ops", *words],
        cwd=ROOT,
        env={**environment, "BACKBONE_LOCAL_DIR": str(stack.directory)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_operator_s_day(stack: Stack, tmp_path: Path) -> None:
    partner = new_partner(stack)
    loan = partner.opens_loan(partner.publishes(), amount="900").disburses("900").confirmed()
    partner.next_day()
    verified = typed(stack, "ledger", "verify", "--all")
    assert verified.returncode == 0, verified.stderr
    assert "0 differ" in verified.stderr and not verified.stdout
    assert typed(stack, "ledger", "verify", "--loan", loan.id).returncode == 0

    drilled = typed(stack, "--yes", "backup", "drill")
    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    assert "the restored table is the same" in drilled.stdout

    made = typed(stack, "--yes", "partner", "create", "By hand", "--sandbox").stdout.split()
    assert made[1] in typed(stack, "partner", "list").stdout
    out = tmp_path / "export.jsonl.gz"
    exported = typed(stack, "--yes", "partner", "export", "--partner", made[1], str(out))
    assert exported.returncode == 0 and out.exists(), exported.stderr
    yesterday = str(partner.today() - timedelta(days=2))
    replayed = typed(stack, "--yes", "day", "replay", "--partner", made[1], "--date", yesterday)
    assert replayed.returncode == 0, replayed.stderr
    assert typed(stack, "dead-letters", "list").stdout == "no dead letters\n"


def test_without_a_stack_it_says_so_in_a_line(stack: Stack, tmp_path: Path) -> None:
    elsewhere = Stack(tmp_path / "nothing", port=stack.port)
    told = typed(elsewhere, "partner", "list")
    assert told.returncode == 1 and told.stderr.startswith("Error: No laptop stack is running")
    assert "Traceback" not in typed(stack, "--stage", "nowhere", "partner", "list").stderr
