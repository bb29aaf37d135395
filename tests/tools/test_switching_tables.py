"""A stage that goes on with a restored table (``docs/operators/backups.md``): what is deployed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools import infra
from tools.aws import policies
from tools.aws.account import Account
from tools.aws.stages import Stage, document, functions

RESTORED, OWN = "backbone-production-2", "backbone-production"


class Stacks:
    """Keeps what it is told to bring."""

    def __init__(self) -> None:
        self.brought: dict[str, Any] = {}

    def bring(self, wanted: Any) -> None:
        self.brought[wanted.name] = dict(wanted.parameters)

    def outputs(self, name: str) -> dict[str, str]:
        return {"KeyArn": "arn:aws:kms:eu-west-2:123456789012:key/1"}


def test_functions_go_to_the_restored_table_and_the_stack_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = document()
    own = whole["stages"]["production"]["environment_variables"]
    assert own["BACKBONE_TABLE"] == OWN
    own["BACKBONE_TABLE"] = RESTORED
    chosen, stacks = Stage("production", whole), Stacks()
    account = Account("eu-west-2")
    account.__dict__["id"] = "123456789012"
    pinned = {"data": {"TableName": OWN}}
    monkeypatch.setattr(infra, "settings", lambda _, stack: pinned.get(stack))
    infra.bring(chosen, account, stacks)  # type: ignore[arg-type]
    assert stacks.brought["backbone-production-data"]["TableName"] == OWN
    [http] = [one for one in functions() if one.name == "api_handler"]
    allowed = json.dumps(policies.policy(chosen, http))
    assert f"table/{RESTORED}" in allowed and f'table/{OWN}"' not in allowed
