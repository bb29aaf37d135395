"""The table and the queues, from ``infra/data.yaml`` by CloudFormation, in any emulator."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

from local.home import ROOT, Trouble

TEMPLATE = ROOT / "infra" / "data.yaml"
STACK = "backbone-data"
VISIBILITY_SECONDS = 30
_PATIENCE_SECONDS = 30.0
_DIGEST = "template-digest"


def parameters(table: str, prefix: str, visibility: int = VISIBILITY_SECONDS) -> dict[str, str]:
    """The template's parameters for a laptop or a test: messages come again after 30 seconds."""
    return {
        "TableName": table,
        "QueuePrefix": prefix,
        "BucketName": f"{prefix}-exports",
        "ReplicaBucketName": f"{prefix}-replica",
        "DaysVisibility": str(visibility),
        "ClockVisibility": str(visibility),
        "WebhooksVisibility": str(visibility),
        "ProvidersVisibility": str(visibility),
    }


def ensure(cloudformation: Any, values: dict[str, str], template: Path = TEMPLATE) -> str:
    """Creates the stack, or brings it up to the template; says what was done.

    ``cloudformation`` is a boto3 client.  The answer is ``created``, ``updated`` or ``unchanged``;
    :class:`Trouble` if the emulator could not do it.
    """
    body = template.read_text("utf-8")
    digest = hashlib.sha256(f"{body}{sorted(values.items())}".encode()).hexdigest()
    request = {
        "StackName": STACK,
        "TemplateBody": body,
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
        "Tags": [{"Key": _DIGEST, "Value": digest}],
    }
    known = _describe(cloudformation)
    if known is None:
        cloudformation.create_stack(**request)
        _wait(cloudformation, "CREATE_COMPLETE")
        return "created"
    if any(tag["Value"] == digest for tag in known.get("Tags", []) if tag["Key"] == _DIGEST):
        return "unchanged"
    cloudformation.update_stack(**request)
    _wait(cloudformation, "UPDATE_COMPLETE")
    return "updated"


def _describe(cloudformation: Any) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        stacks = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return stacks[0] if stacks else None


def _wait(cloudformation: Any, wanted: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    status = ""
    while time.monotonic() < deadline:
        stack = _describe(cloudformation) or {}
        status = str(stack.get("StackStatus", ""))
        if status == wanted:
            return
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(0.05)
    raise Trouble(f"The stack of infra/data.yaml ended as {status or 'nothing'}, not {wanted}.")
