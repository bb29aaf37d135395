"""The application, noting every AWS call that a function makes: the stack's module for tests.

``BACKBONE_APP_MODULE=tests.infra.recorded`` serves it, ``BACKBONE_RECORD`` names the file that
takes a line ``function action kind`` for each call that is new to its process.

Some things are as on a stage that are not on a laptop.  Each function has a runtime of its own, as
in a container of its own: what another one has looked up does not save it a call.  The simulators
are not there: what is called on their behalf is left out.  Tokens stand in secrets: where they are
read or replaced in the table, the call to Secrets Manager is noted.  And a request with the id
``lose-messages`` leaves its messages in the outbox, as a container does that dies after a commit.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import botocore.client
import botocore.signers

from app import app
from chalicelib import runtime
from chalicelib.handlers.http import Backbone
from chalicelib.jobs import schedules
from chalicelib.runtime import Runtime, bootstrap
from chalicelib.usecases.blackmoon_vaults import TableVault
from chalicelib.usecases.organisations import Organisations
from tests.infra.calls import LOST, actions

__all__ = ["app", "bootstrap"]

HTTP = "api_handler"
#: On nobody's behalf on a stage (chalicelib/usecases).
SIMULATED = ("/usecases/simulators.py", "/usecases/selling_simulator.py")


_function: contextvars.ContextVar[str | None] = contextvars.ContextVar("function", default=None)
_loses: contextvars.ContextVar[bool] = contextvars.ContextVar("loses", default=False)
_runtimes: dict[str | None, Runtime] = {}
_known: set[str] = set()
_lock = threading.Lock()


def note(action: str, kind: str) -> None:
    """The function under way has made a call."""
    name = _function.get()
    if name is None or _simulated():
        return
    line = f"{name} {action} {kind}\n"
    with _lock:
        if line in _known:
            return
        _known.add(line)
    target = os.environ.get("BACKBONE_RECORD")
    if target:
        with open(target, "a", encoding="utf-8") as file:
            file.write(line)


def _simulated() -> bool:
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.endswith(SIMULATED):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _within(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        token = _function.set(name)
        try:
            return work(*given, **named)
        finally:
            _function.reset(token)

    return run


class Contained(Runtime):
    """The runtime of one function's container."""

    def dispatch(self, messages: Any) -> None:
        """Send, unless the container dies before it can."""
        if not _loses.get():
            super().dispatch(messages)


def _own_runtime() -> Runtime:
    name = _function.get()
    with _lock:
        if name not in _runtimes:
            _runtimes[name] = Contained()
        return _runtimes[name]


def _losing(work: Callable[..., Any]) -> Callable[..., Any]:
    def run(self: Any, event: Any, context: Any) -> Any:
        headers = {str(k).lower(): v for k, v in (event.get("headers") or {}).items()}
        token = _loses.set(headers.get("x-request-id") == LOST)
        try:
            return work(self, event, context)
        finally:
            _loses.reset(token)

    return run


def _before(owner: Any, name: str, first: Callable[..., None]) -> None:
    """Has ``first`` called with the arguments of a method, whenever that is called."""
    original = getattr(owner, name)

    def both(*given: Any, **named: Any) -> Any:
        first(*given, **named)
        return original(*given, **named)

    setattr(owner, name, both)


def _called(client: Any, operation: str, given: Mapping[str, Any]) -> None:
    service = client.meta.service_model.service_name
    for action, kind in actions(service, operation, given, _bucket()):
        note(action, kind)


def _signed(
    _: Any, request_dict: Mapping[str, Any], operation_name: str, *__: Any, **___: Any
) -> None:
    """A link is signed with the function's own rights."""
    bucket = _bucket()
    given = {"Bucket": bucket, "Key": str(request_dict["url_path"]).strip("/")}
    given["Key"] = given["Key"].removeprefix(f"{bucket}/")
    for action, kind in actions("s3", operation_name, given, bucket):
        note(action, kind)


def _bucket() -> str:
    return str(runtime.get().config.bucket)


def _started(thread: threading.Thread) -> None:
    """A thread works for the function that started it."""
    context, run = contextvars.copy_context(), thread.run
    thread.run = lambda: context.run(run)  # type: ignore[method-assign]


_before(botocore.client.BaseClient, "_make_api_call", _called)
_before(botocore.signers.RequestSigner, "generate_presigned_url", _signed)
_before(threading.Thread, "start", _started)
READ, WRITE = "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"
for _name in ("of", "every", "signer"):
    _before(Organisations, _name, lambda *_: note(READ, "secret/gocardless"))
_before(TableVault, "read", lambda *_: note(READ, "secret/blackmoon"))
_before(TableVault, "replace", lambda *_: note(WRITE, "secret/blackmoon"))
runtime.get = _own_runtime
schedules.OVERDUE = timedelta(0)  # nobody has to wait a minute for it
Backbone.__call__ = _within(HTTP, _losing(Backbone.__call__))  # type: ignore[method-assign]
for _source in app.event_sources:
    app.handler_map[_source.name] = _within(_source.name, app.handler_map[_source.name])
