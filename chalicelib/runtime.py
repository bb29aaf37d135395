"""The composition root: what a container has, built when it is first used and kept.

Nothing here decides anything.  ``get()`` gives the container's one :class:`Runtime`; a test puts
another in its place with ``use()``.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chalicelib.usecases.keyring import Keyring

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from chalicelib.config import Config
    from chalicelib.domain.decision import Event, Message
    from chalicelib.domain.organisations import Organisation
    from chalicelib.domain.partners import ApiKey, Partner
    from chalicelib.integrations.disbursements.interface import DisbursementProvider
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.integrations.objects import Objects
    from chalicelib.integrations.queues import Queues
    from chalicelib.integrations.transport import Transport
    from chalicelib.metrics import Metric, Recorder, Value
    from chalicelib.models.store import Store
    from chalicelib.models.unit import Outgoing, Stored
    from chalicelib.usecases.blackmoon_tokens import Keeper
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.offers import Asker
    from chalicelib.usecases.organisations import Organisations
    from chalicelib.usecases.selling_simulator import SellingSimulator
    from chalicelib.usecases.sending import Carrier
    from chalicelib.usecases.simulators import Outside, Simulators

    EventData = Callable[[Context, Event, Any], dict[str, Any]]

SERVICE = "backbone"


def wall_clock() -> datetime:
    """Now, aware and in UTC."""
    return datetime.now(UTC)


class Runtime:
    """Clock, ids, store, queues, keys, logger and metrics of one container."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = wall_clock,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock = clock
        self.new_id = new_id
        self.sleep = sleep

    @cached_property
    def config(self) -> Config:
        """What the environment says."""
        from chalicelib import config

        return config.load()

    @cached_property
    def logger(self) -> Logger:
        """JSON lines with the keys of the request under way."""
        from aws_lambda_powertools import Logger

        return Logger(service=SERVICE, level=self.config.log_level)

    @cached_property
    def metrics(self) -> Recorder:
        """What CloudWatch is told (the table is in ``chalicelib/metrics.py``)."""
        from chalicelib.metrics import Recorder

        return Recorder(self.config.stage, logger=lambda: self.logger)

    @cached_property
    def store(self) -> Store:
        """The one table."""
        from chalicelib import watching
        from chalicelib.models.store import open_store

        return open_store(self.config, on_capacity=watching.capacity(self))

    @cached_property
    def keyring(self) -> Keyring:
        """API keys, remembered for a minute."""
        return Keyring(self.identify, time.monotonic)

    def identify(self, key_hash: str) -> Partner | None:
        """The partner of an API key's hash; None if it is unknown or revoked."""
        from chalicelib.usecases import partners

        def note_use(key: Stored[ApiKey]) -> None:
            write = partners.note_use(self.store, key, self.clock())
            if write is not None:
                self.aside(write)

        return partners.identify(self.store, key_hash, note_use)

    def aside(self, work: Callable[[], None]) -> None:
        """Do ``work`` beside the request, which neither waits for it nor fails with it.

        In Lambda it may be interrupted when the response is out and go on with the next request,
        or be lost: only for what may be lost.
        """
        threading.Thread(target=work, daemon=True).start()

    def resolve(self, host: str) -> tuple[str, ...]:
        """The addresses of a host's name now; none if it has none."""
        from chalicelib.integrations.resolver import resolve

        return resolve(host)

    def moment(self, partner: Partner) -> tuple[datetime, date]:
        """The instant and the business date at ``partner``."""
        from chalicelib.usecases import partners

        return partners.moment(self.store, partner, self.clock())

    @cached_property
    def queues(self) -> Queues:
        """SQS."""
        from chalicelib.integrations.queues import Queues

        return Queues(self.config)

    @cached_property
    def objects(self) -> Objects:
        """S3, for exports that are too large for an answer."""
        from chalicelib.integrations.objects import Objects

        return Objects(self.config)

    @cached_property
    def transport(self) -> Transport:
        """The way out to providers."""
        from chalicelib import watching
        from chalicelib.integrations.transport import Limits, Transport

        config = self.config
        limits = Limits(
            connect_seconds=config.connect_seconds,
            read_seconds=config.read_seconds,
            first_pause_seconds=config.retry_seconds,
        )
        heard = partial(watching.heard, self)
        return Transport(limits, sleep=time.sleep, uniform=random.uniform, heard=heard)

    @cached_property
    def organisations(self) -> Organisations:
        """Partners' accounts at the payments provider."""
        from chalicelib.integrations import secrets
        from chalicelib.usecases.organisations import Organisations

        config, name = self.config, self.config.gocardless_secret
        read = None if name is None else lambda: secrets.read(config, name)
        return Organisations(self.store, read, time.monotonic)

    @cached_property
    def simulators(self) -> Simulators | None:
        """The sandbox's simulators; ``None`` where the provider is a real one, or there is none."""
        from chalicelib.integrations.simulators import GoCardlessSimulator
        from chalicelib.usecases.simulators import Simulators

        config = self.config
        if not config.simulated or config.gocardless_url is None:
            return None
        gocardless = GoCardlessSimulator(config.gocardless_url, self.transport)
        base = config.public_base_url or ""
        return Simulators(self.organisations, gocardless, config.gocardless_url, base)

    @cached_property
    def outside(self) -> Outside | None:
        """What sandbox partners' days depend on besides the platform; ``None`` if on nothing."""
        from chalicelib.models.keys import BLACKMOON, GOCARDLESS, PROVIDER_EVENTS, REPLICA
        from chalicelib.usecases.simulators import Outside

        if self.simulators is None:
            return None
        return Outside(
            simulators=self.simulators,
            provider=self.gocardless,
            quiet=lambda: self.queues.empty((GOCARDLESS, PROVIDER_EVENTS, BLACKMOON, REPLICA)),
            sleep=self.sleep,
            monotonic=time.monotonic,
            selling=self.selling_simulator,
        )

    @cached_property
    def selling_simulator(self) -> SellingSimulator | None:
        """The sandbox's Blackmoon; ``None`` where it is the real one, or there is none."""
        from chalicelib import selling

        return selling.simulator(self)

    def collects(self, partner: Partner) -> bool:
        """Whether there is a provider that could hold a mandate of this partner's end users."""
        if self.config.gocardless_url is None:
            return False
        simulated = partner.sandbox and self.config.simulated
        return simulated or self.organisations.of(partner.id) is not None

    def gocardless(self, ctx: Context) -> GoCardless:
        """GoCardless as the partner's organisation sees it; in the sandbox made if need be."""
        from chalicelib.integrations.gocardless.client import GoCardless

        url, found = self._organisation(ctx)
        return GoCardless(url, found.access_token, self.transport)

    def disburser(self, ctx: Context, provider: str) -> DisbursementProvider:
        """The partner's account at the ``provider`` that pays its loans out.

        Raises :class:`LookupError` for an unknown one, and without an organisation or a key.
        """
        from chalicelib.integrations.disbursements import gocardless_outbound, manual, signing
        from chalicelib.usecases import signing_keys

        if provider == manual.MANUAL:
            return manual.Manual()
        if provider != gocardless_outbound.GOCARDLESS_OUTBOUND:
            raise LookupError(f"there is no disbursement provider {provider!r}")
        url, found = self._organisation(ctx)
        key = signing_keys.of(ctx, found, self.simulators)
        return gocardless_outbound.GoCardlessOutbound(
            url,
            found.access_token,
            self.transport,
            signer=signing.Signer(key, wall=time.time, nonce=lambda: str(uuid4())),
            creditor=found.creditor,
            webhook_secret=found.webhook_secret,
        )

    def _organisation(self, ctx: Context) -> tuple[str, Organisation]:
        """GoCardless's URL and the partner's organisation there, or :class:`LookupError`."""
        url, found = self.config.gocardless_url, self.organisations.of(ctx.partner.id)
        if found is None and self.simulators is not None and ctx.partner.sandbox:
            found = self.simulators.organisation(ctx)
        if url is None or found is None:
            raise LookupError(f"partner {ctx.partner.id} has no organisation at GoCardless")
        return url, found

    @cached_property
    def tokens(self) -> Keeper:
        """Partners' tokens at Blackmoon: in the table of a sandbox, in secrets on a stage."""
        from chalicelib import selling

        return selling.keeper(self)

    def blackmoon(self, ctx: Context) -> Asker:
        """Blackmoon as the partner's organisation sees it; in the sandbox made if need be."""
        from chalicelib import selling

        return selling.Market(self, ctx)

    def dispatch(self, messages: Sequence[Outgoing]) -> None:
        """Send committed outbox messages now; what fails is left to the sweeper.  Never raises."""
        try:
            self.store.done(self.queues.send(messages))
        except Exception:
            self.logger.warning("messages stay in the outbox", exc_info=True)

    def context_for(self, partner: Partner) -> Context:
        """A job's view of a partner's world."""
        from chalicelib.usecases.context import Context

        now, business_date = self.moment(partner)
        return Context(
            partner=partner,
            now=now,
            business_date=business_date,
            store=self.store,
            new_id=self.new_id,
            dispatch=self.dispatch,
            report=self.report,
            measure=self.metrics.add_all,
            wall=self.clock,
            event_data=self.event_data,
        )

    def context_of(self, partner_id: str) -> Context:
        """The same by the partner's id, as messages name it."""
        from chalicelib.models.keys import PARTNER

        stored = self.store.get(PARTNER, partner_id, partner_id)
        if stored is None:
            raise LookupError(f"there is no partner {partner_id}")
        return self.context_for(stored.value)

    def event_data(self, ctx: Context, event: Event, subject: Any) -> dict[str, Any]:
        """What a webhook says of an event (see :func:`compose`)."""
        if _event_data is None:
            raise RuntimeError("compose() was not called: nothing says how events are shown")
        return _event_data(ctx, event, subject)

    def carrier(self) -> Carrier:
        """What delivering webhooks needs of the outside."""
        from chalicelib.integrations.courier import Courier
        from chalicelib.usecases.sending import Carrier

        return Carrier(
            post=Courier(self.config.webhook_seconds).post,
            resolve=self.resolve,
            send=self.send_soon,
            monotonic=time.monotonic,
            chance=random.random,
            answer_seconds=self.config.webhook_seconds,
            loopback=self.config.sandbox,
        )

    def send_soon(self, messages: Sequence[Message], delay_seconds: int) -> bool:
        """Send messages past the outbox; whether SQS took them all.  Never raises."""
        from chalicelib.models.unit import Outgoing

        now = self.clock()
        out = [Outgoing(self.new_id(), one.queue, one.body, now) for one in messages]
        try:
            return len(self.queues.send(out, delay_seconds)) == len(out)
        except Exception:
            self.logger.warning("messages could not be sent", exc_info=True)
            return False

    def report(self, what: str, error: Exception, **facts: str) -> None:
        """Log an error that the work survives."""
        from chalicelib import watching

        self.logger.error(what, exc_info=error, extra=facts)
        watching.failed(self, error)

    def count(self, metric: Metric, value: Value, **dimensions: str) -> None:
        """Measure something in the present invocation, which tells it when it ends."""
        self.metrics.add(metric, value, **dimensions)

    def flush(self) -> None:
        """Tell what was measured."""
        self.metrics.flush()

    @contextmanager
    def logged(self, **keys: str) -> Iterator[None]:
        """Every log line inside carries ``keys``."""
        self.logger.append_keys(**keys)
        try:
            yield
        finally:
            self.logger.remove_keys(list(keys))


_current: Runtime | None = None
_event_data: EventData | None = None


def compose(event_data: EventData) -> None:
    """Say how events are shown: the edge knows, and neither use cases nor jobs may import it."""
    global _event_data
    _event_data = event_data


def get() -> Runtime:
    """The container's runtime."""
    global _current
    if _current is None:
        _current = Runtime()
    return _current


@contextmanager
def use(other: Runtime) -> Iterator[Runtime]:
    """Put ``other`` in the container's place for a while (tests, the sandbox's own runs)."""
    global _current
    before, _current = _current, other
    try:
        yield other
    finally:
        _current = before


def bootstrap(key: str) -> str:
    """Make sure that the stage's first sandbox partner is there and holds ``key``; its id."""
    from chalicelib.usecases.bootstrap import first_partner

    edge = get()
    return first_partner(edge.store, key, edge.new_id, edge.clock())
