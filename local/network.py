"""Ports and the environment that the stack's processes share."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping

from local.home import Home, Trouble

HOST = "127.0.0.1"
REGION = "eu-west-2"
BACKLOG = 256


def api_port(env: Mapping[str, str]) -> int:
    """``PORT`` (8000 by default); two more ports after it belong to the simulators."""
    text = env.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65533:
        raise Trouble(f"PORT is {text!r}; it is a number from 1 to 65533.")
    return int(text)


def listen(port: int) -> socket.socket:
    """A socket that listens on loopback; the runner keeps it while the API comes and goes.

    Whoever connects while the API restarts waits instead of being refused.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Trouble(f"Port {port} is in use; choose another with PORT=...") from None
        raise Trouble(f"Port {port} cannot be used: {error.strerror}.") from None
    return listener


def free_port(wanted: int | None = None) -> int:
    """``wanted`` if nobody listens there, else any free loopback port."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Trouble("There is no free port on loopback.")


def _base() -> dict[str, str]:
    """This process's environment without anything that leads to a real AWS or through a proxy."""
    dropped = ("AWS_", "BACKBONE_API_KEY")
    base = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    for name in ("NO_PROXY", "no_proxy"):
        base[name] = ",".join(filter(None, [base.get(name), HOST, "localhost"]))
    return base | {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }


def aws_environment(home: Home, port: int) -> dict[str, str]:
    """What the embedded AWS is started with: loopback only, state kept, nothing else open."""
    return _base() | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.aws_state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home.aws_objects),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(home.scratch),
    }


def gocardless_environment(api_url: str) -> dict[str, str]:
    """What the GoCardless simulator is started with: webhooks go to the API."""
    return _base() | {"GOCARDLESS_WEBHOOK_URL": f"{api_url}/providers/gocardless/webhook/"}


def blackmoon_environment() -> dict[str, str]:
    """What the Blackmoon simulator is started with."""
    return _base()


def application_environment(home: Home, aws_url: str, public_url: str) -> dict[str, str]:
    """What the application's processes are started with: the same variables as in AWS."""
    return _base() | {
        "AWS_ENDPOINT_URL": aws_url,
        "BACKBONE_STAGE": "laptop",
        "BACKBONE_SANDBOX": "true",
        "BACKBONE_TABLE": "backbone",
        "BACKBONE_QUEUE_PREFIX": "backbone",
        "BACKBONE_BUCKET": "backbone-exports",
        # empty: no replica, which each rest of a sandbox clock would write anew
        "BACKBONE_REPLICA_BUCKET": os.environ.get("BACKBONE_REPLICA_BUCKET", "backbone-replica"),
        "BACKBONE_ANSWER_WITHIN": "0",  # a move of the sandbox clock is waited for, however long
        "BACKBONE_PUBLIC_BASE_URL": public_url,
        "BACKBONE_LOCAL_DIR": str(home.directory),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL") or "INFO",
        "POWERTOOLS_SERVICE_NAME": "backbone",
        "POWERTOOLS_METRICS_NAMESPACE": "Backbone",
    }
