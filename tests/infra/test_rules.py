"""What must hold for everything that is deployed, whatever is added to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.models.keys import QUEUES
from tests.infra.conftest import Template
from tools.aws import templates
from tools.aws.policies import NAMELESS, permissions, policy
from tools.aws.stages import Function, document, functions, names, stage
from tools.aws.template import merging
from tools.dashboards.definitions import things

FUNCTIONS = functions()
CONSUMERS = [function for function in FUNCTIONS if function.queue is not None]
STAGES = names()
#: Resources whose last part cannot be named: what Lambda calls its streams, what Secrets Manager
#: adds to a name, the partners' own secrets and objects.
OPEN_ENDS = re.compile(
    r"""arn:\$\{AWS::Partition\}:(
        logs:[^*]+:log-group:/backbone/[a-z]+/[a-z_]+:\*
      | secretsmanager:[^*?]+:secret:[a-z/-]+(-\?\?\?\?\?\?|/\*)
      | s3:::[^*]+/\*
    )""",
    re.VERBOSE,
)


def of_type(found: dict[str, Template], kind: str) -> dict[str, Any]:
    chosen = {name: body for name, body in found.items() if body["Type"] == kind}
    assert chosen, f"there is no {kind}"
    return chosen


def statements(found: dict[str, Template]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, body in of_type(found, "AWS::IAM::Role").items():
        for each in body["Properties"].get("Policies", []):
            for statement in each["PolicyDocument"]["Statement"]:
                yield name, statement


def test_a_policy_names_what_it_allows(everything: dict[str, Template]) -> None:
    seen = 0
    for name, statement in statements(everything):
        seen += 1
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"]), (name, statement)
        for resource in statement["Resource"]:
            if resource == "*":
                assert set(statement["Action"]) <= NAMELESS, (name, statement)
                continue
            text = resource["Fn::Sub"]
            assert not re.search(r"[*?]", text) or OPEN_ENDS.fullmatch(text), (name, text)
    assert seen > len(FUNCTIONS)


def test_every_function_has_a_role_of_its_own(packaged: Template) -> None:
    roles = [
        packaged["Resources"][function.resource]["Properties"]["Role"]["Fn::GetAtt"][0]
        for function in FUNCTIONS
    ]
    assert len(set(roles)) == len(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_has_all_that_a_function_needs(packaged: Template, function: Function) -> None:
    resources = packaged["Resources"]
    assert function.resource in resources, f"app.py: {function.name} has no resource"
    properties = resources[function.resource]["Properties"]
    assert properties["Runtime"] == "python3.11" and properties["CodeUri"] == "./app.zip"
    assert properties["Tracing"] == "Active" and properties["Tags"]["Stage"] == "production"
    log = resources[properties["LoggingConfig"]["LogGroup"]["Ref"]]
    assert log["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}
    for metric in ("Errors", "Throttles"):
        alarm = resources[f"{function.resource}{metric}Alarm"]["Properties"]
        assert alarm["MetricName"] == metric and alarm["AlarmActions"]["Fn::If"][0] == "HasTopic"
        assert alarm["Dimensions"] == [
            {"Name": "FunctionName", "Value": {"Ref": function.resource}}
        ]


def test_nothing_is_configured_that_is_not_there() -> None:
    known = {function.name for function in FUNCTIONS}
    configuration = document()
    assert set(configuration["lambda_functions"]) == known, "see .chalice/config.json"
    for name, own in configuration["stages"].items():
        assert set(own.get("lambda_functions", {})) <= known, name
    assert set(permissions()) == known, "infra/permissions.json: run `make permissions`"
    for function in FUNCTIONS:
        where = configuration["lambda_functions"][function.name]["iam_policy_file"]
        assert where == f"policies/{function.name}.json"


@pytest.mark.parametrize("function", CONSUMERS, ids=lambda function: function.name)
def test_a_consumer_has_its_queue(packaged: Template, function: Function) -> None:
    event = packaged["Resources"][function.resource]["Properties"]["Events"][function.event]
    given = event["Properties"]
    assert given["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert given["Queue"]["Fn::Sub"].endswith(f":backbone-production-{function.queue}")
    assert 2 <= given["ScalingConfig"]["MaximumConcurrency"] <= 50
    # A consumer that raises gives all of its batch back: with one message that is the message.
    assert given["BatchSize"] == 1
    assert function.queue is not None and templates.queue(function.queue)


def test_every_logical_queue_is_made_and_consumed() -> None:
    assert {function.queue for function in CONSUMERS} == set(QUEUES)


def test_every_queue_has_a_dead_letter_queue(infra: dict[str, Template]) -> None:
    queues = {
        name: body["Properties"]
        for name, body in infra["data"]["Resources"].items()
        if body["Type"] == "AWS::SQS::Queue"
    }
    dead = {name for name in queues if name.endswith("DeadQueue")}
    alive = set(queues) - dead
    assert len(alive) == len(dead) == len(QUEUES)
    for name in alive:
        redrive = queues[name]["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == {
            "Fn::GetAtt": [f"{name.removesuffix('Queue')}DeadQueue", "Arn"]
        }
        assert redrive["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}
    for name, given in queues.items():
        assert given["SqsManagedSseEnabled"] is True, name
        assert given["MessageRetentionPeriod"] == 1209600, name


@pytest.mark.parametrize("name", STAGES)
def test_a_message_is_out_of_sight_six_times_as_long_as_its_function_may_take(name: str) -> None:
    chosen = stage(name)
    defaults = templates.data()["Parameters"]
    given = templates.visibilities(chosen)
    for function in CONSUMERS:
        assert function.queue is not None
        parameter = templates.visibility_parameter(function.queue)
        six_times = 6 * chosen.timeout(function.name)
        assert int(given[parameter]) == six_times, (
            f"{function.name} shares {parameter} with a slower function: give both one timeout"
        )
        assert int(given[parameter]) <= defaults[parameter]["MaxValue"] == 43200
    written = {name: str(one["Default"]) for name, one in defaults.items() if name in given}
    assert written == given, "infra/data.yaml: the default is what the configuration says"


def test_buckets_are_private_and_encrypted(everything: dict[str, Template]) -> None:
    policies = of_type(everything, "AWS::S3::BucketPolicy")
    for name, body in of_type(everything, "AWS::S3::Bucket").items():
        given = body["Properties"]
        blocked = given["PublicAccessBlockConfiguration"]
        assert len(blocked) == 4 and all(blocked.values()), name
        assert given["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        rules = given["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}], name
        logical = name.partition("/")[2]
        [own] = [p for p in policies.values() if p["Properties"]["Bucket"] == {"Ref": logical}]
        [first] = own["Properties"]["PolicyDocument"]["Statement"]
        assert first["Effect"] == "Deny"
        assert first["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_table_is_hard_to_lose(infra: dict[str, Template]) -> None:
    table = infra["data"]["Resources"]["Table"]
    given = table["Properties"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert given["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert given["DeletionProtectionEnabled"] == {"Fn::If": ["IsGuarded", True, False]}
    [condition, encrypted, _] = given["SSESpecification"]["Fn::If"]
    assert condition == "HasKey" and encrypted["KMSMasterKeyId"] == {"Ref": "KeyArn"}
    assert given["BillingMode"] == "PAY_PER_REQUEST"
    assert given["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert [stage(name).guarded for name in STAGES] == [False, True, True]


def test_what_is_secret_is_encrypted_with_our_key(everything: dict[str, Template]) -> None:
    [key] = of_type(everything, "AWS::KMS::Key").values()
    assert key["Properties"]["EnableKeyRotation"] is True and key["DeletionPolicy"] == "Retain"
    for name, body in of_type(everything, "AWS::SecretsManager::Secret").items():
        assert body["Properties"]["KmsKeyId"] == {"Ref": "Key"}, name
        assert body["Properties"]["SecretString"] == "{}", name
    for name, body in of_type(everything, "AWS::SNS::Topic").items():
        assert body["Properties"]["KmsMasterKeyId"], name
    for name, body in of_type(everything, "AWS::Logs::LogGroup").items():
        assert body["Properties"]["KmsKeyId"]["Fn::If"][0] == "HasKey", name
        assert body["Properties"]["RetentionInDays"], name


def test_schedules_are_right_in_every_time_zone() -> None:
    """By the hour or oftener: midnight comes at another hour everywhere, and moves in spring."""
    rates = {function.name: function.rate for function in FUNCTIONS if function.rate}
    assert rates["close_days"] == "cron(5 * * * ? *)"
    for name, rate in rates.items():
        assert rate == "rate(1 minute)" or re.fullmatch(r"cron\(\d+ \* \* \* \? \*\)", rate), name


def test_the_edge_says_429_to_a_key_that_asks_too_often(infra: dict[str, Template]) -> None:
    rules = infra["edge"]["Resources"]["WebAcl"]["Properties"]["Rules"]
    first = rules[0]["Statement"]["RateBasedStatement"]
    assert first["CustomKeys"][0]["Header"]["Name"] == "x-api-key"
    answer = rules[0]["Action"]["Block"]["CustomResponse"]
    assert answer["ResponseCode"] == 429
    assert answer["ResponseHeaders"] == [{"Name": "Retry-After", "Value": "60"}]
    assert [rule["Priority"] for rule in rules] == list(range(len(rules)))


def test_the_gateway_answers_as_we_do(packaged: Template) -> None:
    given = packaged["Resources"]["RestAPI"]["Properties"]
    answers = given["GatewayResponses"]
    assert answers["THROTTLED"]["StatusCode"] == 429
    assert answers["THROTTLED"]["ResponseParameters"]["Headers"]["Retry-After"] == "'1'"
    for kind, answer in answers.items():
        headers = answer["ResponseParameters"]["Headers"]
        assert headers["Content-Type"] == "'application/problem+json'", kind
        assert '"request_id":"$context.requestId"' in answer["ResponseTemplates"][
            "application/json"
        ].replace('": "', '":"'), kind
    [settings] = given["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["MetricsEnabled"] is False, "a series a method and metric, each at a price"
    format_ = given["AccessLogSetting"]["Fn::If"][1]["Format"]
    assert not re.search(r"context\.(path|identity\.apiKey)|\.querystring|requestOverride", format_)


def test_a_stages_api_is_measured_by_its_own_name_and_traced_as_its_functions_are(
    packaged: Template,
) -> None:
    given = packaged["Resources"]["RestAPI"]["Properties"]
    assert given["DefinitionBody"]["info"]["title"] == stage("production").stack()
    [(shown, _)] = things("gateway")
    assert shown["ApiName"].replace("${StageName}", "production") == stage("production").stack()
    for name in STAGES:
        made = merging(stage(name))["Resources"]["RestAPI"]["Properties"]
        assert made["TracingEnabled"] is document()["stages"][name]["xray"]


@pytest.mark.parametrize("name", STAGES)
def test_no_schedule_runs_twice_at_once_where_it_matters(name: str) -> None:
    chosen = stage(name)
    for function in FUNCTIONS:
        wanted = 1 if function.rate and chosen.guarded else None
        assert chosen.setting(function.name, "reserved_concurrency") == wanted, function.name


def test_the_gateway_has_room_for_the_routes(packaged: Template) -> None:
    """API Gateway takes 300 resources an API unless it is asked for more."""
    paths = packaged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    nodes = {
        "/".join(parts[:depth])
        for parts in (path.strip("/").split("/") for path in paths)
        for depth in range(1, len(parts) + 1)
    }
    assert len(nodes) < 290


def test_a_new_function_is_told_what_it_lacks() -> None:
    from tools.aws.stages import Trouble
    from tools.aws.template import policy_file

    with pytest.raises(Trouble, match=r"infra/permissions\.json has no row for the function x"):
        policy(stage("dev"), Function("x"))
    with pytest.raises(Trouble, match=r"config\.json: lambda_functions has no row for x"):
        policy_file(stage("dev"), "x")
