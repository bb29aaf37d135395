"""The house rules' own linters say no where they must."""

import pytest

from tools import lint_routes, lint_source

DOMAIN, HANDLER = "chalicelib/domain/x.py", "chalicelib/handlers/x.py"


@pytest.mark.parametrize(
    "text",
    [
        "x = float('1')",
        "x = 0.5",
        "import os",
        "from uuid import uuid4",
        "import random",
        "from datetime import datetime\nnow = datetime.now()",
        "import datetime\ntoday = datetime.date.today()",
        "f = open('x')",
    ],
)
def test_the_domain_is_pure(text: str) -> None:
    assert list(lint_source.complaints(DOMAIN, text))
    assert not list(lint_source.complaints("chalicelib/usecases/x.py", text))


@pytest.mark.parametrize(
    "text",
    ["import os\nx = os.environ['A']", "import os\nos.getenv('A')", "from os import environ"],
)
def test_only_the_configuration_reads_the_environment(text: str) -> None:
    assert list(lint_source.complaints(HANDLER, text))
    assert list(lint_source.complaints("app.py", text))
    assert not list(lint_source.complaints("chalicelib/config.py", text))
    assert not list(lint_source.complaints("local/x.py", text))


@pytest.mark.parametrize("text", ["eval('1')", "exec('x = 1')"])
def test_text_is_never_run(text: str) -> None:
    assert list(lint_source.complaints("local/x.py", text))


def test_a_method_named_like_a_builtin_is_fine() -> None:
    text = "def f(tree):\n    return tree.eval(1)\n"
    assert not list(lint_source.complaints(DOMAIN, text))


def test_lengths() -> None:
    body = "    x = 1\n" * 59
    assert not list(lint_source.complaints(HANDLER, f"def f():\n{body}"))
    assert list(lint_source.complaints(HANDLER, f"def f():\n{body}    y = 1\n"))
    assert not list(lint_source.complaints(HANDLER, "x = 1\n" * 400))
    assert list(lint_source.complaints(HANDLER, "x = 1\n" * 401))


@pytest.mark.parametrize(
    "routes",
    [
        ["/loan/"],
        ["/loan/{id}", "/loan/{loan_id}/apply"],
        ["/loan/{id}/fee/{fee}", "/loan/{id}/fee/{fee_id}/waive"],
    ],
)
def test_bad_routes(routes: list[str]) -> None:
    assert len(lint_routes.complaints(routes)) == 1


def test_good_routes() -> None:
    routes = ["/", "/loan", "/loan/{id}", "/loan/{id}/apply", "/product/{product}", "/loan/new"]
    assert lint_routes.complaints(routes) == []
