"""CloudFormation by change sets: what would happen is shown first, and waits for a yes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tools.aws.stages import Trouble

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
PATIENCE_SECONDS = 3600.0
#: A stack that never came to be: it can only be deleted.
STILLBORN = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
_NOTHING = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stack as it should be; ``template`` is ``TemplateBody`` or ``TemplateURL``."""

    name: str
    template: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Before:
    """A stack as it was, to be put back: where its template is, its parameters and tags."""

    template_url: str | None
    parameters: dict[str, str]
    tags: dict[str, str]


#: The tag that says where a stack's template is kept.
TEMPLATE_TAG = "Template"


class Stacks:
    """One account's stacks in one region.  ``agree`` is asked before anything is done."""

    def __init__(
        self,
        client: Any,
        *,
        say: Callable[[str], None] = print,
        agree: Callable[[str], bool] = lambda _: True,
        pause: float = 2.0,
    ) -> None:
        self._client = client
        self._say = say
        self._agree = agree
        self._pause = pause

    def outputs(self, name: str) -> dict[str, str]:
        """A stack's outputs; empty if there is no such stack."""
        stack = self._describe(name) or {}
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}

    def before(self, name: str) -> Before | None:
        """How the stack is now; ``None`` if there is none."""
        stack = self._describe(name)
        if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
        given = {
            one["ParameterKey"]: one.get("ParameterValue", "")
            for one in stack.get("Parameters", [])
        }
        return Before(tags.get(TEMPLATE_TAG), given, tags)

    def bring(self, wanted: Wanted) -> bool:
        """Create the stack, or change it to what is wanted; whether there was anything to do.

        :class:`Trouble` if it failed (CloudFormation has put back what was there) or was refused.
        """
        self._bury(wanted.name)
        kind = "UPDATE" if self.before(wanted.name) is not None else "CREATE"
        change_set = self._plan(wanted, kind)
        if change_set is None:
            self._say(f"{wanted.name}: nothing to change")
            return False
        for line in self._changes(change_set):
            self._say(f"{wanted.name}: {line}")
        if not self._agree(wanted.name):
            self._client.delete_change_set(ChangeSetName=change_set)
            raise Trouble(f"{wanted.name} was left as it is.")
        self._client.execute_change_set(ChangeSetName=change_set)
        self._wait(wanted.name, f"{kind}_COMPLETE")
        self._say(f"{wanted.name}: {kind.lower()}d")
        return True

    def delete(self, name: str) -> None:
        """Delete a stack, and wait until it is gone."""
        self._client.delete_stack(StackName=name)
        self._wait(name, "DELETE_COMPLETE")

    def _bury(self, name: str) -> None:
        stack = self._describe(name)
        if stack is not None and stack["StackStatus"] in STILLBORN:
            self._say(f"{name}: removing what is left of a creation that failed")
            self.delete(name)

    def _plan(self, wanted: Wanted, kind: str) -> str | None:
        """The change set's ARN; ``None`` if nothing would change."""
        identity = self._asked(wanted, kind)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = self._client.describe_change_set(ChangeSetName=identity)
            if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
                break
            time.sleep(self._pause)
        if found["Status"] == "CREATE_COMPLETE":
            return identity
        reason = str(found.get("StatusReason", ""))
        self._client.delete_change_set(ChangeSetName=identity)
        if any(nothing in reason for nothing in _NOTHING):
            return None
        raise Trouble(f"{wanted.name}: the change set failed: {reason}")

    def _asked(self, wanted: Wanted, kind: str) -> str:
        from botocore.exceptions import ClientError

        try:
            answer = self._client.create_change_set(
                StackName=wanted.name,
                ChangeSetName=f"change-{uuid4()}",
                ChangeSetType=kind,
                Capabilities=CAPABILITIES,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value}
                    for key, value in sorted(wanted.parameters.items())
                ],
                Tags=[{"Key": key, "Value": value} for key, value in sorted(wanted.tags.items())],
                **wanted.template,
            )
        except ClientError as error:
            raise Trouble(f"{wanted.name}: {error}") from None
        return str(answer["Id"])

    def _changes(self, change_set: str) -> list[str]:
        found: list[str] = []
        page: dict[str, str] = {}
        while True:
            answer = self._client.describe_change_set(ChangeSetName=change_set, **page)
            for each in answer.get("Changes", []):
                one = each["ResourceChange"]
                replaced = " (REPLACED)" if one.get("Replacement") == "True" else ""
                found.append(
                    f"{one['Action']} {one['ResourceType']} {one['LogicalResourceId']}{replaced}"
                )
            if not answer.get("NextToken"):
                return sorted(found)
            page = {"NextToken": answer["NextToken"]}

    def _describe(self, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            stacks = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        gone = not stacks or stacks[0]["StackStatus"] == "DELETE_COMPLETE"
        return None if gone else dict(stacks[0])

    def _wait(self, name: str, wanted: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            stack = self._describe(name)
            status = "DELETE_COMPLETE" if stack is None else str(stack["StackStatus"])
            if status == wanted:
                return
            if not status.endswith("IN_PROGRESS"):
                raise Trouble(f"{name} ended as {status}: {self._reason(name)}")
            time.sleep(self._pause)
        raise Trouble(f"{name} is not {wanted} after {PATIENCE_SECONDS:.0f} s.")

    def _reason(self, name: str) -> str:
        """The first thing that went wrong: all other failures follow from it."""
        events = self._client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}"
            for one in events
            if str(one.get("ResourceStatus", "")).endswith("FAILED")
        ]
        return failed[-1] if failed else "no reason was given"
