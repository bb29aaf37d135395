"""AWS Secrets Manager: what nobody may see, read when it is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.config import Config

CONNECT_SECONDS = 1
READ_SECONDS = 3


def read(config: Config, name: str) -> Mapping[str, Any]:
    """The JSON object of the secret ``name``; :class:`ValueError` if it is none."""
    import botocore.session
    from botocore.config import Config as ClientConfig

    client = botocore.session.get_session().create_client(
        "secretsmanager",
        region_name=config.region,
        endpoint_url=config.endpoint_url,
        config=ClientConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    text = client.get_secret_value(SecretId=name)["SecretString"]
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("the secret is not a JSON object") from None
    return found
