"""Which platform a command line means."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from chalicelib.config import ConfigError
from tools.aws.stages import Trouble
from tools.ops.where import find

AWS = {"AWS_REGION": "eu-west-1"}


def test_a_stage_is_that_of_the_configuration() -> None:
    found = find("production", None, False, AWS).config
    assert (found.stage, found.table_name, found.region) == (
        "production", "backbone-production", "eu-west-1",
    )  # fmt: skip
    assert not found.sandbox and found.endpoint_url is None
    assert find("production", "restored", False, AWS).config.table_name == "restored"
    with pytest.raises(Trouble, match=r"\.chalice/config\.json"):
        find("nowhere", None, False, AWS)


def test_in_a_stage_s_own_environment_it_is_that_stage() -> None:
    own = {
        "BACKBONE_STAGE": "sandbox",
        "BACKBONE_TABLE": "t-1",
        "BACKBONE_QUEUE_PREFIX": "q",
        **AWS,
    }
    assert find(None, None, False, own).config.table_name == "t-1"
    with pytest.raises(ConfigError, match="BACKBONE_TABLE"):
        find(None, None, False, {"BACKBONE_STAGE": "sandbox", **AWS})


def test_else_it_is_the_laptop_stack_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKBONE_LOCAL_DIR", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a-real-account-s")
    run = dict.fromkeys(("url", "aws_url", "gocardless_url"), "http://127.0.0.1:9")
    run |= {"blackmoon_url": "http://127.0.0.1:9"}
    (tmp_path / "run.json").write_text(json.dumps({**run, "pid": os.getpid()}))
    found = find(None, None, False, {}).config
    assert (found.stage, found.endpoint_url) == ("laptop", "http://127.0.0.1:9")
    assert os.environ["AWS_ACCESS_KEY_ID"] == "local", "no real key at an emulator"
    (tmp_path / "run.json").write_text(json.dumps({**run, "pid": 2**22 + 1}))
    with pytest.raises(Trouble, match="No laptop stack is running"):
        find(None, None, False, {})
