"""What each function may do: ``infra/permissions.json`` as IAM policies.

The table says which actions a function uses on which kind of thing; it is recorded from runs of the
application (``make permissions``), not written by hand.  Here kinds become names: of the stage's
one table, its indexes, its queues, its bucket, its secrets.  What Lambda itself does for a function
(logs, traces, receiving messages) is added by what the function is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tools.aws.stages import HTTP, ROOT, Function, Stage, Trouble

PERMISSIONS = ROOT / "infra" / "permissions.json"
ARN = "arn:${AWS::Partition}"
HERE = "${AWS::Region}:${AWS::AccountId}"
#: What cannot be named: X-Ray has no resources.
NAMELESS = frozenset({"xray:PutTraceSegments", "xray:PutTelemetryRecords"})
CONSUMING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
KINDS = (
    "table",
    "index",
    "queue",
    "objects/<first part of the key>",
    "bucket/<name>",
    "secret/gocardless",
    "secret/blackmoon",
)

Policy = dict[str, Any]


@cache
def permissions() -> Mapping[str, Mapping[str, list[str]]]:
    """Function -> action -> kinds of things."""
    found: dict[str, dict[str, list[str]]] = json.loads(PERMISSIONS.read_text("utf-8"))
    return found


def policy(stage: Stage, function: Function, *, by_chalice: bool = False) -> Policy:
    """The function's policy; names are CloudFormation's (``Fn::Sub``).

    ``by_chalice``: for a function that ``chalice deploy`` makes, which makes its own log group.
    """
    if function.name not in permissions():
        raise Trouble(
            f"infra/permissions.json has no row for the function {function.name}: "
            "run `make permissions`."
        )
    by_kind: dict[str, list[str]] = {}
    for action, kinds in permissions()[function.name].items():
        for kind in kinds:
            by_kind.setdefault(kind, []).append(action)
    statements = [
        _statement(kind, sorted(actions), _names(stage, kind))
        for kind, actions in sorted(by_kind.items())
    ]
    statements.append(_logs(stage, function, by_chalice))
    if function.queue is not None:
        statements.append(_statement("consumes", CONSUMING, [_queue(stage, function.queue)]))
    if stage.setting(function.name, "xray"):
        statements.append(_statement("traces", sorted(NAMELESS), ["*"]))
    return {"Version": "2012-10-17", "Statement": statements}


def plain(document: Any, account: str, region: str, partition: str = "aws") -> Any:
    """The same with real names, as ``chalice deploy`` needs it."""
    if isinstance(document, dict):
        if set(document) == {"Fn::Sub"}:
            text = str(document["Fn::Sub"])
            values = {"AccountId": account, "Region": region, "Partition": partition}
            for name, value in values.items():
                text = text.replace(f"${{AWS::{name}}}", value)
            return text
        return {key: plain(value, account, region, partition) for key, value in document.items()}
    if isinstance(document, list):
        return [plain(value, account, region, partition) for value in document]
    return document


def log_group(stage: Stage, function: Function) -> str:
    """Where a function's lines go."""
    return f"/backbone/{stage.name}/{function.name}"


def _statement(sid: str, actions: Iterable[str], resources: Iterable[str]) -> Policy:
    named = [name if name == "*" else {"Fn::Sub": name} for name in resources]
    title = "".join(part.capitalize() for part in sid.replace("/", "_").split("_"))
    return {"Sid": title, "Effect": "Allow", "Action": list(actions), "Resource": named}


def _logs(stage: Stage, function: Function, by_chalice: bool) -> Policy:
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    group = log_group(stage, function)
    if by_chalice:
        actions.append("logs:CreateLogGroup")
        ending = "" if function.name == HTTP else f"-{function.name}"
        group = f"/aws/lambda/backbone-{stage.name}{ending}"
    # A log stream's name is Lambda's own: the group is all that can be named.
    return _statement("logs", actions, [f"{ARN}:logs:{HERE}:log-group:{group}:*"])


def _names(stage: Stage, kind: str) -> list[str]:
    if kind == "table":
        return [_table(stage)]
    if kind == "index":
        return [f"{_table(stage)}/index/{name}" for name in _indexes()]
    if kind == "queue":
        return [_queue(stage, logical) for logical in _queues()]
    room, _, part = kind.partition("/")
    if room == "objects":
        return [f"{ARN}:s3:::{bucket(stage)}/{part}/*"]
    if room == "bucket":
        return [f"{ARN}:s3:::{bucket(stage, part)}/*"]
    if kind == "secret/gocardless":
        # Secrets Manager ends every name with a hyphen and six letters of its own.
        name = stage.environment["BACKBONE_GOCARDLESS_SECRET"]
        return [f"{ARN}:secretsmanager:{HERE}:secret:{name}-??????"]
    if kind == "secret/blackmoon":
        # One for each partner, under a name that begins with this.
        name = stage.environment["BACKBONE_BLACKMOON_SECRET"]
        return [f"{ARN}:secretsmanager:{HERE}:secret:{name}/*"]
    raise Trouble(f"infra/permissions.json: there is no kind {kind!r}; there are {KINDS}")


def bucket(stage: Stage, name: str = "exports") -> str:
    """A bucket's name; all the world shares them, so it has the account's number."""
    return f"{stage.prefix}-{name}-${{AWS::AccountId}}"


def _table(stage: Stage) -> str:
    return f"{ARN}:dynamodb:{HERE}:table/{stage.table}"


def _queue(stage: Stage, logical: str) -> str:
    return f"{ARN}:sqs:{HERE}:{stage.prefix}-{logical}"


def _queues() -> list[str]:
    from chalicelib.models.keys import QUEUES

    return sorted(QUEUES)


def _indexes() -> list[str]:
    from tools.aws.templates import data

    table = data()["Resources"]["Table"]["Properties"]
    return [index["IndexName"] for index in table["GlobalSecondaryIndexes"]]
