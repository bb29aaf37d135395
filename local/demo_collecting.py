"""The demo's months: what falls due, who pays, what banks do, day by day where something happens.

Two loans are collected by direct debit and need nobody; the third is paid by hand.  What goes wrong
is brought about as a partner would in the provider's sandbox: by its scenario simulators.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from local.demo_record import DAY, Row, Split
from local.demo_stage import Actor, Stage, StoryBroken, expect

#: Days after a row's due date: who missed it pays; a bank takes money back; it is paid again.
PAID_LATE, TAKEN_BACK, PAID_AGAIN = 11, 6, 7
#: How long before the last due date a loan is paid off early: nothing is on its way by then.
SETTLED_BEFORE = DAY * 13
#: Until the banks' word for a collection is there: a retry takes five days and a weekend.
MOST_DAYS = 12

Action = Callable[[Stage, Actor, Row], None]


def collects(stage: Stage) -> None:
    """Row after row until all loans are closed."""
    last = stage.quote.rows[-1]
    for row in stage.quote.rows:
        if row is last:
            _settles(stage, row)
        stage.passes_to(row.due)
        for actor in _open(stage):
            _falls_due(stage, actor, row)
        _days_after(stage, row)
    for actor in stage.actors:
        expect(actor.status, "closed", f"{actor.title}: at the end the loan")


def _open(stage: Stage) -> list[Actor]:
    return [actor for actor in stage.actors if actor.status != "closed"]


def _falls_due(stage: Stage, actor: Actor, row: Row) -> None:
    if actor.fails == row.number:
        _bank_refuses(stage, actor)
    elif actor.misses == row.number:
        stage.narrator.say(f"{stage.today}  {actor.title}: nobody pays")
    elif not actor.collected:
        pays(stage, actor)


def _days_after(stage: Stage, row: Row) -> None:
    """The days on which something is to come, and each day until the banks' word is there."""
    agenda = _agenda(stage, row)
    for number in range(1, MOST_DAYS + 1):
        ahead = [day for day in agenda if day >= number]
        waiting = _waiting(stage)
        if not ahead and not waiting:
            return
        if number not in agenda and not waiting:
            continue
        day = row.due + DAY * number
        if row is stage.quote.rows[-1]:
            stage.narrator.steps((day - stage.today).days)
        stage.passes_to(day)
        for actor, action in agenda.get(number, ()):
            action(stage, actor, row)
    raise StoryBroken(f"{MOST_DAYS} days after {row.due} collections are still under way")


def _agenda(stage: Stage, row: Row) -> dict[int, list[tuple[Actor, Action]]]:
    found: dict[int, list[tuple[Actor, Action]]] = {}
    for actor in stage.actors:
        if actor.misses == row.number:
            tolerance = stage.client.loans.read(actor.loan).arrears_tolerance
            days = {1: _is_late, tolerance + 1: _is_late, PAID_LATE: _pays_late}
            for number, action in days.items():
                found.setdefault(number, []).append((actor, action))
        if actor.disputes == row.number:
            found.setdefault(TAKEN_BACK, []).append((actor, _bank_takes_back))
            found.setdefault(PAID_AGAIN, []).append((actor, _pays_again))
    return found


def _waiting(stage: Stage) -> bool:
    return any(
        actor.collected and stage.collection(actor).status == "pending" for actor in _open(stage)
    )


def pays(stage: Stage, actor: Actor, amount: Decimal | None = None) -> None:
    """By hand, what the loan says is to be paid next."""
    if amount is None:
        amount = stage.client.loans.read(actor.loan).next_repayment_amount
    if amount is None or amount <= 0:
        raise StoryBroken(f"{actor.title}: nothing to pay on {stage.today}")
    paid = Split.read(stage.transacts(actor, "repayment", amount))
    stage.narrator.say(
        f"{stage.today}  {actor.title}: paid {amount} by hand "
        f"(principal {paid.principal}, interest {paid.interest}, fee {paid.fee})"
    )
    stage.look(actor)


def _is_late(stage: Stage, actor: Actor, row: Row) -> None:
    """Late from the next day on, and in arrears once the tolerance is over."""
    expect(actor.status in ("late", "arrears"), True, f"{actor.title}: {actor.status}, late")


def _pays_late(stage: Stage, actor: Actor, row: Row) -> None:
    expect(actor.status, "arrears", f"the loan {stage.today - row.due} after")
    pays(stage, actor)
    expect(actor.status, "active", "the loan after its late payment")


def _bank_refuses(stage: Stage, actor: Actor) -> None:
    """There is not enough on the account; the platform asks for another attempt by itself."""
    made = stage.collection(actor)
    expect(made.status, "pending", f"{actor.title}: the collection")
    stage.provider.runs("payment_failed", str(made.provider_transaction_id))
    stage.narrator.say(f"{stage.today}  {actor.title}: the bank refuses {made.amount}")
    stage.settles()
    again = stage.collection(actor)
    expect((again.id, again.status), (made.id, "pending"), f"{actor.title}: the second attempt")


def _bank_takes_back(stage: Stage, actor: Actor, row: Row) -> None:
    """The borrower disputes a collection that had gone well."""
    made = stage.collection(actor)
    expect(made.status, "applied", f"{actor.title}: the collection")
    stage.provider.runs("payment_charged_back", str(made.provider_transaction_id))
    stage.narrator.say(f"{stage.today}  {actor.title}: the bank takes {made.amount} back")
    stage.settles()
    expect(actor.status, "late", f"{actor.title}: the loan after the chargeback")


def _pays_again(stage: Stage, actor: Actor, row: Row) -> None:
    """Nothing is collected by itself after a chargeback: the borrower pays by card."""
    pays(stage, actor)
    expect(actor.status, "active", f"{actor.title}: the loan after it was paid again")


def _settles(stage: Stage, last: Row) -> None:
    """Pays off all that is left, ahead of the last row."""
    settling = [actor for actor in stage.actors if actor.settles]
    if not settling:
        return
    stage.passes_to(last.due - SETTLED_BEFORE)
    for actor in settling:
        payoff = stage.client.loans.payoff(actor.loan)
        actor.payoff = payoff.total
        stage.narrator.say(f"{stage.today}  {actor.title}: {payoff.total} settles the loan")
        pays(stage, actor, payoff.total)
        expect(actor.status, "closed", f"{actor.title}: the loan that is paid off")
