"""``make infra STAGE=dev``: what a stage stands on and keeps: key, secrets, table, queues, bucket.

Then writes the functions' policies with real names to ``.chalice/policies/``, so that
``chalice deploy --stage dev`` can follow (``make deploy`` does without).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tools.aws import policies, template, templates
from tools.aws.account import Account, settings
from tools.aws.stacks import Stacks, Wanted
from tools.aws.stages import CONFIG, Stage, Trouble, functions, stage


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make infra", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()
    try:
        chosen, account = stage(options.stage), Account.of_environment()
        stacks = Stacks(account.client("cloudformation"), agree=agreement(options.yes))
        bring(chosen, account, stacks)
        write_policies(chosen, account)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    print(f"done; `chalice deploy --stage {chosen.name}` may follow, or `make deploy`")
    return 0


def agreement(always: bool) -> Callable[[str], bool]:
    """How to ask whether to go on: at the terminal, or not at all (``YES=1``)."""

    def ask(name: str) -> bool:
        if always or os.environ.get("YES"):
            return True
        if not sys.stdin.isatty():
            raise Trouble(f"{name}: nobody is here to say yes; YES=1 says it.")
        return input(f"Do this to {name}? [y/N] ").strip().lower() in ("y", "yes")

    return ask


def bring(chosen: Stage, account: Account, stacks: Stacks) -> dict[str, str]:
    """The foundation and the data of a stage, created or changed; the outputs of both."""
    shared = {"StageName": chosen.name, "Prefix": chosen.prefix}
    stacks.bring(_wanted(chosen, "foundation", shared | (settings(chosen, "foundation") or {})))
    found = stacks.outputs(chosen.stack("foundation"))
    values = {
        "TableName": chosen.table,
        "QueuePrefix": chosen.prefix,
        **_buckets(chosen, account),
        "KeyArn": found["KeyArn"],
        "Guarded": str(chosen.guarded).lower(),
        "Stream": "true",
        **templates.visibilities(chosen),
    }
    stacks.bring(_wanted(chosen, "data", values | (settings(chosen, "data") or {})))
    return found | stacks.outputs(chosen.stack("data"))


def _buckets(chosen: Stage, account: Account) -> dict[str, str]:
    """``BucketName`` is the one for exports, ``XBucketName`` the one called ``x``."""
    found = {}
    for parameter in templates.data()["Parameters"]:
        if parameter.endswith("BucketName"):
            name = parameter.removesuffix("BucketName").lower() or "exports"
            real = policies.bucket(chosen, name).replace("${AWS::AccountId}", account.id)
            found[parameter] = real
    return found


def edge(chosen: Stage, stacks: Stacks) -> dict[str, str]:
    """What stands before the API, where the stage has it; its outputs."""
    limits = settings(chosen, "edge")
    if limits is None:
        return {}
    shared = {"StageName": chosen.name, "Prefix": chosen.prefix}
    stacks.bring(_wanted(chosen, "edge", shared | limits))
    return stacks.outputs(chosen.stack("edge"))


def tags(chosen: Stage) -> dict[str, str]:
    """What everything of a stage is tagged with; the budget counts by it."""
    return {"Application": "backbone", "Stage": chosen.name}


def _wanted(chosen: Stage, what: str, values: dict[str, str]) -> Wanted:
    body = (templates.INFRA / f"{what}.yaml").read_text("utf-8")
    return Wanted(chosen.stack(what), {"TemplateBody": body}, values, tags(chosen))


def write_policies(chosen: Stage, account: Account, directory: Path = CONFIG.parent) -> None:
    """The policies as ``chalice deploy`` reads them; they are of one account: git ignores them."""
    for function in functions():
        document = policies.policy(chosen, function, by_chalice=True)
        path = directory / template.policy_file(chosen, function.name)
        path.parent.mkdir(exist_ok=True)
        real = policies.plain(document, account.id, account.region)
        path.write_text(json.dumps(real, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
