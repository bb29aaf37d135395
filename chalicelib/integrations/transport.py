"""The one way out to providers: time limits, bounded retries, a circuit breaker, no secret logged.

Every call is made by a worker, never inside a request.  Whoever calls says what makes a repetition
harmless (a key, or a read), so that a call may be repeated after any failure that tells nothing of
what was done.  Neither proxies nor credentials are taken from the environment, redirects are not
followed, and an answer's size and time are bounded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.integrations.breaker import Breaker

if TYPE_CHECKING:
    from requests import Response

MOST_BYTES = 8_000_000
CHUNK_BYTES = 65_536
TOO_MANY, SERVER_ERROR = 429, 500


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect and to wait for data; tries of one call and the pauses between them.

    A call takes at most ``attempts * (connect + 2 * read) + pauses`` seconds: a queue's visibility
    time must be longer than that of all calls for one message.
    """

    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    attempts: int = 3
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 4.0
    breaker_failures: int = 20
    breaker_seconds: float = 15.0


class Streamed(Protocol):
    """A body that is too large for memory: its size in bytes, and its pieces, anew for each try."""

    def __len__(self) -> int:
        """Bytes in all."""

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, from the beginning."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``operation`` is its name in logs and metrics, without any id.

    ``attempts`` is for what must not be repeated blindly; none means as often as the limits say.
    ``late`` gives further headers anew for each try (a signature that is good for a while only).
    """

    provider: str
    operation: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | Streamed | None = field(default=None, repr=False)
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    attempts: int | None = None
    late: Callable[[], Mapping[str, str]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one try went: an answer's ``status``, or the name of the ``error``.

    One that was not made, because the circuit is open, has the error ``CircuitOpen``.
    """

    provider: str
    operation: str
    number: int
    seconds: float
    status: int | None = None
    error: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it counts against the provider: no answer, or one of 500 and above."""
        return self.status is None or self.status >= SERVER_ERROR


class NoAnswer(Exception):
    """The provider did not answer, whether or not it did the work; says nothing of the request.

    ``sent`` is false where the request certainly never left.
    """

    def __init__(self, provider: str, operation: str, why: str, *, sent: bool = True) -> None:
        super().__init__(f"{provider}: {operation}: {why}")
        self.why = why
        self.sent = sent


class CircuitOpen(NoAnswer):
    """Nothing was sent: the provider has failed too often just now."""


def _unheard(_: Attempt) -> None:
    """Nobody listens."""


class Transport:
    """Sends calls; safe to share between threads.

    ``sleep`` and ``uniform`` make the pauses, ``monotonic`` gives seconds, ``heard`` is told of
    every attempt (for logs and metrics: it knows neither URLs nor contents).
    """

    def __init__(
        self,
        limits: Limits,
        *,
        sleep: Callable[[float], None],
        uniform: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
        heard: Callable[[Attempt], None] = _unheard,
    ) -> None:
        self.limits = limits
        self._sleep = sleep
        self._uniform = uniform
        self._monotonic = monotonic
        self._heard = heard
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()
        self._local = threading.local()

    def send(self, call: Call) -> Response:
        """The answer of the first try that had one below 500 and not 429, else the last answer.

        Raises :class:`NoAnswer` if the last try had none, :class:`CircuitOpen` if none was made.
        """
        attempts = call.attempts or self.limits.attempts
        for number in range(1, attempts + 1):
            last = number == attempts
            try:
                response = self._try(call, number)
            except CircuitOpen:
                raise
            except NoAnswer:
                if last:
                    raise
                self._sleep(self.pause(number))
                continue
            if last or not _again(response.status_code):
                return response
            self._sleep(self.pause(number, response.headers.get("Retry-After")))
        raise AssertionError("there is at least one attempt")

    def pause(self, number: int, asked: str | None = None) -> float:
        """Seconds after try ``number``: growing, jittered; at least what the provider asks for."""
        limits = self.limits
        longest = min(
            limits.longest_pause_seconds, limits.first_pause_seconds * 2.0 ** (number - 1)
        )
        wanted = float(asked) if asked is not None and asked.isascii() and asked.isdigit() else 0.0
        return max(self._uniform(longest / 2, longest), min(wanted, limits.longest_pause_seconds))

    def _try(self, call: Call, number: int) -> Response:
        from requests import RequestException

        breaker = self._breaker(call.provider)
        if not breaker.allows():
            self._heard(Attempt(call.provider, call.operation, number, 0.0, None, "CircuitOpen"))
            raise CircuitOpen(call.provider, call.operation, "circuit open", sent=False)
        begun = self._monotonic()
        response: Response | None = None
        error: str | None = "interrupted"
        try:
            response = self._exchange(call, begun)
            error = None
            return response
        except (RequestException, OSError, ValueError) as failure:
            error = type(failure).__name__
            sent = not _unsent(failure)
            raise NoAnswer(call.provider, call.operation, error, sent=sent) from None
        finally:
            status = None if response is None else response.status_code
            took = self._monotonic() - begun
            attempt = Attempt(call.provider, call.operation, number, took, status, error)
            breaker.report(not attempt.failed)
            self._heard(attempt)

    def _exchange(self, call: Call, begun: float) -> Response:
        limits = self.limits
        response: Response = self._session().request(
            call.method,
            call.url,
            params=call.params,
            data=call.body,
            headers={**call.headers, **(call.late() if call.late else {})},
            timeout=(limits.connect_seconds, limits.read_seconds),
            allow_redirects=False,
            stream=True,
        )
        if not isinstance(call.body, bytes | None):  # a long file takes its time, not an answer
            begun = self._monotonic()
        whole, deadline = bytearray(), begun + limits.connect_seconds + 2 * limits.read_seconds
        for chunk in response.iter_content(CHUNK_BYTES):
            whole += chunk
            if len(whole) > MOST_BYTES or self._monotonic() > deadline:
                response.close()
                raise TimeoutError("the answer is too long")
        response._content = bytes(whole)
        return response

    def _breaker(self, provider: str) -> Breaker:
        with self._lock:
            if provider not in self._breakers:
                limits = self.limits
                self._breakers[provider] = Breaker(
                    limits.breaker_failures, limits.breaker_seconds, self._monotonic
                )
            return self._breakers[provider]

    def _session(self) -> Any:
        """This thread's connections: a session is not made for several threads."""
        if not hasattr(self._local, "session"):
            from requests import Session

            session = Session()
            session.trust_env = False
            self._local.session = session
        return self._local.session


def _unsent(failure: Exception) -> bool:
    """Whether there was no connection that a request could have gone through."""
    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    inner = failure.args[0] if failure.args else None
    return isinstance(failure, ConnectTimeout) or isinstance(
        getattr(inner, "reason", None), NewConnectionError
    )


def _again(status: int) -> bool:
    return status == TOO_MANY or status >= SERVER_ERROR


# --- redaction ------------------------------------------------------------------------------------

HIDDEN = "[hidden]"
OPEN_NAMES = frozenset(
    {
        "action",
        "amount",
        "cause",
        "charge_date",
        "code",
        "created_at",
        "currency",
        "errors",
        "error",
        "events",
        "field",
        "id",
        "links",
        "origin",
        "reason",
        "reason_code",
        "request_id",
        "resource_type",
        "scheme",
        "status",
        "type",
        "will_attempt_retry",
    }
)
"""What may be seen of a provider's data.  All else is hidden: a new field is nobody's leak."""


def redacted(data: Any) -> Any:
    """``data`` (of JSON, or headers) for a log: names of any kind, values of known names only."""
    if isinstance(data, Mapping):
        return {str(name): _shown(str(name), value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [redacted(one) for one in data]
    return HIDDEN


def _shown(name: str, value: Any) -> Any:
    if name == "links" and isinstance(value, Mapping):
        return {str(link): one if isinstance(one, str) else HIDDEN for link, one in value.items()}
    if isinstance(value, Mapping | list | tuple):
        return redacted(value)
    return value if name.lower() in OPEN_NAMES or value is None else HIDDEN
