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


def test_files_are_written_in_parts_and_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with ministack(tmp_path) as url:
        boto3.client("s3", region_name=REGION, endpoint_url=url).create_bucket(
            Bucket="other", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        config = Config("test", "backbone", "bb", REGION, endpoint_url=url)
        store = Objects(config, "other")
        large = [bytes([65 + number % 26]) * 999_999 for number in range(20)]
        for pieces in ([], [b"one"], large):
            assert store.write("a/b.csv", iter(pieces), "text/csv") == len(b"".join(pieces))
            assert b"".join(store.read("a/b.csv")) == b"".join(pieces) if pieces else True
        whole = b"".join(large)
        for start, end in ((0, 1), (999_998, 1_000_001), (8_388_607, 8_388_609), (5, 5)):
            assert b"".join(store.read("a/b.csv", start, end)) == whole[start:end]
        assert b"".join(store.read("a/b.csv", 19_000_000)) == whole[19_000_000:]
        with pytest.raises(FileNotFoundError):
            next(iter(store.read("a/c.csv")))


def test_a_failed_file_leaves_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        asked: list[str] = []  # noqa: RUF012 - one test's record

        def __getattr__(self, name: str) -> object:
            self.asked.append(name)
            return lambda **_: {"UploadId": "u", "ETag": "e"}

    def failing() -> object:
        yield bytes(objects.PART_BYTES + 1)
        yield bytes(objects.PART_BYTES)
        raise ConnectionError("the table went away")

    store, broken = Objects(Config("test", "backbone", "bb", REGION, bucket="b")), Broken()
    monkeypatch.setitem(vars(store), "_client", broken)
    with pytest.raises(ConnectionError):
        store.write("a.csv", failing(), "text/csv")
    assert "complete_multipart_upload" not in broken.asked and "put_object" not in broken.asked
    assert broken.asked[-1] == "abort_multipart_upload"


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
