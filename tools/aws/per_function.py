"""What every function has in the template besides what Chalice writes."""

from __future__ import annotations

from typing import Any

from tools.aws import layers, policies
from tools.aws.stages import PYTHON, Function, Stage

#: A queue's function that sets itself no limit: it must not take all of the account's concurrency.
MOST_AT_ONCE = 20
RUNTIME = f"python{PYTHON}"
NOTHING = {"Ref": "AWS::NoValue"}
RUNBOOKS = "docs/operators/runbooks/"

Resources = dict[str, Any]


def resources(stage: Stage, function: Function) -> Resources:
    """The function's additions, its log group and its alarms, by their names."""
    return {
        function.resource: {"Properties": _properties(function)},
        f"{function.resource}Log": _log(stage, function),
        **_alarms(stage, function),
    }


def _properties(function: Function) -> Resources:
    more = [{"Ref": layers.resource(name)} for name in layers.of(function.name)]
    properties: Resources = {
        "Runtime": RUNTIME,
        "CodeUri": "./app.zip",
        "Layers": [{"Ref": "Dependencies"}, *more],
        "LoggingConfig": {"LogGroup": {"Ref": f"{function.resource}Log"}, "LogFormat": "Text"},
        "Environment": {
            "Variables": {
                "BACKBONE_BUCKET": {"Ref": "ExportsBucket"},
                "BACKBONE_REPLICA_BUCKET": {"Ref": "ReplicaBucket"},
                "BACKBONE_PUBLIC_BASE_URL": {"Ref": "PublicBaseUrl"},
                "BACKBONE_BLACKMOON_URL": {"Ref": "BlackmoonUrl"},
            }
        },
    }
    if function.queue is not None:
        properties["Events"] = {function.event: {"Properties": _consuming(function)}}
    if function.rate is not None:
        # What failed is found again by the next run, so it need not be tried for six hours.
        properties["EventInvokeConfig"] = {
            "MaximumRetryAttempts": 1,
            "MaximumEventAgeInSeconds": 300,
        }
    return properties


def _consuming(function: Function) -> Resources:
    return {
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": function.at_once or MOST_AT_ONCE},
    }


def _log(stage: Stage, function: Function) -> Resources:
    return {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": policies.log_group(stage, function),
            "RetentionInDays": {"Ref": "LogDays"},
            "KmsKeyId": {"Fn::If": ["HasKey", {"Ref": "KeyArn"}, NOTHING]},
        },
    }


def _alarms(stage: Stage, function: Function) -> Resources:
    """One for errors, one for throttles; ``infra/alarms.yaml`` is for what the business means."""
    return {
        f"{function.resource}{metric}Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": f"backbone-{stage.name}-{function.name}-{metric.lower()}",
                "AlarmDescription": f"{meaning.format(function.name)} Runbook: {RUNBOOKS}"
                f"function-{metric.lower()}.md",
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": function.resource}}],
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": periods,
                "DatapointsToAlarm": periods,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], NOTHING]},
                "OKActions": {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], NOTHING]},
            },
        }
        for metric, periods, meaning in (
            # A consumer's message comes again by itself: one bad minute wakes nobody.
            ("Errors", 1 if function.queue is None else 3, "{0} ended with an error."),
            ("Throttles", 3, "{0} was not started for want of concurrency."),
        )
    }
