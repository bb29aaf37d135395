"""``python -m local.seed``: infrastructure, then the sandbox partner; both only if missing.

Runs in the application's environment, with the partner's key in ``BACKBONE_SEED_KEY`` (never in
an argument, which other users of the machine could see).  Prints one JSON line.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

import boto3

from chalicelib import config
from local import infrastructure
from local.application import module_name
from local.home import Trouble


def main() -> int:
    settings = config.load()
    client = boto3.client(
        "cloudformation", region_name=settings.region, endpoint_url=settings.endpoint_url
    )
    values = infrastructure.parameters(settings.table_name, settings.queue_prefix)
    try:
        done = infrastructure.ensure(client, values)
    except Trouble as trouble:
        print(json.dumps({"trouble": str(trouble)}))
        return 1
    composed = "chalicelib.runtime" if module_name() == "app" else module_name()
    partner = importlib.import_module(composed).bootstrap(os.environ["BACKBONE_SEED_KEY"])
    print(json.dumps({"infrastructure": done, "partner": partner}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
