"""The templates, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tools.aws import template
from tools.aws.stages import stage
from tools.aws.templates import INFRA, read

Template = Mapping[str, Any]


@pytest.fixture(scope="session")
def infra() -> dict[str, Template]:
    """Every whole template of ``infra/``, by its file's name."""
    paths = [path for path in sorted(INFRA.glob("*.yaml")) if path.name != "merge.yaml"]
    return {path.stem: read(path) for path in paths}


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The application's template as ``make package STAGE=production`` writes it."""
    path: Path = template.write(stage("production"), tmp_path_factory.mktemp("build"))
    found: Template = json.loads(path.read_text("utf-8"))
    return found


@pytest.fixture(scope="session")
def everything(infra: dict[str, Template], packaged: Template) -> dict[str, Template]:
    """All resources of all templates, by ``template/name``."""
    return {
        f"{name}/{resource}": body
        for name, whole in (infra | {"sam": packaged}).items()
        for resource, body in whole["Resources"].items()
    }
