"""What is deployed: the stages of ``.chalice/config.json`` and the functions of ``app.py``."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib import config

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = ROOT / ".chalice" / "config.json"
BUILD = ROOT / "build"
#: Lambda's runtime and machine.  The wheels are taken for exactly these.
PYTHON, ARCHITECTURE = "3.11", "x86_64"
HTTP = "api_handler"  # Chalice's name for the function of all routes
REGION = "eu-west-2"


class Trouble(Exception):
    """Something that one clear line explains; a command prints it and ends with 1."""


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function; ``queue`` is the logical queue that it consumes, ``rate`` its schedule."""

    name: str
    queue: str | None = None
    rate: str | None = None
    at_once: int | None = None  # messages; the application's own limit

    @property
    def resource(self) -> str:
        """Its name in the template that Chalice writes."""
        if self.name == HTTP:
            return "APIHandler"
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def event(self) -> str:
        """The name of its event there."""
        return self.resource + ("SqsEventSource" if self.queue else "Event")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the configuration."""

    name: str
    document: Mapping[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that all functions have."""
        own = self.document["stages"][self.name]
        return {
            **self.document.get("environment_variables", {}),
            **own.get("environment_variables", {}),
        }

    def setting(self, function: str, name: str) -> Any:
        """A function's setting, looked up as Chalice does."""
        own = self.document["stages"][self.name]
        everywhere = self.document.get("lambda_functions", {})
        places = (
            own.get("lambda_functions", {}).get(function, {}),
            own,
            everywhere.get(function, {}),
            self.document,
        )
        return next((place[name] for place in places if place.get(name) is not None), None)

    def timeout(self, function: str) -> int:
        """Seconds that a function may take."""
        return int(self.setting(function, "lambda_timeout"))

    @property
    def table(self) -> str:
        """The table's name."""
        return self.environment["BACKBONE_TABLE"]

    @property
    def prefix(self) -> str:
        """What the names of queues begin with."""
        return self.environment["BACKBONE_QUEUE_PREFIX"]

    @property
    def guarded(self) -> bool:
        """Whether data must be hard to lose: on every stage but ``dev``."""
        return self.name != "dev"

    def stack(self, what: str = "") -> str:
        """The name of one of its stacks; the application's own has no ending."""
        return "-".join(filter(None, ("backbone", self.name, what)))


def document(path: Path = CONFIG) -> dict[str, Any]:
    """The configuration as it is written."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def names() -> list[str]:
    """The stages there are."""
    return list(document()["stages"])


def stage(name: str) -> Stage:
    """A stage by its name, or :class:`Trouble`."""
    if name not in names():
        known = ", ".join(names())
        raise Trouble(f"STAGE is {name!r}; .chalice/config.json has {known}.")
    return Stage(name, document())


@cache
def functions() -> tuple[Function, ...]:
    """Every function that ``app.py`` registers, the one of all routes first."""
    from chalice.app import ScheduledEventConfig, SQSEventConfig

    sys.path.insert(0, str(ROOT))
    try:
        application = importlib.import_module("app").app
    finally:
        sys.path.remove(str(ROOT))
    prefix = config.queue_prefix() + "-"
    found = [Function(HTTP)]
    for source in application.event_sources:
        if isinstance(source, SQSEventConfig):
            if not str(source.queue).startswith(prefix):
                raise Trouble(f"app.py: {source.name}: write queue=f'{{QUEUES}}-...'")
            logical = str(source.queue).removeprefix(prefix)
            found.append(Function(source.name, queue=logical, at_once=source.maximum_concurrency))
        elif isinstance(source, ScheduledEventConfig):
            expression = source.schedule_expression
            text = expression if isinstance(expression, str) else expression.to_string()
            found.append(Function(source.name, rate=str(text)))
        else:
            raise Trouble(f"app.py: {source.name}: tools/aws knows schedules and queues only")
    return tuple(found)


def region(env: Mapping[str, str] = os.environ) -> str:
    """Where to deploy to."""
    name = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or REGION
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", name):
        raise Trouble(f"AWS_REGION is {name!r}, which is no region.")
    return name
