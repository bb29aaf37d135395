"""Offers: a loan is offered as it is created, sold as it is disbursed (partner API, Blackmoon).

``decide(offer, happening, at)`` is the whole machine.  Calls are asked for by messages; each is
announced (:class:`Begun`) before it is made, so that a worker that dies leaves word of it.
There is no way to ask for an offer: if the answer to its creation was lost, its hour is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.domain.blackmoon import DIRECT, OFFER_STATUSES, REVERSE, TOPUP, Offer, Paid
from chalicelib.domain.blackmoon_answers import FEW
from chalicelib.domain.decision import Decision, Message
from chalicelib.domain.errors import Refused
from chalicelib.domain.machine import Machine
from chalicelib.domain.offer_happenings import (
    Begun,
    Bid,
    ByHand,
    Disbursed,
    Happening,
    LoanCancelled,
    Moved,
    Tick,
    Trouble,
)

QUEUE = "blackmoon"
CREATE, ACCEPT, DECLINE, CANCEL = "create", "accept", "decline", "cancel"

PENDING, RETRYING, OFFERED, REFUSED, ACCEPTED, DECLINED, CANCELLED, FAILED = OFFER_STATUSES

OFFER = Machine(
    noun="offer",
    states=OFFER_STATUSES,
    initial=PENDING,
    moves={
        "bid": {PENDING: OFFERED, RETRYING: OFFERED},
        "refuse": {PENDING: REFUSED, RETRYING: REFUSED},
        "retry": {PENDING: RETRYING, RETRYING: RETRYING},
        ACCEPT: {OFFERED: ACCEPTED},
        DECLINE: {PENDING: DECLINED, RETRYING: DECLINED, OFFERED: DECLINED},
        CANCEL: {ACCEPTED: CANCELLED},
        "fail": {PENDING: FAILED, RETRYING: FAILED, OFFERED: FAILED},
    },
)

BY_HAND: Mapping[str, str] = {ACCEPT: OFFERED, DECLINE: OFFERED, CANCEL: ACCEPTED}
"""What a partner may say, and to an offer of which status."""

ANSWER_WITHIN = timedelta(minutes=55)
HOUR = timedelta(hours=1)
HOUR_IS_OVER = timedelta(minutes=65)
"""Their hour begins a little after our request: it is certainly over then."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))
MOST = len(PAUSES) + 1
"""Tries of one call; then the offer has failed, or its hour settles it."""


# --- what comes of it -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sold:
    """A cession to be recorded: ``direct`` for the first disbursement, ``topup`` for others,
    ``reverse`` for an accepted offer that was cancelled.

    ``again``: the direct one is there, with what was bid; this is what was paid out.
    """

    type: str
    day: date
    price: Decimal
    again: bool = False


@dataclass(frozen=True, slots=True)
class Step(Decision[Offer]):
    """The offer afterwards, what is to be asked, what was sold, and whether to call right now."""

    sold: tuple[Sold, ...] = ()
    call: bool = False


def opened(offer: Offer) -> Step:
    """A new offer: it is asked for."""
    return _ask(offer, CREATE)


def decide(offer: Offer, happening: Happening, at: datetime) -> Step:
    """The offer after ``happening`` at the partner's instant ``at``.

    What comes twice or too late changes nothing.  Raises ``invalid_status`` for a :class:`ByHand`
    that is not possible.
    """
    return _DECIDERS[type(happening)](offer, happening, at)


def _ask(offer: Offer, command: str, reason: str | None = None) -> Step:
    """``command`` is to be called; its tries count anew."""
    after = replace(
        offer,
        asked=command,
        tries=0,
        calling=False,
        wakes=None,
        reason=reason or offer.reason,
    )
    return Step(after, (_message(offer, command),))


def _message(offer: Offer, command: str) -> Message:
    return Message(QUEUE, {"do": command, "partner": offer.partner, "offer": offer.id})


def _alarm(offer: Offer, why: str) -> Message:
    body = {"do": "alarm", "partner": offer.partner, "offer": offer.id, "why": why}
    return Message(QUEUE, body)


def _settled(offer: Offer, move: str, reason: str | None = None, **more: Any) -> Offer:
    """The offer in its next status, nothing under way; one that is settled already stays so."""
    status = OFFER.moves[move].get(offer.status, offer.status)
    return replace(
        offer,
        status=status,
        asked=None,
        calling=False,
        lost=False,
        wakes=None,
        reason=reason or offer.reason,
        **more,
    )


def _failed(offer: Offer, reason: str) -> Step:
    """It comes to nothing, the loan stays ours, and a person should know."""
    return Step(_settled(offer, "fail", reason), (_alarm(offer, reason),))


def sold_back(offer: Offer) -> Offer:
    """The investor has given the loan back: it is ours, and what is paid out from now on too."""
    return replace(offer, returned=True)


# --- calls ----------------------------------------------------------------------------------------


def _begun(offer: Offer, said: Begun, at: datetime) -> Step:
    if offer.asked != said.command:
        return Step(offer)
    if said.command != CREATE:
        return Step(replace(offer, tries=offer.tries + 1, calling=True, wakes=None), call=True)
    if offer.lost:
        return Step(offer)
    if offer.calling:  # another worker was at it: whatever was answered, nobody has written it down
        return _lost(offer, at)
    after = replace(offer, tries=offer.tries + 1, calling=True, wakes=None, asked_at=at)
    return Step(after, call=True)


def _bid(offer: Offer, said: Bid, at: datetime) -> Step:
    if offer.offer_id is not None or offer.status == REFUSED:
        return Step(offer)
    known = replace(
        offer,
        will_participate=said.will_participate,
        offer_id=said.offer_id,
        origination_fee=said.origination_fee,
        servicing_fee=said.servicing_fee,
        bid_amount=said.bid_amount,
        loan_amount=said.loan_amount,
        investor_legal_entity_id=said.investor_legal_entity_id,
        updated_datetime=said.updated_datetime,
        warning_code=said.warning_code,
        error_code=None,
    )
    if not OFFER.can(offer.status, "bid"):  # given up meanwhile: let them have it back
        return _ask(known, DECLINE) if said.will_participate else Step(offer)
    if not said.will_participate:
        return Step(_settled(known, "refuse"))
    there = _settled(known, "bid")
    assert said.bid_amount is not None and said.loan_amount is not None
    if misread := said.misread(offer.amount):
        return _with_alarm(_ask(there, DECLINE, misread), misread)
    if said.bid_amount < said.loan_amount:
        return _ask(there, DECLINE, "bid_below_loan_amount")
    if offer.paid:
        return _ask(there, ACCEPT)
    return Step(replace(there, wakes=(offer.asked_at or at) + ANSWER_WITHIN))


def _with_alarm(step: Step, why: str) -> Step:
    return replace(step, messages=(*step.messages, _alarm(step.state, why)))


def _moved(offer: Offer, said: Moved, at: datetime) -> Step:
    if offer.asked != said.command:
        return Step(offer)
    known = replace(
        offer,
        updated_datetime=said.updated_datetime or offer.updated_datetime,
        warning_code=said.warning_code,
        error_code=None,
    )
    step = _done(known, said, said.remedy == "refusal")
    return _with_alarm(step, "warning") if said.remedy == "notice" else step


def _done(offer: Offer, said: Moved | Trouble, contrary: bool) -> Step:
    """Done, or found to be done; ``contrary`` says that the contrary had been done before."""
    if said.command == CANCEL:
        held = offer.ceded and not offer.returned
        back = (Sold(REVERSE, said.day, offer.price),) if held else ()
        return Step(_settled(offer, CANCEL), sold=back)
    if (said.command == ACCEPT) == contrary:  # declined after all
        step = Step(_settled(offer, DECLINE, "declined_before" if contrary else None))
    else:
        step = _accepted(offer, said.day)
    return _with_alarm(step, "contrary_done_before") if contrary else step


def _accepted(offer: Offer, day: date) -> Step:
    """Sold as of the day of the acceptance: for what was paid out or, before that, what was bid."""
    step = _ceded(_settled(offer, ACCEPT, accepted_on=day))
    known = step.state
    if not known.ceded and known.bid_amount is not None:
        bid = Sold(DIRECT, day, known.bid_amount)
        step = Step(replace(known, ceded=True, price=bid.price), sold=(bid,))
    if not offer.loan_cancelled:
        return step
    again = _ask(step.state, CANCEL)
    return replace(again, sold=step.sold)


def _ceded(offer: Offer) -> Step:
    """What was paid out becomes cessions; the first of them is the direct one's price."""
    sold: list[Sold] = []
    price = offer.price if offer.priced else Decimal(0)
    for paid in offer.paid:
        if offer.priced or sold:
            sold.append(Sold(TOPUP, paid.day, paid.amount))
        else:
            day = offer.accepted_on or paid.day
            sold.append(Sold(DIRECT, day, paid.amount, again=offer.ceded))
        price += paid.amount
    if not sold:
        return Step(offer)
    return Step(replace(offer, paid=(), ceded=True, priced=True, price=price), sold=tuple(sold))


# --- troubles -------------------------------------------------------------------------------------


def _trouble(offer: Offer, said: Trouble, at: datetime) -> Step:
    if offer.asked != said.command or offer.lost:
        return Step(offer)
    known = replace(offer, calling=False, error_code=said.code or offer.error_code)
    if said.lost and said.command == CREATE:
        return _lost(known, at)
    if said.remedy == "compare":
        return _compared(known, said, at)
    if said.remedy == "permanent":
        return _given_up(known, said.command, "error")
    most = FEW if said.remedy == "few_retries" else MOST
    if offer.tries >= most:
        return _exhausted(known, said.command)
    step = _again(known, said.command, at)
    return _with_alarm(step, "person") if said.remedy == "person" else step


def _again(offer: Offer, command: str, at: datetime) -> Step:
    """The same call, later; in the sandbox at once."""
    status = OFFER.move(offer.status, "retry") if command == CREATE else offer.status
    if offer.clocked:
        return Step(replace(offer, status=status), (_message(offer, command),))
    pause = PAUSES[min(offer.tries, len(PAUSES)) - 1]
    return Step(replace(offer, status=status, wakes=at + pause))


def _exhausted(offer: Offer, command: str) -> Step:
    if command == DECLINE and offer.asked_at is not None:  # the end of its hour declines it
        return Step(replace(offer, wakes=offer.asked_at + HOUR_IS_OVER))
    return _given_up(offer, command, "tries_exhausted")


def _given_up(offer: Offer, command: str, reason: str) -> Step:
    """A person has to look; an offer that could not be cancelled is still accepted."""
    if command != CANCEL:
        return _failed(offer, reason)
    after = replace(offer, asked=None, calling=False, wakes=None, reason="not_cancelled")
    return Step(after, (_alarm(offer, "not_cancelled"),))


def _compared(offer: Offer, said: Trouble, at: datetime) -> Step:
    """Perhaps done already: by an earlier call of ours, or by the end of the hour."""
    begun = offer.asked_at
    earlier, in_time = offer.tries > 1, begun is None or at < begun + HOUR
    if (said.command, said.code) == (CREATE, "103"):
        return _lost(offer, at)
    if (said.command, said.code) == (CREATE, "102"):
        return _failed(offer, "resolved_without_us")
    done = {
        (ACCEPT, "110"): earlier and in_time,
        (DECLINE, "120"): earlier or not in_time,
        (CANCEL, "170"): earlier,
    }
    if done.get((said.command, said.code or ""), False):
        return _done(offer, said, contrary=False)
    return _given_up(offer, said.command, "bad_offer_status")


def _lost(offer: Offer, at: datetime) -> Step:
    """There may be an offer that we do not know: wait until its hour is over, try once more."""
    if offer.attempt > 1:
        return _failed(offer, "answer_lost")
    until = (offer.asked_at or at) + HOUR_IS_OVER
    status = OFFER.move(offer.status, "retry")
    return Step(replace(offer, status=status, calling=False, lost=True, wakes=until))


# --- the loan, the partner, the time --------------------------------------------------------------


def _disbursed(offer: Offer, said: Disbursed, at: datetime) -> Step:
    if said.transaction in offer.transactions:
        return Step(offer)
    known = replace(
        offer,
        transactions=(*offer.transactions, said.transaction),
        paid=(*offer.paid, Paid(said.transaction, said.day, said.amount)),
    )
    if offer.returned:  # sold back: what is paid out since is ours
        return Step(replace(known, paid=()))
    if offer.status == ACCEPTED:
        return _ceded(known)
    if offer.status == OFFERED and offer.asked is None:
        return _ask(known, ACCEPT)
    return Step(known)


def _loan_cancelled(offer: Offer, said: LoanCancelled, at: datetime) -> Step:
    known = replace(offer, loan_cancelled=True)
    if offer.loan_cancelled:
        return Step(offer)
    if offer.status in (PENDING, RETRYING):
        return Step(_settled(known, DECLINE, said.reason))
    if offer.status == OFFERED and offer.asked is None:
        return _ask(known, DECLINE, said.reason)
    if offer.status == ACCEPTED and offer.asked is None:
        return _ask(known, CANCEL, said.reason)
    return Step(known)


def _by_hand(offer: Offer, said: ByHand, at: datetime) -> Step:
    wanted = BY_HAND[said.command]
    if offer.status != wanted:
        message = f"{said.command} is possible while the offer is {wanted}; it is {offer.status}."
        raise Refused("invalid_status", message, {"status": offer.status})
    if offer.asked is not None:
        message = f"{offer.asked} is under way."
        raise Refused("invalid_status", message, {"status": offer.status, "asked": offer.asked})
    return _ask(offer, said.command, None if said.command == ACCEPT else "by_hand")


def _tick(offer: Offer, said: Tick, at: datetime) -> Step:
    if offer.wakes is None or at < offer.wakes:
        return Step(offer)
    if offer.lost:
        return _once_more(offer)
    if offer.asked is None:
        due = offer.status == OFFERED
        return _ask(offer, DECLINE, "not_accepted_in_time") if due else Step(offer)
    if offer.asked == DECLINE and offer.tries >= MOST:  # they have declined it by themselves
        return Step(_settled(offer, DECLINE))
    return Step(replace(offer, wakes=None), (_message(offer, offer.asked),))


def _once_more(offer: Offer) -> Step:
    if offer.paid:  # it is disbursed and ours
        return _failed(offer, "disbursed_before_answer")
    return _ask(replace(offer, attempt=2, lost=False), CREATE)


_DECIDERS: Mapping[type, Callable[[Offer, Any, datetime], Step]] = {
    Begun: _begun,
    Bid: _bid,
    Moved: _moved,
    Trouble: _trouble,
    Disbursed: _disbursed,
    LoanCancelled: _loan_cancelled,
    ByHand: _by_hand,
    Tick: _tick,
}
