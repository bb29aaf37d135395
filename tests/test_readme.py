"""The README's calls work as they stand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from tests.stack import Stack

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_the_first_loan_works_as_written(stack: Stack, tmp_path: Path) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / ".local").symlink_to(stack.directory)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script + "\necho; api $BASE/loan/$LOAN/"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    loan = json.loads(done.stdout.splitlines()[-1], parse_float=Decimal)
    assert loan["status"] == "active"
    assert loan["principal"] == Decimal("10059.61")
    assert loan["next_repayment_date"] == "2018-04-13"
