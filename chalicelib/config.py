"""The environment, read once: the only place that looks at it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

VERSION = "0.1.0"

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STAGE = re.compile(r"[a-z][a-z0-9-]{0,30}")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,60}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,512}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_TRUTH = {"true": True, "1": True, "false": False, "0": False, "": False}


class ConfigError(RuntimeError):
    """A variable of the environment is missing or cannot be what it is meant to be."""


@dataclass(frozen=True, slots=True)
class Config:
    """What differs from stage to stage.

    ``sandbox`` allows the clocks, further partners and simulators of the sandbox, and webhooks to
    loopback. ``endpoint_url`` points every AWS client at an emulator; none means AWS itself.
    ``public_base_url`` is how partners reach the API (for absolute links), without a closing slash;
    none means that the request says so itself. ``answer_within_seconds`` is how long a response may
    wait for work that goes on behind it (API Gateway ends a request after 29); none, or 0 in the
    environment, means as long as it takes. ``bucket`` takes exports that are larger than
    ``csv_limit_bytes``, which is below what a Lambda may answer (6 MB).  ``webhook_seconds`` is how
    long a partner's endpoint may take to answer.

    ``gocardless_url`` is GoCardless's API; none: nothing is collected.  ``gocardless_secret``
    names the secret (Secrets Manager) with the partners' tokens; on a sandbox without one the API
    is a simulator, which gives every partner an organisation.  ``blackmoon_url`` and
    ``blackmoon_secret`` say the same of Blackmoon (the secret's name begins those of the partners:
    each has one of its own); none: no loan is offered.  ``connect_seconds``, ``read_seconds`` and
    ``retry_seconds`` (the first pause) hold for every call to a provider.  ``replica_bucket``
    takes what investors' tools read; none: no replica is written.

    ``ledger_checks`` is how many loans of one message of the daily job are compared with their
    journals at most; ``counts_book`` says that a day that closes leaves the number of loans by
    status behind, for those who watch.
    """

    stage: str
    table_name: str
    queue_prefix: str
    region: str
    sandbox: bool = False
    endpoint_url: str | None = None
    log_level: str = "INFO"
    version: str = VERSION
    public_base_url: str | None = None
    answer_within_seconds: float | None = 25.0
    bucket: str | None = None
    csv_limit_bytes: int = 5_000_000
    webhook_seconds: float = 15.0
    gocardless_url: str | None = None
    gocardless_secret: str | None = None
    blackmoon_url: str | None = None
    blackmoon_secret: str | None = None
    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    retry_seconds: float = 0.5
    replica_bucket: str | None = None
    ledger_checks: int = 0
    counts_book: bool = False

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Config:
        """The configuration that ``env`` describes; :class:`ConfigError` names what is wrong."""
        stage = _matching(env, "BACKBONE_STAGE", _STAGE)
        sandbox = _flag(env, "BACKBONE_SANDBOX")
        if sandbox and stage == "production":
            raise ConfigError("BACKBONE_SANDBOX cannot be true on the stage production.")
        region = "AWS_REGION" if env.get("AWS_REGION") else "AWS_DEFAULT_REGION"
        return cls(
            stage=stage,
            table_name=_matching(env, "BACKBONE_TABLE", _TABLE),
            queue_prefix=_matching(env, "BACKBONE_QUEUE_PREFIX", _PREFIX),
            region=_matching(env, region, _REGION),
            sandbox=sandbox,
            endpoint_url=_url(env, "AWS_ENDPOINT_URL"),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS, "INFO"),
            version=env.get("BACKBONE_VERSION") or VERSION,
            public_base_url=_url(env, "BACKBONE_PUBLIC_BASE_URL"),
            answer_within_seconds=_seconds(env, "BACKBONE_ANSWER_WITHIN", 25.0),
            bucket=_optional(env, "BACKBONE_BUCKET", _BUCKET),
            replica_bucket=_optional(env, "BACKBONE_REPLICA_BUCKET", _BUCKET),
            csv_limit_bytes=_bytes(env, "BACKBONE_CSV_LIMIT", 5_000_000),
            webhook_seconds=_seconds(env, "BACKBONE_WEBHOOK_SECONDS", 15.0) or 15.0,
            gocardless_url=_url(env, "BACKBONE_GOCARDLESS_URL"),
            gocardless_secret=_optional(env, "BACKBONE_GOCARDLESS_SECRET", _SECRET),
            blackmoon_url=_url(env, "BACKBONE_BLACKMOON_URL"),
            blackmoon_secret=_optional(env, "BACKBONE_BLACKMOON_SECRET", _SECRET),
            connect_seconds=_seconds(env, "BACKBONE_CONNECT_SECONDS", 3.0) or 3.0,
            read_seconds=_seconds(env, "BACKBONE_READ_SECONDS", 10.0) or 10.0,
            retry_seconds=_seconds(env, "BACKBONE_RETRY_SECONDS", 0.5) or 0.5,
            ledger_checks=_number(env, "BACKBONE_LEDGER_CHECKS", 25, 1000),
            counts_book=True,
        )

    @property
    def simulated(self) -> bool:
        """Whether the payments provider is the sandbox's simulator."""
        return self.sandbox and self.gocardless_url is not None and self.gocardless_secret is None

    @property
    def blackmoon_simulated(self) -> bool:
        """Whether Blackmoon is the sandbox's simulator."""
        return self.sandbox and self.blackmoon_url is not None and self.blackmoon_secret is None

    def queue_name(self, logical: str) -> str:
        """The real name of a logical queue (``days`` → ``backbone-dev-days``)."""
        return f"{self.queue_prefix}-{logical}"

    def dead_queue_name(self, logical: str) -> str:
        """Where the messages of a logical queue go after their last delivery."""
        return f"{self.queue_prefix}-{logical}-dead"


@lru_cache(maxsize=1)
def load() -> Config:
    """The process's own configuration, read once (``load.cache_clear()`` forgets it)."""
    return Config.from_environment(os.environ)


def queue_prefix() -> str:
    """What the queues' names begin with while the application is put together.

    ``backbone`` where nothing is set: routes and functions can be read without a stage.
    """
    return _optional(os.environ, "BACKBONE_QUEUE_PREFIX", _PREFIX) or "backbone"


def _matching(env: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set.")
    if not shape.fullmatch(value):
        raise ConfigError(f"{name} is {value!r}, which does not match {shape.pattern}.")
    return value


def _optional(env: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str | None:
    return _matching(env, name, shape) if env.get(name) else None


def _bytes(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= default):
        raise ConfigError(f"{name} is {value!r}; it is a number of bytes from 1 to {default}.")
    return int(value)


def _number(env: Mapping[str, str], name: str, default: int, most: int) -> int:
    value = env.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and int(value) <= most):
        raise ConfigError(f"{name} is {value!r}; it is a number from 0 to {most}.")
    return int(value)


def _flag(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "")
    if value.lower() not in _TRUTH:
        raise ConfigError(f"{name} is {value!r}; it is true or false.")
    return _TRUTH[value.lower()]


def _seconds(env: Mapping[str, str], name: str, default: float) -> float | None:
    value = env.get(name, "")
    try:
        return (float(value) or None) if value else default
    except ValueError:
        raise ConfigError(f"{name} is {value!r}, which is no number of seconds.") from None


def _url(env: Mapping[str, str], name: str) -> str | None:
    value = env.get(name, "")
    if not value:
        return None
    if not _URL.fullmatch(value):
        raise ConfigError(f"{name} is not an http or https URL without a query.")
    return value.rstrip("/")


def _one_of(env: Mapping[str, str], name: str, values: tuple[str, ...], default: str) -> str:
    value = env.get(name) or default
    if value.upper() not in values:
        raise ConfigError(f"{name} is {value!r}; it is one of {', '.join(values)}.")
    return value.upper()
