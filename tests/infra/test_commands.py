"""The commands' own parts: asking first, saying no, zips that are the same twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tools import deploy, infra, smoke
from tools.aws import archive, layers, wheels
from tools.aws.stacks import Stacks, Wanted
from tools.aws.stages import Trouble, stage

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}
TEMPLATE = json.dumps(
    {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Queue": QUEUE},
    }
)


def wanted(name: str = "one", stack: str = "backbone-test") -> Wanted:
    return Wanted(stack, {"TemplateBody": TEMPLATE}, {"Name": name}, {"Stage": "test"})


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("cloudformation", region_name="eu-west-2")


def test_what_would_change_is_shown_and_needs_a_yes(cloudformation: Any) -> None:
    said: list[str] = []
    asked: list[str] = []
    refusing = Stacks(cloudformation, say=said.append, agree=lambda _: False, pause=0)
    with pytest.raises(Trouble, match="left as it is"):
        refusing.bring(wanted(stack="backbone-other"))
    assert any("Add AWS::SQS::Queue Queue" in line for line in said)
    assert refusing.outputs("backbone-other") == {}
    stacks = Stacks(
        cloudformation, say=said.append, agree=lambda name: not asked.append(name), pause=0
    )
    assert stacks.bring(wanted())
    assert asked == ["backbone-test"]
    assert boto3.client("sqs", region_name="eu-west-2").get_queue_url(QueueName="one")
    before = stacks.before("backbone-test")
    assert before is not None and before.parameters == {"Name": "one"}
    assert stacks.outputs("nobody") == {} and stacks.before("nobody") is None


def test_nobody_there_is_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YES", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(Trouble, match="YES=1"):
        infra.agreement(False)("backbone-dev")
    assert infra.agreement(True)("backbone-dev")
    monkeypatch.setenv("YES", "1")
    assert infra.agreement(False)("backbone-dev")


def test_a_stage_that_is_not_there() -> None:
    with pytest.raises(Trouble, match="dev, sandbox, production"):
        stage("prod")


def test_zips_do_not_tell_when_they_were_made(tmp_path: Path) -> None:
    for name, order in (("a", "xy"), ("b", "yx")):
        for letter in order:
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / letter).write_text(letter)
        archive.write(tmp_path / f"{name}.zip", tmp_path / name, "python/")
    assert archive.digest(tmp_path / "a.zip") == archive.digest(tmp_path / "b.zip")


def test_the_layer_has_what_the_functions_need_and_no_tools() -> None:
    needed = set(wheels.needed())
    assert {"botocore", "pynamodb", "pydantic", "requests"} <= needed
    assert not needed & {"chalice", "pip", "setuptools", "wheel", "click", "inquirer", "boto3"}
    heavy = {
        library
        for name in layers.all_layers()
        for library in wheels.asked_for(layers.lock_file(name).with_suffix(".in"))
    }
    assert not needed & heavy


class Broken(BaseHTTPRequestHandler):
    """Says 200 to everybody, and not in our words."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def test_the_smoke_test_says_no() -> None:
    server = HTTPServer(("127.0.0.1", 0), Broken)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        found = smoke.flaws(url, None, pause=lambda _: None)
    finally:
        server.shutdown()
        server.server_close()
    assert len(found) == 2 and all("/api/v1/product/ with" in line for line in found)
    assert smoke.flaws(url, None, pause=lambda _: None)[0].startswith("GET /healthz: 0")


def test_nobody_who_hears_of_alarms_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"AlarmEmail": ""}
    monkeypatch.setattr(deploy, "settings", lambda *_: given)
    assert "AlarmEmail" in str(deploy.unheard(stage("production")))
    assert deploy.unheard(stage("dev")) is None
    given["AlarmEmail"] = "on-call@lender.example"
    assert deploy.unheard(stage("production")) is None
