"""Requests with one key: sent again where that is safe, never to another host."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from backbone_client import wire
from backbone_client.problems import NoAnswer, NotUnderstood, Problem, problem

T = TypeVar("T")
PREFIX = "/api/v1"
CONNECT_SECONDS = 5.0
#: The first pause before another try; each further one is twice as long, up to the longest.
PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 8.0
#: A service that says to wait longer than this is left alone: the caller decides.
LONGEST_WAIT_SECONDS = 60.0
AGAIN = frozenset({429, 502, 503, 504})
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
KEY_HEADER = "Idempotency-Key"

_pause = time.sleep


@dataclass(frozen=True)
class Answer:
    """A response as it came: ``headers`` by lower-case name, ``data`` with exact numbers.

    ``data`` is ``None`` where the body is not JSON.  ``tries`` says how often it was asked.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)
    data: Any = field(repr=False)
    tries: int = 1

    @property
    def good(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300


class Session:
    """One key's connections; safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        timeout: float | httpx.Timeout,
        retries: int,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self.base_url = _checked(base_url)
        if retries < 0:
            raise ValueError("retries: must be 0 or more")
        self._retries = retries
        if not isinstance(timeout, httpx.Timeout):
            timeout = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        self._timeout = timeout
        self._http = httpx.Client(
            headers={"Accept": "application/json", "X-Api-Key": _printable(api_key)}
            if api_key is not None
            else {"Accept": "application/json"},
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            # No proxy and no .netrc of the environment sees the key or adds another one.
            trust_env=False,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """Whatever the API answers, errors included; :class:`NoAnswer` where nothing came.

        ``path`` begins below the base URL.  Every ``POST`` has an idempotency key, so that it may
        be sent again: the one given here or in the body, or a new one.
        """
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        content = None
        if body is not None:
            content = wire.encode(body)
            sent.setdefault("content-type", "application/json")
        if method == "POST":
            own = idempotency_key or (body or {}).get("idempotency_key") or uuid4()
            sent.setdefault(KEY_HEADER.lower(), str(own))
        request = self._http.build_request(
            method, self.base_url + path, params=wire.query(query) if query else None,
            content=content, headers=sent,
        )  # fmt: skip
        return self._answered(request)

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """The parsed answer of a success; the :class:`Problem` of anything else."""
        answer = self.send(method, path, body, query=query, idempotency_key=idempotency_key)
        what = f"{method} {urlsplit(path).path}"
        if method == "DELETE" and answer.status == 404 and answer.tries > 1:
            return None  # the try whose answer was lost has done it
        if not answer.good:
            raise failure(what, answer)
        if answer.data is None and answer.text:
            raise self.odd(what, answer, "the answer is not JSON")
        return answer.data

    def record(self, kind: type[T], what: str, data: Any) -> T:
        """``data`` as ``kind``, or :class:`NotUnderstood`."""
        try:
            return wire.read(kind, data)
        except ValueError as error:
            told = f"{kind.__name__}: {error}"
        raise NotUnderstood(what, 200, detail=told)

    @staticmethod
    def odd(what: str, answer: Answer, why: str) -> Problem:
        """That an answer cannot be understood."""
        request_id = answer.headers.get("x-request-id")
        return NotUnderstood(what, answer.status, detail=why, request_id=request_id)

    def download(self, url: str) -> str:
        """A file that the API leads to, fetched without the key and without following further."""
        target, ours = urlsplit(url), urlsplit(self.base_url)
        if target.scheme != "https" and target.scheme != ours.scheme:
            raise NotUnderstood("GET download", 0, detail="the address is not https")
        with httpx.Client(timeout=self._timeout, trust_env=False) as plain:
            response = None
            try:
                response = plain.get(url)
            except (httpx.RequestError, httpx.InvalidURL) as error:
                why = type(error).__name__
        if response is None:
            raise NoAnswer("GET download", 0, detail=why)
        if not response.is_success:
            raise problem("GET download", response.status_code, None, None)
        return response.text

    def _answered(self, request: httpx.Request) -> Answer:
        repeatable = request.method in REPEATABLE or KEY_HEADER in request.headers
        tries = 0
        while True:
            tries += 1
            response, lost = self._once(request)
            if response is not None and response.status_code not in AGAIN:
                return _answer(response, tries)
            never_sent = isinstance(lost, httpx.ConnectError | httpx.ConnectTimeout)
            wait = _wait(tries, response)
            again = tries <= self._retries and (repeatable or never_sent)
            if again and wait is not None:
                _pause(wait)
            elif response is not None:
                return _answer(response, tries)
            else:
                break
        what = f"{request.method} {request.url.path}"
        raise NoAnswer(what, 0, detail=type(lost).__name__)

    def _once(
        self, request: httpx.Request
    ) -> tuple[httpx.Response | None, httpx.RequestError | None]:
        """The response, or what broke: kept out of any exception's context, as it holds the key."""
        try:
            return self._http.send(request), None
        except httpx.RequestError as error:
            return None, error


def failure(what: str, answer: Answer) -> Problem:
    """The exception for an answer that is no success."""
    if 300 <= answer.status < 400:
        return Session.odd(what, answer, "the answer is a redirect")
    return problem(what, answer.status, answer.data, answer.headers.get("x-request-id"))


def _answer(response: httpx.Response, tries: int) -> Answer:
    try:
        data = wire.decode(response.text) if response.content else None
    except ValueError:
        data = None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.text, data, tries)


def _wait(tries: int, response: httpx.Response | None) -> float | None:
    """Seconds until the next try: growing, jittered, at least what the service asks for.

    ``None`` where it asks for too much.
    """
    growing = LONGEST_PAUSE_SECONDS
    if tries < 32:
        growing = min(PAUSE_SECONDS * 2.0**tries / 2, growing)
    jittered = growing * random.uniform(0.5, 1.0)
    asked = 0.0 if response is None else _retry_after(response.headers.get("Retry-After"))
    return None if asked > LONGEST_WAIT_SECONDS else max(asked, 0.0) + jittered


def _retry_after(value: str | None) -> float:
    """Seconds, or a date (RFC 9110, 10.2.3); 0 where nothing sensible is said."""
    if not value:
        return 0.0
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url: must be http(s)://host, with the stage's path if it has one")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("base_url: must have no user, query or fragment")
    return base_url.rstrip("/").removesuffix(PREFIX)


def _printable(api_key: str) -> str:
    if not api_key or not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        # Said here and without the key: httpx would repeat it.
        raise ValueError("api_key: must be printable ASCII without blanks")
    return api_key
