"""The organisation's date goes on, and each date does what is due on it, in order."""

from __future__ import annotations

from datetime import date

from local.gocardless import mandates, outbound, payments, payouts, refunds
from local.gocardless.errors import invalid_state
from local.gocardless.organisation import Organisation

#: Mandates first: a payment goes to the banks on the day that its mandate is active.
ORDER = ("mandates", "payments", "refunds", "payouts", "outbound_payments")


def send(org: Organisation, to: date, reset: bool = False) -> None:
    """Sets the date: forward through every date that has something due, or, while there is no
    mandate (or with ``reset``), to any.

    Raises ``clock_backwards`` otherwise.
    """
    if to < org.today:
        if org.records["mandates"] and not reset:
            raise invalid_state("clock_backwards", f"The date is {org.today} and goes forward only")
        org.begin(to)
        return
    while org.dues and (day := min(org.dues.values())) <= to:
        org.begin(max(day, org.today))
        _run(org)
    org.begin(to)


def _run(org: Organisation) -> None:
    """What is due on the date; what becomes due on it meanwhile is done in the next round."""
    due = [place for place, day in org.dues.items() if day <= org.today]
    due.sort(key=lambda place: (ORDER.index(place[0]), org.records[place[0]][place[1]].number))
    paid_out: list[str] = []
    for kind, identity in due:
        record = org.get(kind, identity)
        if record.due is None or record.due > org.today:
            continue  # something before it in this round has moved it
        match kind:
            case "mandates":
                mandates.on_day(org, record)
            case "payments":
                if payments.on_day(org, record):
                    paid_out.append(identity)
            case "refunds":
                refunds.on_day(org, record)
            case "payouts":
                payouts.on_day(org, record)
            case _:
                outbound.on_day(org, record)
    if paid_out:
        payouts.pay(org, [org.get("payments", identity) for identity in paid_out])
