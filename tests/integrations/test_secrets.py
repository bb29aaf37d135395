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
