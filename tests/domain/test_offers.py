"""Offers: every state × everything that may happen, then whole lives in a few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from chalicelib.domain import offers
from chalicelib.domain.blackmoon import OFFER_STATUSES, Offer, Paid
from chalicelib.domain.errors import Refused
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
from chalicelib.domain.offers import MOST, Step, decide, opened

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 3, 2), date(2026, 3, 1)
MINUTE = timedelta(minutes=1)
AMOUNT = Decimal("1000.00")
BID = Bid(True, "8", Decimal("99.17"), Decimal("0.15"), AMOUNT, AMOUNT, "24", "2026-03-02T09:00:01")
PAID = Paid("t1", TODAY, AMOUNT)

BASE = Offer("o", "l", partner="p", amount=AMOUNT)
ASKED = replace(BASE, asked="create")
CALLED = replace(ASKED, calling=True, tries=1, asked_at=AT)
THERE = replace(
    BASE, status="offered", offer_id="8", asked_at=AT, wakes=AT + 55 * MINUTE,
    bid_amount=AMOUNT, loan_amount=AMOUNT,
)  # fmt: skip
GONE = replace(THERE, wakes=None)

STATES: dict[str, Offer] = {
    "pending": ASKED,
    "calling": CALLED,
    "retrying": replace(CALLED, status="retrying", calling=False, wakes=AT + MINUTE),
    "lost": replace(CALLED, status="retrying", calling=False, lost=True, wakes=AT + 65 * MINUTE),
    "offered": THERE,
    "accepting": replace(THERE, asked="accept", calling=True, tries=1, wakes=None, paid=(PAID,),
                         transactions=("t1",)),
    "declining": replace(THERE, asked="decline", calling=True, tries=1, wakes=None),
    "refused": replace(BASE, status="refused", will_participate=False),
    "accepted": replace(GONE, status="accepted", accepted_on=YESTERDAY, ceded=True, price=AMOUNT),
    "sold": replace(GONE, status="accepted", accepted_on=YESTERDAY, ceded=True, priced=True,
                    price=AMOUNT, transactions=("t1",)),
    "cancelling": replace(GONE, status="accepted", asked="cancel", calling=True, tries=1,
                          ceded=True, price=AMOUNT),
    "declined": replace(GONE, status="declined"),
    "withdrawn": replace(BASE, status="declined", loan_cancelled=True),
    "cancelled": replace(GONE, status="cancelled"),
    "failed": replace(BASE, status="failed"),
}  # fmt: skip

LATE = AT + timedelta(days=1)


def trouble(command: str, remedy: str, code: str | None = None, lost: bool = False) -> Trouble:
    return Trouble(command, remedy, TODAY, code, lost)  # type: ignore[arg-type]


def moved(command: str, remedy: str = "success") -> Moved:
    code = {"success": None, "refusal": "101", "notice": "200"}[remedy]
    return Moved(command, TODAY, remedy, "later", code)  # type: ignore[arg-type]


#: What happens (at ``LATE`` if it is about the time), and the states in which that changes
#: something: the status afterwards, ``?x`` what is under way, ``>x`` the messages, ``!`` a call,
#: ``+x`` what was sold.  In every other state nothing at all changes, or it is refused (by hand).
TABLE: list[tuple[str, Happening, dict[str, str]]] = [
    ("begin to create", Begun("create"), {
        "pending": "pending ?create !", "calling": "retrying ?create",
        "retrying": "retrying ?create !"}),
    ("begin to accept", Begun("accept"), {"accepting": "offered ?accept !"}),
    ("begin to decline", Begun("decline"), {"declining": "offered ?decline !"}),
    ("begin to cancel", Begun("cancel"), {"cancelling": "accepted ?cancel !"}),
    ("a bid", BID, {
        "pending": "offered", "calling": "offered", "retrying": "offered", "lost": "offered",
        "withdrawn": "declined ?decline >decline", "failed": "failed ?decline >decline"}),
    ("no participation", Bid(False), {
        "pending": "refused", "calling": "refused", "retrying": "refused", "lost": "refused"}),
    ("a bid for a part", replace(BID, bid_amount=Decimal("999.99")), {
        "pending": "offered ?decline >decline", "calling": "offered ?decline >decline",
        "retrying": "offered ?decline >decline", "lost": "offered ?decline >decline",
        "withdrawn": "declined ?decline >decline", "failed": "failed ?decline >decline"}),
    ("a bid for another loan",
     replace(BID, bid_amount=Decimal("100.00"), loan_amount=Decimal("100.00")), {
        "pending": "offered ?decline >decline >alarm",
        "calling": "offered ?decline >decline >alarm",
        "retrying": "offered ?decline >decline >alarm",
        "lost": "offered ?decline >decline >alarm",
        "withdrawn": "declined ?decline >decline", "failed": "failed ?decline >decline"}),
    ("fees in percent", replace(BID, servicing_fee=Decimal("15.25")), {
        "pending": "offered ?decline >decline >alarm",
        "calling": "offered ?decline >decline >alarm",
        "retrying": "offered ?decline >decline >alarm",
        "lost": "offered ?decline >decline >alarm",
        "withdrawn": "declined ?decline >decline", "failed": "failed ?decline >decline"}),
    ("accepted", moved("accept"), {"accepting": "accepted +direct"}),
    ("accepted, was declined", moved("accept", "refusal"), {"accepting": "declined >alarm"}),
    ("accepted, with a warning", moved("accept", "notice"), {
        "accepting": "accepted +direct >alarm"}),
    ("declined", moved("decline"), {"declining": "declined"}),
    ("declined, was accepted", moved("decline", "refusal"), {
        "declining": "accepted +direct >alarm"}),
    ("cancelled", moved("cancel"), {"cancelling": "cancelled +reverse"}),
    ("create: lost", trouble("create", "retry", lost=True), {
        "pending": "retrying ?create", "calling": "retrying ?create",
        "retrying": "retrying ?create"}),
    ("create: 10", trouble("create", "retry", "10"), {
        "pending": "retrying ?create", "calling": "retrying ?create",
        "retrying": "retrying ?create"}),
    ("create: 101", trouble("create", "few_retries", "101"), {
        "pending": "retrying ?create", "calling": "retrying ?create",
        "retrying": "retrying ?create"}),
    ("create: 3", trouble("create", "person", "3"), {
        "pending": "retrying ?create >alarm", "calling": "retrying ?create >alarm",
        "retrying": "retrying ?create >alarm"}),
    ("create: 1", trouble("create", "permanent", "1"), {
        "pending": "failed >alarm", "calling": "failed >alarm", "retrying": "failed >alarm"}),
    ("create: 102", trouble("create", "compare", "102"), {
        "pending": "failed >alarm", "calling": "failed >alarm", "retrying": "failed >alarm"}),
    ("create: 103", trouble("create", "compare", "103"), {
        "pending": "retrying ?create", "calling": "retrying ?create",
        "retrying": "retrying ?create"}),
    ("accept: 10", trouble("accept", "retry", "10"), {"accepting": "offered ?accept"}),
    ("accept: lost", trouble("accept", "retry", lost=True), {"accepting": "offered ?accept"}),
    ("accept: 9", trouble("accept", "permanent", "9"), {"accepting": "failed >alarm"}),
    ("accept: 110", trouble("accept", "compare", "110"), {"accepting": "failed >alarm"}),
    ("decline: 10", trouble("decline", "retry", "10"), {"declining": "offered ?decline"}),
    ("decline: 9", trouble("decline", "permanent", "9"), {"declining": "failed >alarm"}),
    ("decline: 120", trouble("decline", "compare", "120"), {"declining": "failed >alarm"}),
    ("cancel: 10", trouble("cancel", "retry", "10"), {"cancelling": "accepted ?cancel"}),
    ("cancel: 9", trouble("cancel", "permanent", "9"), {"cancelling": "accepted >alarm"}),
    ("cancel: 170", trouble("cancel", "compare", "170"), {"cancelling": "accepted >alarm"}),
    ("disbursed", Disbursed("t2", TODAY, AMOUNT), {
        "pending": "pending ?create", "calling": "pending ?create", "retrying": "retrying ?create",
        "lost": "retrying ?create", "offered": "offered ?accept >accept",
        "accepting": "offered ?accept", "declining": "offered ?decline",
        "refused": "refused", "accepted": "accepted +direct", "sold": "accepted +topup",
        "cancelling": "accepted ?cancel +direct", "declined": "declined",
        "withdrawn": "declined", "cancelled": "cancelled", "failed": "failed"}),
    ("disbursed, told twice", Disbursed("t1", TODAY, AMOUNT), {
        "pending": "pending ?create", "calling": "pending ?create", "retrying": "retrying ?create",
        "lost": "retrying ?create", "offered": "offered ?accept >accept",
        "declining": "offered ?decline", "refused": "refused", "accepted": "accepted +direct",
        "cancelling": "accepted ?cancel +direct", "declined": "declined",
        "withdrawn": "declined", "cancelled": "cancelled", "failed": "failed"}),
    ("loan cancelled", LoanCancelled(), {
        "pending": "declined", "calling": "declined", "retrying": "declined", "lost": "declined",
        "offered": "offered ?decline >decline", "accepting": "offered ?accept",
        "declining": "offered ?decline", "refused": "refused",
        "accepted": "accepted ?cancel >cancel", "sold": "accepted ?cancel >cancel",
        "cancelling": "accepted ?cancel", "declined": "declined", "cancelled": "cancelled",
        "failed": "failed"}),
    ("accept, by hand", ByHand("accept"), {"offered": "offered ?accept >accept"}),
    ("decline, by hand", ByHand("decline"), {"offered": "offered ?decline >decline"}),
    ("cancel, by hand", ByHand("cancel"), {
        "accepted": "accepted ?cancel >cancel", "sold": "accepted ?cancel >cancel"}),
    ("a day later", Tick(), {
        "retrying": "retrying ?create >create", "lost": "retrying ?create >create",
        "offered": "offered ?decline >decline"}),
]  # fmt: skip
CELLS = [(name, what, state) for name, what, _ in TABLE for state in STATES]
EXPECTED = {name: cells for name, _, cells in TABLE}


def told(step: Step) -> str:
    """A step in the table's words."""
    after = step.state
    words = [after.status, *([f"?{after.asked}"] if after.asked else [])]
    words += ["!"] if step.call else []
    words += [f"+{one.type}" for one in step.sold]
    words += [f">{message.body['do']}" for message in step.messages]
    return " ".join(words)


@pytest.mark.parametrize(
    ("name", "what", "state"), CELLS, ids=[f"{name} / {state}" for name, _, state in CELLS]
)
def test_every_state_and_everything_that_may_happen(name: str, what: Happening, state: str) -> None:
    before, expected = STATES[state], EXPECTED[name].get(state)
    at = LATE if isinstance(what, Tick) else AT + MINUTE
    if expected is None and isinstance(what, ByHand):
        with pytest.raises(Refused) as refusal:
            decide(before, what, at)
        assert refusal.value.code == "invalid_status"
        return
    step = decide(before, what, at)
    if expected is None:
        assert step == Step(before), "nothing changes, and nothing is said"
    else:
        assert told(step) == expected
    for message in step.messages:
        assert message.queue == "blackmoon" and message.body["offer"] == "o"
        assert message.body["partner"] == "p"


def test_the_table_is_complete() -> None:
    assert {type(what) for _, what, _ in TABLE} == set(offers._DECIDERS)
    assert {offer.status for offer in STATES.values()} == set(OFFER_STATUSES)
    assert all(set(cells) <= set(STATES) for _, _, cells in TABLE)


# --- whole lives ----------------------------------------------------------------------------------


class Life:
    """An offer, and what became of it."""

    def __init__(self, **more: object) -> None:
        self.step = opened(replace(BASE, **more))  # type: ignore[arg-type]
        self.at = AT
        self.sold: list[tuple[str, date, Decimal]] = []
        self.said: list[str] = [str(message.body["do"]) for message in self.step.messages]

    @property
    def offer(self) -> Offer:
        return self.step.state

    def then(self, *happenings: Happening, after: timedelta = timedelta(0)) -> Life:
        self.at += after
        for happening in happenings:
            self.step = decide(self.offer, happening, self.at)
            self.said += [str(message.body["do"]) for message in self.step.messages]
            self.sold += [(one.type, one.day, one.price) for one in self.step.sold]
        return self

    def asks(self, answer: Happening) -> Life:
        """Begins the call under way and gets its answer."""
        assert self.offer.asked is not None
        self.then(Begun(self.offer.asked))
        assert self.step.call
        return self.then(answer)


def test_created_disbursed_sold_and_topped_up() -> None:
    life = Life().asks(BID)
    assert life.offer.status == "offered" and life.offer.updated_datetime == BID.updated_datetime
    life.then(Disbursed("t1", TODAY, Decimal("600.00")), after=30 * MINUTE).asks(moved("accept"))
    assert (life.offer.status, life.offer.updated_datetime) == ("accepted", "later")
    life.then(Disbursed("t2", TODAY + timedelta(days=3), Decimal("400.00")))
    assert life.sold == [
        ("direct", TODAY, Decimal("600.00")),
        ("topup", TODAY + timedelta(days=3), Decimal("400.00")),
    ]
    assert life.said == ["create", "accept"]


def test_fifty_five_minutes_and_not_a_second_earlier() -> None:
    life = Life().asks(BID)
    assert life.offer.wakes == AT + 55 * MINUTE
    life.then(Tick(), after=55 * MINUTE - timedelta(seconds=1))
    assert life.offer.asked is None
    life.then(Tick(), after=timedelta(seconds=1)).asks(moved("decline"))
    assert (life.offer.status, life.offer.reason) == ("declined", "not_accepted_in_time")


def test_the_minutes_count_from_the_request_not_from_the_answer() -> None:
    life = Life().then(Begun("create"))
    life.then(BID, after=10 * MINUTE)
    assert life.offer.wakes == AT + 55 * MINUTE


def test_disbursed_before_the_answer_is_accepted_at_once() -> None:
    life = Life().then(Begun("create"), Disbursed("t1", TODAY, AMOUNT), BID)
    assert life.offer.asked == "accept"


@pytest.mark.parametrize(
    ("bid", "reason"),
    [
        (replace(BID, bid_amount=Decimal("999.99")), "bid_below_loan_amount"),
        (replace(BID, loan_amount=Decimal("10.00")), "loan_amount_differs"),
    ],
)
def test_what_we_do_not_sell(bid: Bid, reason: str) -> None:
    life = Life().asks(bid).then(Disbursed("t1", TODAY, AMOUNT)).asks(moved("decline"))
    assert (life.offer.status, life.offer.reason) == ("declined", reason)
    assert life.offer.bid_amount == bid.bid_amount and life.sold == []


def test_a_lost_answer_waits_for_the_hour_and_is_asked_for_once_more() -> None:
    life = Life().asks(trouble("create", "retry", lost=True))
    assert life.offer.status == "retrying" and life.said == ["create"]
    life.then(Tick(), after=60 * MINUTE)
    assert life.said == ["create"], "their hour began a little later than ours"
    life.then(Tick(), after=5 * MINUTE)
    assert life.said == ["create", "create"]
    life.asks(BID)
    assert life.offer.status == "offered" and life.offer.wakes == AT + (65 + 55) * MINUTE


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (trouble("create", "compare", "102"), "resolved_without_us"),
        (trouble("create", "compare", "103"), "answer_lost"),
        (trouble("create", "retry", lost=True), "answer_lost"),
    ],
)
def test_once_more_and_no_oftener(answer: Trouble, reason: str) -> None:
    life = Life().asks(trouble("create", "retry", lost=True)).then(Tick(), after=66 * MINUTE)
    life.asks(answer)
    assert (life.offer.status, life.offer.reason) == ("failed", reason)
    assert life.said[-1] == "alarm"
    life.then(Tick(), Disbursed("t1", TODAY, AMOUNT), after=timedelta(days=1))
    assert life.offer.status == "failed" and life.sold == [], "the loan stays ours"


def test_a_loan_disbursed_by_then_is_not_offered_again() -> None:
    life = Life().asks(trouble("create", "retry", lost=True))
    life.then(Disbursed("t1", TODAY, AMOUNT)).then(Tick(), after=66 * MINUTE)
    assert (life.offer.status, life.offer.reason) == ("failed", "disbursed_before_answer")
    assert life.said == ["create", "alarm"]


def test_a_worker_that_died_at_the_call_leaves_a_lost_answer() -> None:
    life = Life().then(Begun("create")).then(Begun("create"))
    assert life.offer.lost and not life.step.call
    life.then(BID)
    assert life.offer.status == "offered", "unless it was alive after all"


def test_a_cancelled_loan_whose_bid_comes_late_is_given_back() -> None:
    life = Life().then(Begun("create"), LoanCancelled(), BID)
    assert (life.offer.status, life.offer.asked) == ("declined", "decline")
    life.asks(moved("decline"))
    assert (life.offer.status, life.offer.reason) == ("declined", "loan_cancelled")


def test_a_loan_cancelled_while_it_is_accepted_is_cancelled_there() -> None:
    life = Life().asks(BID).then(ByHand("accept"), Begun("accept"), LoanCancelled())
    life.then(moved("accept"))
    assert (life.offer.status, life.offer.asked) == ("accepted", "cancel")
    life.asks(moved("cancel"))
    assert life.offer.status == "cancelled"


def test_accepted_by_hand_is_sold_for_the_bid_and_then_for_what_is_paid_out() -> None:
    life = Life().asks(BID).then(ByHand("accept")).asks(moved("accept"))
    assert life.sold == [("direct", TODAY, AMOUNT)]
    later = TODAY + timedelta(days=2)
    life.then(Disbursed("t1", later, Decimal("700.00")))
    assert life.sold[1:] == [("direct", TODAY, Decimal("700.00"))] and life.step.sold[0].again
    life.then(Disbursed("t2", later, Decimal("50.00")))
    assert life.sold[2:] == [("topup", later, Decimal("50.00"))]
    life.then(ByHand("cancel")).asks(moved("cancel"))
    assert life.sold[3:] == [("reverse", TODAY, Decimal("750.00"))], "for what it was sold"


def test_a_loan_that_was_sold_back_is_ours_whatever_is_paid_out_or_cancelled() -> None:
    life = Life().asks(BID).then(Disbursed("t1", TODAY, AMOUNT)).asks(moved("accept"))
    life.step = Step(offers.sold_back(life.offer))
    life.then(Disbursed("t2", TODAY, Decimal("50.00")), ByHand("cancel")).asks(moved("cancel"))
    assert life.sold == [("direct", TODAY, AMOUNT)] and life.offer.paid == ()


@pytest.mark.parametrize("reason", ["loan_cancelled", "disbursement_returned"])
def test_what_was_never_lent_goes_back_for_its_price(reason: str) -> None:
    life = Life().asks(BID).then(ByHand("accept")).asks(moved("accept"))
    life.then(LoanCancelled(reason)).asks(moved("cancel"))
    assert (life.offer.status, life.offer.reason) == ("cancelled", reason)
    assert [kind for kind, _, _ in life.sold] == ["direct", "reverse"]
    life.then(Disbursed("t9", TODAY, AMOUNT))
    assert len(life.sold) == 2, "paid out once more, it stays ours"


@pytest.mark.parametrize(
    ("remedy", "code", "tries"), [("retry", "10", MOST), ("few_retries", "101", 3)]
)
@pytest.mark.parametrize("clocked", [True, False])
def test_tries_are_bounded(remedy: str, code: str, tries: int, clocked: bool) -> None:
    life, calls = Life(clocked=clocked), 0
    while life.offer.status != "failed":
        life.asks(trouble("create", remedy, code))
        calls += 1
        if not clocked and life.offer.wakes is not None:
            life.then(Tick(), after=life.offer.wakes - life.at)
    assert calls == tries and life.offer.error_code == code
    assert (life.offer.reason, life.said[-1]) == ("tries_exhausted", "alarm")
    assert life.at - AT < offers.ANSWER_WITHIN
    assert (life.at == AT) is clocked, "a sandbox does not wait"


def test_a_sandboxs_offers_are_not_the_sweepers() -> None:
    assert Life(clocked=True).asks(BID).offer.swept is None
    assert Life().asks(BID).offer.swept == AT + 55 * MINUTE


def test_a_decline_that_cannot_be_told_is_told_by_the_end_of_the_hour() -> None:
    life = Life(clocked=True).asks(BID).then(ByHand("decline"))
    for _ in range(MOST):
        life.asks(trouble("decline", "retry", "10"))
    assert life.offer.status == "offered" and life.offer.wakes == AT + 65 * MINUTE
    life.then(Tick(), after=66 * MINUTE)
    assert (life.offer.status, life.offer.reason) == ("declined", "by_hand")
    assert "alarm" not in life.said


#: An earlier call's answer was lost; now the status is a "bad" one: command, code, minutes, status
COMPARED = [
    ("accept", "110", True, 5, "accepted"),
    ("accept", "110", True, 61, "failed"),
    ("accept", "110", False, 5, "failed"),
    ("decline", "120", True, 5, "declined"),
    ("decline", "120", False, 61, "declined"),
    ("decline", "120", False, 5, "failed"),
    ("cancel", "170", True, 500, "cancelled"),
    ("cancel", "170", False, 500, "accepted"),
]


@pytest.mark.parametrize(("command", "code", "earlier", "minutes", "status"), COMPARED)
def test_compared_with_what_was_intended(
    command: str, code: str, earlier: bool, minutes: int, status: str
) -> None:
    life = Life().asks(BID)
    if command == "cancel":
        life.then(ByHand("accept")).asks(moved("accept"))
    life.then(ByHand(command))
    if earlier:
        life.asks(trouble(command, "retry", lost=True)).then(Tick(), after=MINUTE)
    life.at = AT + minutes * MINUTE
    life.asks(trouble(command, "compare", code))
    assert life.offer.status == status and life.offer.asked is None
    intended = {"accept": "accepted", "decline": "declined", "cancel": "cancelled"}[command]
    assert ("alarm" in life.said) is (status != intended)


def test_refused_is_final() -> None:
    life = Life().asks(Bid(False)).then(Disbursed("t1", TODAY, AMOUNT), BID, LoanCancelled())
    assert life.offer.status == "refused" and life.said == ["create"]


@pytest.mark.parametrize(("servicing", "origination", "flaw"), [
    ("0", "0", None), ("1", "1000.00", None), ("1.01", "0", "fees_out_of_range"),
    ("-0.01", "0", "fees_out_of_range"), ("0", "1000.01", "fees_out_of_range"),
    ("0", "-1", "fees_out_of_range"),
])  # fmt: skip
def test_which_fees_can_be_meant(servicing: str, origination: str, flaw: str | None) -> None:
    bid = replace(BID, servicing_fee=Decimal(servicing), origination_fee=Decimal(origination))
    assert bid.misread(AMOUNT) == flaw
