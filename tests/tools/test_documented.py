"""Commands in the documents are commands that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from local.home import ROOT
from tools.aws import per_function
from tools.aws.stages import functions, stage
from tools.ops import where
from tools.ops.cli import group
from tools.ops.where import Where

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
NAMES = re.compile(r"(?:^ {4,}|`)(?:[A-Z_]+=\S+ )*make ([a-z-]+)\b", re.MULTILINE)
OPS = re.compile(r"make\s+ops\s+ARGS='([^']+)'")


def operators() -> list[tuple[str, str]]:
    found = [
        (path.relative_to(ROOT).as_posix(), words)
        for path in PAGES
        for words in OPS.findall(path.read_text("utf-8"))
        if words not in ("…", "--help")
    ]
    text = (ROOT / "docs" / "operators" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", text, re.MULTILINE)
    table = [one for row in rows for one in re.findall(r"`([^`]+)`", row)]
    first = next(n for n, one in enumerate(table) if one.startswith("partner create"))
    for words in table[first:]:
        words = re.sub(r"[\[\]\\]", "", words)
        choice = re.search(r"\S*\|\S*", words)
        if not choice:
            found.append(("the table", words))
            continue
        found += [("the table", words.replace(choice[0], one)) for one in choice[0].split("|")]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_made_can_be_made(page: Path) -> None:
    named = set(NAMES.findall(page.read_text("utf-8")))
    assert named <= TARGETS, named - TARGETS


def test_there_are_commands_to_look_at() -> None:
    assert len(operators()) > 20 and {"ops", "deploy", "redrive"} <= TARGETS


@pytest.mark.parametrize(("page", "words"), operators())
def test_an_operators_command_is_there_with_its_options(page: str, words: str) -> None:
    arguments = shlex.split(words)
    nobody = object.__new__(Where)  # nothing is looked for
    context = group.make_context("ops", arguments, obj=nobody)
    while isinstance(context.command, click.Group):
        left = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, left)
        assert command is not None
        if isinstance(command, click.Group):
            context = command.make_context(name, rest, parent=context)
            continue
        known = {option for one in command.params for option in one.opts}
        assert {one for one in rest if one.startswith("--")} <= known, (page, words)
        return


def test_help_needs_no_stack_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "find", lambda *_: pytest.fail("nothing is to be looked for"))
    for words in (["-h"], ["day", "replay", "--help"], ["--stage", "dev", "ledger", "-h"]):
        answer = CliRunner().invoke(group, words)
        assert answer.exit_code == 0 and answer.output.startswith("Usage:"), answer.output


def test_what_chalice_alone_does_not_set_is_said() -> None:
    text = (ROOT / "docs" / "operators" / "deploying.md").read_text("utf-8")
    [_, alone] = text.split("## Trying things with Chalice alone")
    alone = alone.split("\n## ")[0]
    for one in functions():
        [found] = [
            body["Properties"]["Environment"]["Variables"]
            for body in per_function.resources(stage("dev"), one).values()
            if "Environment" in body.get("Properties", {})
        ]
        for variable in found:
            assert f"| `{variable}` |" in alone, variable
