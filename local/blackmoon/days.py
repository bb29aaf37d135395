"""The organisation's date and time go on, and what is due by then is done."""

from __future__ import annotations

from datetime import date, time

from local.blackmoon import offers, tokens
from local.blackmoon.organisation import Organisation
from local.simulating.control import Refusal

MIDNIGHT = "00:00"


def send(
    org: Organisation, to: date, at: str | None = None, reset: bool = False, renew: bool = False
) -> None:
    """It is this date and time (as the date begins, unless it is said).

    Backwards only while there is no offer, or with ``reset``; then, and with ``renew``, the tokens
    begin their fourteen days anew.  Raises ``clock_backwards``.
    """
    when = at or (org.head.time if to == org.today else MIDNIGHT)
    back = (to, time.fromisoformat(when)) < (org.today, time.fromisoformat(org.head.time))
    if back and org.records["offers"] and not reset:
        words = f"It is {org.today} {org.head.time} and goes forward only"
        raise Refusal(409, words, "clock_backwards")
    org.begin(to, when)
    if back or renew:
        tokens.renew(org)
    offers.lapse(org)
