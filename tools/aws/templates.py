"""Reading the templates in ``infra/`` as data, CloudFormation's short tags included."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tools.aws.stages import ROOT, Stage, functions

INFRA = ROOT / "infra"
#: A message must not show up again while the function that has it may still be working.
VISIBILITY_FACTOR = 6


def read(path: Path) -> dict[str, Any]:
    """A template with ``!Ref x`` as ``{"Ref": "x"}`` and so on."""
    import yaml

    def tagged(loader: Any, tag: str, node: Any) -> Any:
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        if tag == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}

    loader: Any = type("WithTags", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", tagged)
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), loader)
    return found


@cache
def data() -> dict[str, Any]:
    """``infra/data.yaml``."""
    return read(INFRA / "data.yaml")


def visibilities(stage: Stage) -> dict[str, str]:
    """The parameters of ``infra/data.yaml`` that say how long a message is out of sight.

    Six times the timeout of the slowest function that consumes a queue with that parameter.
    """
    slowest: dict[str, int] = {}
    for function in functions():
        if function.queue is None:
            continue
        parameter = visibility_parameter(function.queue)
        seconds = stage.timeout(function.name) * VISIBILITY_FACTOR
        slowest[parameter] = max(seconds, slowest.get(parameter, 0))
    return {name: str(seconds) for name, seconds in slowest.items()}


def visibility_parameter(logical: str) -> str:
    """The parameter that a queue's visibility time refers to."""
    return str(queue(logical)["Properties"]["VisibilityTimeout"]["Ref"])


def queue(logical: str) -> dict[str, Any]:
    """A queue of ``infra/data.yaml`` by its logical name; :class:`LookupError` if there is none."""
    wanted = {"Fn::Sub": f"${{QueuePrefix}}-{logical}"}
    for resource in data()["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::SQS::Queue" and properties["QueueName"] == wanted:
            found: dict[str, Any] = resource
            return found
    raise LookupError(f"infra/data.yaml has no queue {logical!r}")


def dump(document: Any) -> str:
    """A template as text that is the same whenever its content is."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
