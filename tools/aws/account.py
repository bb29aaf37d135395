"""The account that a command works in: its clients, or the embedded AWS instead.

``AWS_ENDPOINT_URL`` leads to an emulator, for tests; nothing else differs.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tools.aws.stages import ROOT, Stage, Trouble, region

STAGES = ROOT / "infra" / "stages.json"


@dataclass(frozen=True)
class Account:
    """Clients of one account and region."""

    region: str
    endpoint: str | None = None

    @classmethod
    def of_environment(cls) -> Account:
        """As the environment says; :class:`Trouble` without credentials."""
        return cls(region(), os.environ.get("AWS_ENDPOINT_URL") or None)

    def client(self, service: str) -> Any:
        """A client of the account."""
        import boto3
        from botocore.config import Config

        settings = Config(s3={"addressing_style": "path" if self.endpoint else "auto"})
        return boto3.client(
            service, region_name=self.region, endpoint_url=self.endpoint, config=settings
        )

    @cached_property
    def id(self) -> str:
        """The account's number."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except (BotoCoreError, ClientError) as error:
            raise Trouble(f"There are no usable AWS credentials: {error}") from None

    def object_url(self, bucket: str, key: str) -> str:
        """Where CloudFormation finds an object."""
        return f"{self.endpoint or f'https://s3.{self.region}.amazonaws.com'}/{bucket}/{key}"

    def api_url(self, outputs: dict[str, str]) -> str:
        """The base URL of the deployed API, without a closing slash."""
        given = outputs["EndpointURL"].rstrip("/")
        if self.endpoint is None:
            return given
        stage = given.rpartition("/")[2]
        return f"{self.endpoint}/restapis/{outputs['RestAPIId']}/{stage}/_user_request_"


def settings(stage: Stage, stack: str) -> dict[str, str] | None:
    """What ``infra/stages.json`` says of a stack; ``None`` if the stage does without it."""
    found = json.loads(STAGES.read_text("utf-8")).get(stage.name, {}).get(stack)
    return None if found is None else {name: str(value) for name, value in found.items()}
