"""Exports in the bucket that the template makes, fetched as a partner would."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest

from chalicelib.config import Config
from chalicelib.integrations import objects
from chalicelib.integrations.objects import Objects
from local import infrastructure
from tests.ministack import CREDENTIALS, REGION, ministack


def fetch(url: str) -> tuple[int, bytes, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers["Content-Disposition"]
    except urllib.error.HTTPError as error:
        return error.code, b"", ""


def test_a_link_works_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with ministack(tmp_path) as url:
        cloud = boto3.client("cloudformation", region_name=REGION, endpoint_url=url)
        infrastructure.ensure(cloud, infrastructure.parameters("backbone", "bb"))
        config = Config(
            "test", "backbone", "bb", REGION, endpoint_url=url, bucket="bb-exports"
        )  # fmt: skip
        store = Objects(config)
        pieces = [bytes([65 + number % 26]) * 999_999 for number in range(20)]
        link = store.put("partner", iter(pieces), "text/csv", "a.csv")
        assert fetch(link) == (200, b"".join(pieces), 'attachment; filename="a.csv"')
        forged = link.replace("X-Amz-Signature=", "X-Amz-Signature=0")
        assert fetch(forged)[0] == 403
        monkeypatch.setattr(objects, "LINK_SECONDS", 1)
        short = store.put("partner", [b""], "text/csv", "empty.csv")
        deadline = time.monotonic() + 10
        while fetch(short)[0] != 403:
            assert time.monotonic() < deadline, "the link never expires"
            time.sleep(0.2)


def test_a_failed_export_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        asked: list[str] = []  # noqa: RUF012 - one test's record

        def __getattr__(self, name: str) -> object:
            self.asked.append(name)
            return lambda **_: {"UploadId": "u", "ETag": "e"}

    def failing() -> object:
        yield b"x"
        raise ConnectionError("the table went away")

    config = Config("test", "backbone", "bb", REGION, bucket="bb-exports")
    store, broken = Objects(config), Broken()
    monkeypatch.setitem(vars(store), "_client", broken)
    with pytest.raises(ConnectionError):
        store.put("partner", failing(), "text/csv", "a.csv")
    assert broken.asked == ["create_multipart_upload", "abort_multipart_upload"]


def test_without_a_bucket() -> None:
    with pytest.raises(RuntimeError, match="BACKBONE_BUCKET"):
        Objects(Config("test", "backbone", "bb", REGION)).put("p", [b""], "text/csv", "a.csv")
