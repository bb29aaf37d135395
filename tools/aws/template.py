"""A stage's template: Chalice's own, merged with ``infra/merge.yaml`` and what each function has.

Chalice runs in a copy of the project (``build/<stage>/project``), where the policies stand and no
requirements: the template takes seconds, and the packages are built by :mod:`tools.aws.wheels`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.aws import gateway, layers, per_function, policies
from tools.aws.stages import BUILD, HTTP, ROOT, Stage, Trouble, document, functions, region
from tools.aws.templates import INFRA, dump, read

TEMPLATE = "sam.json"
PATIENCE_SECONDS = 300
_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"


def write(stage: Stage, build: Path = BUILD) -> Path:
    """Write ``build/<stage>/sam.json``, and say where it is."""
    directory = build / stage.name
    project = directory / "project"
    if project.exists():
        shutil.rmtree(project)
    copy_project(stage, project)
    merge = project / "merge.json"
    merge.write_text(dump(merging(stage)), "utf-8")
    _chalice(stage, project, merge)
    made = json.loads((project / "out" / TEMPLATE).read_text("utf-8"))
    path = directory / TEMPLATE
    path.write_text(dump(made), "utf-8")
    shutil.rmtree(project)
    return path


def copy_project(stage: Stage, to: Path) -> None:
    """What Chalice reads: the application, and the configuration with its policies."""
    shutil.copytree(
        ROOT / "chalicelib", to / "chalicelib", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "app.py", to / "app.py")
    (to / "requirements.txt").write_text("")
    (to / ".chalice").mkdir()
    settings = document() | {"automatic_layer": False}
    (to / ".chalice" / "config.json").write_text(dump(settings), "utf-8")
    for function in functions():
        file = to / ".chalice" / policy_file(stage, function.name)
        file.parent.mkdir(exist_ok=True)
        file.write_text(dump(policies.policy(stage, function)), "utf-8")


def policy_file(stage: Stage, function: str) -> str:
    """Where Chalice looks for a function's policy, below ``.chalice``."""
    found = stage.setting(function, "iam_policy_file")
    if not found:
        raise Trouble(
            f".chalice/config.json: lambda_functions has no row for {function}: give it a timeout "
            f'and "iam_policy_file": "policies/{function}.json".'
        )
    return str(found)


def merging(stage: Stage) -> dict[str, Any]:
    """What is merged into Chalice's template."""
    found = read(INFRA / "merge.yaml")
    resources = found["Resources"]
    resources["RestAPI"]["Properties"] |= {
        "GatewayResponses": gateway.responses(),
        "TracingEnabled": bool(stage.setting(HTTP, "xray")),
        # AWS measures an API by its name: two stages of an account must not share one.
        "DefinitionBody": {"info": {"title": stage.stack()}},
    }
    for name in layers.all_layers():
        resources[layers.resource(name)] = {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {
                **resources["Dependencies"]["Properties"],
                "ContentUri": f"./{layers.archive(name)}",
            },
        }
    for function in functions():
        resources |= per_function.resources(stage, function)
    return found


def _chalice(stage: Stage, project: Path, merge: Path) -> None:
    command = [sys.executable, "-c", _CHALICE, "package", "--stage", stage.name]
    command += ["--merge-template", str(merge), str(project / "out")]
    environment = {name: value for name, value in os.environ.items() if name != "AWS_PROFILE"}
    environment |= {"AWS_DEFAULT_REGION": region(), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    if done.returncode:
        raise Trouble(f"chalice package failed:\n{done.stdout}{done.stderr}")
