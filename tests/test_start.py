"""What a cold start loads: nothing that the request may not need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tools.lint_routes import ENVIRONMENT

#: Nobody needs these to answer a request; each costs tens or hundreds of milliseconds.
LATER = (
    "aws_xray_sdk",
    "boto3",
    "botocore",
    "chalicelib.integrations.blackmoon.client",
    "chalicelib.integrations.gocardless.client",
    "chalicelib.jobs",
    "cryptography",
    "gocardless_pro",
    "holidays",
    "pyarrow",
    "pynamodb",
    "requests",
)
#: What a first request has to load, if it is about the table.
OF_THE_TABLE = ("botocore", "pynamodb")

_ASK = """
import json, sys
import app
def loaded():
    return sorted(sys.modules)
def ask(path):
    where = {"httpMethod": "GET", "resourcePath": path, "stage": "api", "requestId": "r"}
    return app.app({"requestContext": where}, None)["statusCode"]
first = loaded()
health = ask("/healthz")
second = loaded()
refused = ask("/api/v1/product")
third = loaded()
sys.stdout.write("\\n" + json.dumps([health, refused, first, second, third]))
"""


@pytest.fixture(scope="module")
def seen() -> tuple[list[int], list[set[str]]]:
    """Two answers, and the modules after the import and after each of them."""
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    *statuses, first, second, third = json.loads(done.stdout.splitlines()[-1])
    return statuses, [set(first), set(second), set(third)]


@pytest.mark.parametrize("name", LATER)
def test_the_import_does_without(seen: tuple[list[int], list[set[str]]], name: str) -> None:
    assert name not in seen[1][0], f"`import app` loads {name}: import it where it is used"


@pytest.mark.parametrize("name", [name for name in LATER if name not in OF_THE_TABLE])
def test_a_first_request_does_without(seen: tuple[list[int], list[set[str]]], name: str) -> None:
    (health, refused), (_, second, third) = seen
    assert (health, refused) == (200, 401)
    assert name not in second
    assert name not in third
