"""One run: a new partner with a little of everything, then requests generated from the document."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.home import ROOT
from tests.living import Living
from tests.scenarios.partner import Partner
from tests.scenarios.stack_client import SocketHttp
from tests.stack import Stack

CONFIG = Path(__file__).parent / "schemathesis.toml"
COUNTED = re.compile(r"^\s*([\d,]+) generated", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """How much to ask: cases for each operation, and seconds at most."""

    examples: int
    seconds: int
    phases: str
    seed: int | None = None


FULL = Plan(examples=10, seconds=570, phases="examples,coverage,fuzzing,stateful")
#: The same questions every time: a test run is no place for surprises of chance.
QUICK = Plan(examples=1, seconds=180, phases="examples,fuzzing", seed=20261121)


@dataclass(frozen=True)
class Outcome:
    """What came of it: how many cases, and whether none failed."""

    cases: int
    passed: bool
    text: str


def run(stack: Stack, plan: Plan, directory: Path) -> Outcome:
    """Ask the running stack what ``plan`` says; files go to ``directory``."""
    key, known = world(stack)
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "world.json"
    file.write_text(json.dumps(known), "utf-8")
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={CONFIG}",
        "run",
        f"{stack.url}/openapi.json",
        f"--header=X-Api-Key: {key}",
        "--checks=all",
        f"--phases={plan.phases}",
        f"--max-examples={plan.examples}",
        "--continue-on-failure",
        "--no-color",
        "--generation-database=none",
        f"--report-json-path={directory / 'report.json'}",
        "--report=json",
    ]
    if plan.seed is not None:
        command.append(f"--seed={plan.seed}")
    environment = {
        **os.environ,
        "BACKBONE_FUZZ_WORLD": str(file),
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "PYTHONPATH": str(ROOT),
    }
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=plan.seconds,
        )
    except subprocess.TimeoutExpired:
        return Outcome(0, False, f"Not done within {plan.seconds} seconds.")
    text = done.stdout + done.stderr
    (directory / "report.txt").write_text(text, "utf-8")
    found = COUNTED.search(text)
    cases = int(found[1].replace(",", "")) if found else 0
    return Outcome(cases, done.returncode == 0, text)


def world(stack: Stack) -> tuple[str, dict[str, Any]]:
    """A new partner's key and what it has: ids by resource, by path and by field."""
    first = Partner(SocketHttp(stack.url, stack.api_key))
    key = first.post("/sandbox/partner/")["api_key"]
    living = Living(Partner(SocketHttp(stack.url, key)))
    made = {kind: [living.make(kind) for _ in range(2)] for kind in KINDS}
    ids: dict[str, list[str]] = {}
    for kind, things in made.items():
        ids.setdefault(KINDS[kind], []).extend(thing["id"] for thing in things)
    nested = {
        f"/api/v1/end_user/{{end_user_id}}/{path}/{{id}}/": [
            {"end_user_id": each[owner], "id": each["id"]} for each in made[kind]
        ]
        for kind, path, owner in (
            ("address", "address", "end_user"),
            ("assignment", "assign-enduser", "company"),
        )
    }
    nested["/api/v1/end_user/{id}/assign-enduser/"] = [
        {"id": each["id"]} for each in made["company"]
    ]
    fields = {name: ids[name] for name in FIELDS}
    fields["scorecards"] = [each["id"] for each in made["active_scorecard"]]
    fields["version"] = [each["version"] for each in made["active_engine"]]
    own = living.partner.get("/api_key/")["results"][0]["id"]
    today = living.partner.today().isoformat()
    return key, {"ids": ids, "paths": nested, "fields": fields, "own_key": own, "today": today}


FIELDS = ("product", "end_user", "application", "loan", "input_source")
#: What is made -> the first part of its paths.
KINDS = {
    "product": "product",
    "draft_product": "product",
    "product_without_selector": "product",
    "end_user": "end_user",
    "company": "end_user",
    "address": "address",
    "assignment": "assign-enduser",
    "input_source": "input_source",
    "data_point": "data_point",
    "scorecard": "scorecard",
    "active_scorecard": "scorecard",
    "risk_engine": "risk_engine",
    "active_engine": "risk_engine",
    "selector": "risk_engine_selector",
    "incomplete_application": "application",
    "approved_application": "application",
    "inactive_loan": "loan",
    "active_loan": "loan",
    "paid_loan": "loan",
    "pending_transaction": "transaction",
}
