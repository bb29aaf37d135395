"""A secret of Secrets Manager is a JSON object, or an error that does not show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from chalicelib import config
from chalicelib.integrations import secrets

SETTINGS = config.Config("test", "backbone", "bb", "eu-west-2")


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager", region_name=SETTINGS.region)


def test_it_is_read(manager: Any) -> None:
    manager.create_secret(Name="backbone/gocardless", SecretString='{"p": {"access_token": "t"}}')
    assert secrets.read(SETTINGS, "backbone/gocardless") == {"p": {"access_token": "t"}}


@pytest.mark.parametrize("text", ["not-to-be-shown", "[1]", '{"not-to-be-shown'])
def test_what_is_no_object_is_not_shown(manager: Any, text: str) -> None:
    name = f"odd-{uuid4()}"
    manager.create_secret(Name=name, SecretString=text)
    with pytest.raises(ValueError) as error:
        secrets.read(SETTINGS, name)
    assert "not-to-be-shown" not in str(error.value) and error.value.__cause__ is None


def test_it_is_written_as_its_next_version(manager: Any) -> None:
    name = f"blackmoon/{uuid4()}"
    assert secrets.find(SETTINGS, name) is None, "nobody has made it"
    manager.create_secret(Name=name, SecretString='{"access_token": "old"}')
    secrets.write(SETTINGS, name, {"access_token": "new", "made_at": None})
    assert secrets.find(SETTINGS, name) == {"access_token": "new", "made_at": None}


def test_what_cannot_be_written_is_said_without_it(manager: Any) -> None:
    with pytest.raises(secrets.Unwritten) as error:
        secrets.write(SETTINGS, f"nobody-made-it-{uuid4()}", {"token": "not-to-be-shown"})
    assert "not-to-be-shown" not in str(error.value) and error.value.__cause__ is None
