"""Offers of loans to investors: opened with the loan, answered by Blackmoon, told by its life.

What happens to a loan goes to its offer by a message of the same transaction; what is asked of
Blackmoon leaves by a message of the offer's.  See ``docs/adr/0016-blackmoon.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import NAMESPACE_URL, uuid5

from chalicelib.domain.blackmoon import DIRECT, REVERSE, Cession, Offer
from chalicelib.domain.decision import Message
from chalicelib.domain.disbursing import is_never_lent
from chalicelib.domain.errors import NotFound
from chalicelib.domain.offer_happenings import Begun, Bid, ByHand, Happening, Moved, Tick, Trouble
from chalicelib.domain.offers import (
    ACCEPT,
    CANCEL,
    CREATE,
    DECLINE,
    OFFERED,
    PENDING,
    QUEUE,
    RETRYING,
    Sold,
    Step,
    decide,
    opened,
)
from chalicelib.integrations.blackmoon import reading
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.models.keys import ANYONE, CESSION, END_USER, OFFER, TERMS
from chalicelib.usecases import ownership
from chalicelib.usecases.alarms import raise_alarm

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.account import Terms
    from chalicelib.domain.loans import Outcome
    from chalicelib.domain.products import Product
    from chalicelib.integrations.blackmoon.client import Blackmoon
    from chalicelib.integrations.blackmoon.results import Moved as Answer
    from chalicelib.models.store import Store
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.journals import Loan

T = TypeVar("T")
OPEN = (PENDING, RETRYING, OFFERED)
NOT_CONFIGURED = "not_configured"
CANCELLED = "Cancelled"
"""Blackmoon's word for a reversal that follows from cancelling an offer."""
INACTIVE = "inactive"
_ENDS = {"cancelled": "loan_cancelled", INACTIVE: "disbursement_returned"}
"""A loan's status → why its offer is over; an inactive one only if its money came back."""


class Asker(Protocol):
    """Runs ``work`` with a client whose tokens are good; :class:`LookupError` without any."""

    def __call__(self, work: Callable[[Blackmoon], T]) -> T:
        """What ``work`` gives."""


def id_of(loan_id: str) -> str:
    """The offer of a loan: there is one at most, and it is found without an index."""
    return str(uuid5(NAMESPACE_URL, f"offer/{loan_id}"))


def direct_of(offer_id: str) -> str:
    """The direct cession of an offer, found without an index."""
    return str(uuid5(NAMESPACE_URL, f"cession/{offer_id}/direct"))


def cancellation_of(offer_id: str) -> str:
    """The reversal that follows from cancelling an offer."""
    return str(uuid5(NAMESPACE_URL, f"cession/{offer_id}/cancelled"))


# --- the loan's life ------------------------------------------------------------------------------


def open_for(ctx: Context, unit: Unit, product: Product, terms: Terms) -> None:
    """Offer a new loan, if its product is sold."""
    if not product.sell_to_blackmoon:
        return
    offer = Offer(
        id_of(terms.id),
        terms.id,
        partner=ctx.partner.id,
        amount=terms.amount,
        clocked=ctx.partner.sandbox,
    )
    step = opened(offer)
    unit.create(OFFER, ctx.partner.id, step.state)
    _send(unit, step.messages)


def follow(ctx: Context, unit: Unit, loan: Loan, outcome: Outcome) -> None:
    """Tell a loan's offer what a commit brought: disbursements applied, or the loan's end.

    A loan whose only disbursement came back was never lent: that ends a sale too.  Only then the
    offer is looked for, at half a read unit.
    """
    applied = [
        item
        for item in (*outcome.made(), *outcome.updates)
        if item.type == "disbursement" and item.status == "applied"
    ]
    before, after = loan.account.value.status, outcome.account.status
    ended = _ENDS.get(after) if before != after else None
    changes = [change for batch in outcome.batches for change in batch.changes]
    if after == INACTIVE and not any(map(is_never_lent, changes)):
        ended = None
    if not (applied or ended):
        return
    offer = id_of(loan.id)
    if ctx.store.get(OFFER, ctx.partner.id, offer) is None:
        return
    for item in applied:
        told = {
            "transaction": item.id,
            "day": item.effective_date.isoformat(),
            "amount": str(item.amount),
        }
        unit.send(_message("disbursed", ctx.partner.id, offer, told))
    if ended:
        unit.send(_message("loan_cancelled", ctx.partner.id, offer, {"reason": ended}))


def _message(do: str, partner: str, offer: str, more: Mapping[str, Any] | None = None) -> Message:
    return Message(QUEUE, {"do": do, "partner": partner, "offer": offer, **(more or {})})


def _send(unit: Unit, messages: Sequence[Message]) -> None:
    for message in messages:
        unit.send(message)


# --- what happens to an offer ---------------------------------------------------------------------


def happen(ctx: Context, offer_id: str, happening: Happening) -> Step | None:
    """Decide and commit; what was decided, ``None`` if there is no such offer."""

    def once() -> Step | None:
        stored = ctx.store.get(OFFER, ctx.partner.id, offer_id)
        if stored is None:
            return None
        step = decide(stored.value, happening, ctx.now)
        if step == Step(stored.value):
            return step
        unit = ctx.unit()
        _put(ctx, unit, stored, step)
        return ctx.commit(unit, step)

    return ctx.store.attempt(once)


def _put(ctx: Context, unit: Unit, stored: Stored[Offer], step: Step) -> Stored[Offer]:
    """The offer, its cessions and messages; ``updated_at`` moves with what is shown only."""
    before, after = stored.value, step.state
    touch = (before.status, before.offer_id, before.updated_datetime, before.reason) != (
        after.status,
        after.offer_id,
        after.updated_datetime,
        after.reason,
    )
    written = unit.update(OFFER, ctx.partner.id, stored, after, touch=touch)
    if step.sold:
        _cede(ctx, unit, after, step.sold)
    _send(unit, step.messages)
    return written


def _cede(ctx: Context, unit: Unit, offer: Offer, sold: Sequence[Sold]) -> None:
    """Record what was sold; a direct cession that is there gets the price that was paid out."""
    new: list[Cession] = []
    for one in sold:
        there = ctx.store.get(CESSION, ctx.partner.id, direct_of(offer.id)) if one.again else None
        if there is None:
            new.append(_cession(ctx, offer, one))
        else:
            unit.update(CESSION, ctx.partner.id, there, replace(there.value, price=one.price))
    if new:
        ownership.record(ctx, unit, offer.loan, new)


def _cession(ctx: Context, offer: Offer, sold: Sold) -> Cession:
    known = {DIRECT: direct_of, REVERSE: cancellation_of}.get(sold.type)
    made = Cession(
        known(offer.id) if known else ctx.new_id(),
        offer.loan,
        sold.type,
        sold.day,
        sold.price,
        offer=offer.id,
        investor_legal_entity_id=offer.investor_legal_entity_id,
    )
    if sold.type == REVERSE:
        return replace(made, reverse_type=CANCELLED, expected=True)
    fees = (offer.origination_fee, offer.servicing_fee)
    return replace(made, origination_fee=fees[0], servicing_fee=fees[1])


def by_hand(ctx: Context, offer_id: str, command: str) -> Stored[Offer]:
    """Accept, decline or cancel by the partner's word; a worker tells Blackmoon.

    Raises :class:`NotFound`, and ``invalid_status`` where it is not possible or under way.
    """
    stored = ctx.store.get(OFFER, ctx.partner.id, offer_id)
    if stored is None:
        raise NotFound("offer")
    step = decide(stored.value, ByHand(command), ctx.now)
    unit = ctx.unit()
    written = _put(ctx, unit, stored, step)
    return ctx.commit(unit, written)


def tell_a_person(ctx: Context, offer_id: str, why: str) -> None:
    """Raise the alarm that an offer has asked for."""
    stored = ctx.store.get(OFFER, ctx.partner.id, offer_id)
    if stored is None:
        return
    offer: Offer = stored.value
    code = f" (error {offer.error_code})" if offer.error_code else ""
    detail = f"Offer {offer.id} of loan {offer.loan} is {offer.status}: {why}{code}."
    raise_alarm(ctx, "blackmoon_offer", f"{offer.id}/{why}", detail)


# --- asking ---------------------------------------------------------------------------------------


def call(ctx: Context, asker: Asker, offer_id: str, command: str) -> None:
    """Make the call that is under way, if it is still wanted, and take in what comes of it."""
    step = happen(ctx, offer_id, Begun(command))
    if step is None or not step.call:
        return
    said: Happening
    try:
        said = _CALLS[command](ctx, asker, step.state)
    except BlackmoonTrouble as trouble:
        ctx.report("an offer's call came to nothing", trouble, offer=offer_id)
        code, lost = trouble.code, trouble.lost
        said = Trouble(command, trouble.remedy, ctx.business_date, code, lost)
    except LookupError as missing:
        ctx.report("a partner's Blackmoon is not configured", missing, offer=offer_id)
        said = Trouble(command, "permanent", ctx.business_date, NOT_CONFIGURED)
    happen(ctx, offer_id, said)


def _create(ctx: Context, asker: Asker, offer: Offer) -> Happening:
    fields = _known(ctx, offer)
    bid = asker(lambda blackmoon: blackmoon.create_offer(offer.loan, fields))
    return Bid(
        will_participate=bid.will_participate,
        offer_id=bid.offer_id,
        origination_fee=bid.origination_fee,
        servicing_fee=bid.servicing_fee,
        bid_amount=bid.bid_amount,
        loan_amount=bid.loan_amount,
        investor_legal_entity_id=bid.investor_legal_entity_id,
        updated_datetime=bid.updated_datetime,
        warning_code=bid.warning.code,
    )


def _known(ctx: Context, offer: Offer) -> dict[str, Any]:
    """Our fields of a loan, of which the partner's map says what is sent."""
    from chalicelib.domain.datasets import product_type

    stored = ctx.store.get(TERMS, ctx.partner.id, offer.loan)
    assert stored is not None, "a loan is never deleted"
    terms: Terms = stored.value
    person = ctx.store.get(END_USER, ctx.partner.id, terms.end_user)
    return {
        "amount": terms.amount,
        "currency": ctx.partner.currency,
        "rate": terms.rate,
        "installments": terms.installments or None,
        "product": terms.product,
        "product_type": product_type(terms),
        "end_user": terms.end_user,
        "country": person.value.country if person else None,
    }


def _answered(command: str) -> Callable[[Context, Asker, Offer], Happening]:
    def ask(ctx: Context, asker: Asker, offer: Offer) -> Happening:
        assert offer.offer_id is not None
        known = offer.offer_id
        moved = asker(lambda blackmoon: _METHODS[command](blackmoon, known))
        day: date = reading.day(moved.updated_datetime) or ctx.business_date
        warning = moved.warning
        return Moved(command, day, warning.remedy, moved.updated_datetime, warning.code)

    return ask


_METHODS: Mapping[str, Callable[[Blackmoon, str], Answer]] = {
    ACCEPT: lambda blackmoon, offer_id: blackmoon.accept_offer(offer_id),
    DECLINE: lambda blackmoon, offer_id: blackmoon.decline_offer(offer_id),
    CANCEL: lambda blackmoon, offer_id: blackmoon.cancel_offer(offer_id),
}
_CALLS: Mapping[str, Callable[[Context, Asker, Offer], Happening]] = {
    CREATE: _create,
    **{command: _answered(command) for command in _METHODS},
}


# --- time -----------------------------------------------------------------------------------------


def due(store: Store, now: datetime) -> Iterator[Stored[Offer]]:
    """The offers of all partners, sandboxes left out, at which something is due by ``now``."""
    return store.each(OFFER, ANYONE, "due", until=now, newest_first=False)


def tick_message(offer: Offer) -> Message:
    """Has a worker look at an offer whose time has come."""
    return _message("tick", offer.partner, offer.id)


def any_there(store: Store, partner_id: str) -> bool:
    """Whether a partner has ever offered a loan."""
    return bool(store.page(OFFER, partner_id, limit=1).items)


def waiting(ctx: Context, statuses: Sequence[str] = OPEN) -> list[Offer]:
    """The partner's offers of these statuses for which something is due by now."""
    groups = [{"status": status} for status in statuses]
    page = ctx.store.each(OFFER, ctx.partner.id, "status", group=groups, consistent=True)
    offers = [stored.value for stored in page]
    return [one for one in offers if one.wakes is not None and one.wakes <= ctx.now]


def tick(ctx: Context, statuses: Sequence[str] = OPEN) -> int:
    """Let time pass for the partner's offers of these statuses; how many it was time for."""
    found = waiting(ctx, statuses)
    for offer in found:
        happen(ctx, offer.id, Tick())
    return len(found)
