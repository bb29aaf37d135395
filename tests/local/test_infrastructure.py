"""The template makes what the store and the queues need, in an emulator, once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local import infrastructure
from tests.support import template

REGION = "eu-west-2"
VALUES = infrastructure.parameters("backbone", "bb")


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("cloudformation", region_name=REGION)


def test_the_table_has_its_keys_and_indexes(cloudformation: Any) -> None:
    assert infrastructure.ensure(cloudformation, VALUES) == "created"
    table = boto3.client("dynamodb", region_name=REGION).describe_table(TableName="backbone")
    keys = {
        index["IndexName"]: (
            [key["AttributeName"] for key in index["KeySchema"]],
            index["Projection"]["ProjectionType"],
        )
        for index in table["Table"]["GlobalSecondaryIndexes"]
    }
    assert [key["AttributeName"] for key in table["Table"]["KeySchema"]] == ["pk", "sk"]
    assert keys == {
        "by_list": (["lp", "ls"], "KEYS_ONLY"),
        "by_status": (["gp", "gs"], "KEYS_ONLY"),
        "by_owner": (["op", "os"], "KEYS_ONLY"),
        "by_due": (["dp", "ds"], "KEYS_ONLY"),
    }


@pytest.mark.parametrize(
    "logical",
    [
        "days",
        "clock",
        "gocardless",
        "blackmoon",
        "replica",
        "provider_events",
        "webhooks",
        "webhooks-slow",
    ],
)
def test_a_queue_has_its_dead_letter_queue(cloudformation: Any, logical: str) -> None:
    infrastructure.ensure(cloudformation, VALUES)
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.get_queue_url(QueueName=f"bb-{logical}")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "30"
    assert f"bb-{logical}-dead" in attributes["RedrivePolicy"]
    assert '"maxReceiveCount": 5' in attributes["RedrivePolicy"]


@pytest.mark.parametrize("name", ["Exports", "Replica"])
def test_buckets_are_private_and_encrypted(name: str) -> None:
    bucket = template()["Resources"][name]["Properties"]
    blocked = bucket["PublicAccessBlockConfiguration"]
    assert len(blocked) == 4 and all(blocked.values())
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    [statement] = template()["Resources"][f"{name}OnlyEncrypted"]["Properties"]["PolicyDocument"][
        "Statement"
    ]
    assert statement["Effect"] == "Deny" and statement["Principal"] == "*"


def test_exports_are_gone_after_a_day_and_daily_files_after_a_month() -> None:
    rules = template()["Resources"]["Exports"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert days == {"exports/": 1, "blackmoon/": 35}
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_the_replicas_reader_reads_and_nothing_else() -> None:
    resources = template()["Resources"]
    for reader in ("ReplicaReader", "SftpReader"):
        assert resources[reader]["Properties"]["ManagedPolicyArns"] == ["ReplicaReads"]
        assert "Policies" not in resources[reader]["Properties"]
    policy = resources["ReplicaReads"]["Properties"]["PolicyDocument"]["Statement"]
    actions = {action for statement in policy for action in statement["Action"]}
    assert actions == {
        "s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation",
        "glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions",
    }  # fmt: skip
    assert all(statement["Effect"] == "Allow" for statement in policy)
    [reads] = [one["Resource"] for one in policy if "s3:GetObject" in one["Action"]]
    assert all("${ReplicaPartner}" in one and one.startswith("${Replica.Arn}/") for one in reads)


def test_what_is_there_is_left_alone(cloudformation: Any, tmp_path: Path) -> None:
    infrastructure.ensure(cloudformation, VALUES)
    assert infrastructure.ensure(cloudformation, VALUES) == "unchanged"
    longer = tmp_path / "data.yaml"
    added = "\n  MoreQueue:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: bb-more\n"
    text = infrastructure.TEMPLATE.read_text().replace("\nOutputs:", f"{added}\nOutputs:")
    longer.write_text(text)
    assert infrastructure.ensure(cloudformation, VALUES, longer) == "updated"
    assert infrastructure.ensure(cloudformation, VALUES, longer) == "unchanged"
    sqs = boto3.client("sqs", region_name=REGION)
    assert sqs.get_queue_url(QueueName="bb-more")["QueueUrl"].endswith("bb-more")
