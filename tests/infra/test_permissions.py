"""The recorded table: what it is made of, and that a difference is said both ways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools import permissions
from tools.aws.policies import PERMISSIONS, plain, policy
from tools.aws.stages import functions, stage

TRANSACTION = {"TransactItems": [{"Put": {}}, {"ConditionCheck": {}}, {"Delete": {}}]}


def test_a_difference_is_said_both_ways() -> None:
    allowed = permissions.table(["days dynamodb:GetItem table", "days s3:PutObject objects/x"])
    done = permissions.table(["days dynamodb:GetItem table", "clock dynamodb:Query index"])
    found = permissions.differences(done, allowed)
    assert any("clock dynamodb:Query index: it is done, and not allowed" in one for one in found)
    assert any("days s3:PutObject objects/x: it is allowed, and not done" in one for one in found)
    assert permissions.differences(allowed, allowed) == []


def test_a_commit_may_have_messages_and_a_reader_long_journals() -> None:
    made = permissions.table(["days dynamodb:PutItem table", "days dynamodb:GetItem table"])
    assert made["days"]["dynamodb:Query"] == ["table"], "not of an index"
    assert "sqs:SendMessage" in made["days"] and "dynamodb:ConditionCheckItem" in made["days"]


def test_the_file_is_complete_and_written_by_the_command() -> None:
    given: dict[str, Any] = json.loads(PERMISSIONS.read_text("utf-8"))
    rows = [
        f"{function} {action} {kind}"
        for function, actions in given.items()
        for action, kinds in actions.items()
        for kind in kinds
    ]
    assert PERMISSIONS.read_text("utf-8") == permissions.text(permissions.table(rows))
    assert not any(" unknown" in row for row in rows), "a service that tools/aws does not know"


@pytest.mark.parametrize(
    ("service", "operation", "given", "actions"),
    [
        ("dynamodb", "Query", {"IndexName": "by_due"}, [("dynamodb:Query", "index")]),
        ("dynamodb", "TransactGetItems", {}, [("dynamodb:GetItem", "table")]),
        (
            "dynamodb",
            "TransactWriteItems",
            TRANSACTION,
            [
                ("dynamodb:PutItem", "table"),
                ("dynamodb:ConditionCheckItem", "table"),
                ("dynamodb:DeleteItem", "table"),
            ],
        ),
        ("sqs", "SendMessageBatch", {}, [("sqs:SendMessage", "queue")]),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "backbone-dev/blackmoon/p"},
            [("secretsmanager:GetSecretValue", "secret/blackmoon")],
        ),
    ],
)
def test_a_call_is_what_iam_calls_it(
    service: str, operation: str, given: dict[str, Any], actions: list[tuple[str, str]]
) -> None:
    from tests.infra.calls import actions as said

    assert list(said(service, operation, given, "backbone-exports")) == actions


def test_objects_are_told_apart_by_where_they_are() -> None:
    from tests.infra.calls import actions as said

    def kind(bucket: str, key: str) -> str:
        given = {"Bucket": bucket, "Key": key}
        [(action, found)] = said("s3", "UploadPart", given, "backbone-exports")
        assert action == "s3:PutObject"
        return found

    assert kind("backbone-exports", "exports/p/1") == "objects/exports"
    assert kind("backbone-replica", "p/2026-03-02/x") == "bucket/replica"


def test_chalice_gets_real_names() -> None:
    for function in functions():
        document = policy(stage("dev"), function, by_chalice=True)
        text = json.dumps(plain(document, "123456789012", "eu-west-2"))
        assert "Fn::Sub" not in text and "${" not in text
        assert ":123456789012:" in text and "logs:CreateLogGroup" in text
