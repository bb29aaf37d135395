"""``make deploy STAGE=dev``: packages, what would change, a yes, the change, a smoke test.

A smoke test that fails puts back the version that was there before, or removes a first one.
``YES=1`` does not ask; ``AWS_ENDPOINT_URL`` leads to an emulator; ``BACKBONE_API_KEY`` is the key
of a partner that the smoke test may use.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools import infra, package, smoke
from tools.aws import archive, template, templates
from tools.aws.account import Account, settings
from tools.aws.stacks import TEMPLATE_TAG, Before, Stacks, Wanted
from tools.aws.stages import BUILD, Stage, Trouble, stage

#: What watches over a stage once it serves.
WATCHING = ("alarms", "dashboards")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()
    try:
        chosen, account = stage(options.stage), Account.of_environment()
        stacks = Stacks(account.client("cloudformation"), agree=infra.agreement(options.yes))
        url = deploy(chosen, account, stacks)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    if (told := unheard(chosen)) is not None:
        print(told, file=sys.stderr)
    print(f"{chosen.name} is served at {url}")
    return 0


def deploy(chosen: Stage, account: Account, stacks: Stacks) -> str:
    """Deploy a stage; its base URL.  :class:`Trouble` if it is not served as it should be."""
    written = template.write(chosen)
    zips = package.packages(chosen)
    outputs = infra.bring(chosen, account, stacks) | infra.edge(chosen, stacks)
    wanted = application(chosen, account, outputs, written, zips)
    before = stacks.before(wanted.name)
    changed = stacks.bring(wanted)
    url = account.api_url(stacks.outputs(wanted.name))
    flaws = smoke.flaws(url, os.environ.get("BACKBONE_API_KEY"))
    if flaws:
        if changed:
            put_back(wanted.name, before, stacks)
        raise Trouble("The smoke test failed:\n" + "\n".join(flaws))
    for what in WATCHING:
        if settings(chosen, what) is not None:
            stacks.bring(watching(chosen, account, outputs, what))
    return url


def unheard(chosen: Stage) -> str | None:
    """That nobody is told of a stage's alarms, where somebody should be."""
    if not chosen.guarded or (settings(chosen, "foundation") or {}).get("AlarmEmail"):
        return None
    return f"{chosen.name}: nobody hears of its alarms: AlarmEmail in infra/stages.json is empty"


def application(
    chosen: Stage, account: Account, outputs: Mapping[str, str], written: Path, zips: list[Path]
) -> Wanted:
    """The application's stack, its packages and its template uploaded."""
    bucket = outputs["ArtifactsBucket"]
    s3 = account.client("s3")
    places = {f"./{path.name}": _upload(s3, bucket, path) for path in zips}
    document = _placed(json.loads(written.read_text("utf-8")), bucket, places)
    final = BUILD / chosen.name / "template.json"
    final.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True), "utf-8")
    url = account.object_url(bucket, _upload(s3, bucket, final))
    values = {
        "StageName": chosen.name,
        "ExportsBucket": outputs["ExportsBucket"],
        "ReplicaBucket": outputs["ReplicaBucket"],
        "KeyArn": outputs["KeyArn"],
        "AlarmTopicArn": outputs["AlarmTopicArn"],
        "WebAclArn": outputs.get("WebAclArn", ""),
        **(settings(chosen, "application") or {}),
    }
    labels = infra.tags(chosen) | {TEMPLATE_TAG: url}
    return Wanted(chosen.stack(), {"TemplateURL": url}, values, labels)


def watching(chosen: Stage, account: Account, outputs: Mapping[str, str], what: str) -> Wanted:
    """Alarms or dashboards; of what is known of the stage they are given what they ask for."""
    path = templates.INFRA / f"{what}.yaml"
    known = {
        **outputs,
        "StageName": chosen.name,
        "Prefix": chosen.prefix,
        "TableName": chosen.table,
        **(settings(chosen, what) or {}),
    }
    bucket = outputs["ArtifactsBucket"]
    url = account.object_url(bucket, _upload(account.client("s3"), bucket, path))
    asked = templates.read(path)["Parameters"]
    values = {name: known[name] for name in asked if name in known}
    return Wanted(chosen.stack(what), {"TemplateURL": url}, values, infra.tags(chosen))


def put_back(name: str, before: Before | None, stacks: Stacks) -> None:
    """The version that was there before; a first one is removed."""
    if before is None:
        print(f"{name}: removing it")
        stacks.delete(name)
    elif before.template_url is None:
        raise Trouble(f"{name}: nobody knows where its last template is; it stays as it is.")
    else:
        print(f"{name}: putting the last version back")
        place = {"TemplateURL": before.template_url}
        stacks.bring(Wanted(name, place, before.parameters, before.tags))


def _placed(document: Any, bucket: str, places: Mapping[str, str]) -> Any:
    """The template with each ``./x.zip`` where it was uploaded to."""
    if isinstance(document, dict):
        return {
            key: (
                {"Bucket": bucket, "Key": places[value]}
                if key == "CodeUri" and value in places
                else f"s3://{bucket}/{places[value]}"
                if key == "ContentUri" and value in places
                else _placed(value, bucket, places)
            )
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [_placed(each, bucket, places) for each in document]
    return document


def _upload(s3: Any, bucket: str, path: Path) -> str:
    """The key that a file is kept under: its hash, so that it is sent once."""
    from botocore.exceptions import ClientError

    key = f"{archive.digest(path)}/{path.name}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.upload_file(str(path), bucket, key)
    return key


if __name__ == "__main__":
    sys.exit(main())
