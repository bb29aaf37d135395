"""AWS Secrets Manager: what nobody may see, read when it is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.config import Config

CONNECT_SECONDS = 1
READ_SECONDS = 3
MISSING = "ResourceNotFoundException"


class Unwritten(Exception):
    """A secret could not be kept, or nobody knows whether it was."""


def read(config: Config, name: str) -> Mapping[str, Any]:
    """The JSON object of the secret ``name``; :class:`ValueError` if it is none."""
    text = _client(config).get_secret_value(SecretId=name)["SecretString"]
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("the secret is not a JSON object") from None
    return found


def find(config: Config, name: str) -> Mapping[str, Any] | None:
    """The same; ``None`` if there is no secret of this name."""
    from botocore.exceptions import ClientError

    try:
        return read(config, name)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != MISSING:
            raise
        return None


def write(config: Config, name: str, data: Mapping[str, Any]) -> None:
    """Keep ``data`` as the next version of the secret ``name``.  Raises :class:`Unwritten`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _client(config).put_secret_value(SecretId=name, SecretString=json.dumps(dict(data)))
    except (BotoCoreError, ClientError) as error:
        raise Unwritten(type(error).__name__) from None


def _client(config: Config) -> Any:
    import botocore.session
    from botocore.config import Config as ClientConfig

    return botocore.session.get_session().create_client(
        "secretsmanager",
        region_name=config.region,
        endpoint_url=config.endpoint_url,
        config=ClientConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
