"""The environment: what must be there, and what a mistake is told."""

import pytest

from chalicelib.config import Config, ConfigError

GOOD = {
    "BACKBONE_STAGE": "dev",
    "BACKBONE_TABLE": "backbone-dev",
    "BACKBONE_QUEUE_PREFIX": "backbone-dev",
    "AWS_REGION": "eu-west-2",
}


def test_what_is_needed_is_enough() -> None:
    config = Config.from_environment(GOOD)
    assert config.table_name == "backbone-dev"
    assert config.queue_name("days") == "backbone-dev-days"
    assert config.dead_queue_name("days") == "backbone-dev-days-dead"
    assert (config.sandbox, config.endpoint_url, config.public_base_url) == (False, None, None)
    assert config.log_level == "INFO"


def test_everything_given() -> None:
    more = {
        "BACKBONE_SANDBOX": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566/",
        "BACKBONE_PUBLIC_BASE_URL": "https://lend.example/",
        "LOG_LEVEL": "debug",
        "BACKBONE_BUCKET": "backbone-dev-exports",
        "BACKBONE_CSV_LIMIT": "1000",
    }
    config = Config.from_environment(GOOD | more)
    assert config.sandbox
    assert config.endpoint_url == "http://127.0.0.1:4566"
    assert config.public_base_url == "https://lend.example"
    assert config.log_level == "DEBUG"
    assert (config.bucket, config.csv_limit_bytes) == ("backbone-dev-exports", 1000)


def test_the_default_region_stands_in() -> None:
    env = {**GOOD, "AWS_DEFAULT_REGION": "eu-central-1"}
    assert Config.from_environment(env).region == "eu-west-2"
    del env["AWS_REGION"]
    assert Config.from_environment(env).region == "eu-central-1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKBONE_STAGE", ""),
        ("BACKBONE_STAGE", "Dev"),
        ("BACKBONE_TABLE", ""),
        ("BACKBONE_TABLE", "a b"),
        ("BACKBONE_QUEUE_PREFIX", ""),
        ("BACKBONE_QUEUE_PREFIX", "a.b"),
        ("BACKBONE_SANDBOX", "maybe"),
        ("AWS_REGION", "mars"),
        ("AWS_ENDPOINT_URL", "ftp://x"),
        ("BACKBONE_PUBLIC_BASE_URL", "lend.example"),
        ("LOG_LEVEL", "LOUD"),
        ("BACKBONE_BUCKET", "Not_A_Bucket"),
        ("BACKBONE_CSV_LIMIT", "6000001"),
        ("BACKBONE_CSV_LIMIT", "0"),
    ],
)
def test_a_mistake_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_environment({**GOOD, name: value})


def test_production_is_no_sandbox() -> None:
    env = {**GOOD, "BACKBONE_STAGE": "production", "BACKBONE_SANDBOX": "true"}
    with pytest.raises(ConfigError, match="BACKBONE_SANDBOX"):
        Config.from_environment(env)


def test_a_secret_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as told:
        Config.from_environment({**GOOD, "AWS_ENDPOINT_URL": "redis://user:hidden@host"})
    assert "hidden" not in str(told.value)
