"""UK bank details: how they are written, and the sandbox's only account that works.

200000 / 55779911 is the one that GoCardless gives out for trying things.  Others are refused here,
so that nobody's own details end up in a simulator.
"""

from __future__ import annotations

import re

from local.gocardless.checks import Fields
from local.gocardless.errors import Json

SORT_CODE = "200000"
NUMBER = "55779911"
IBAN = "GB60BARC20000055779911"
BANK = "BARCLAYS BANK PLC"
LONGEST_HOLDER = 18
#: What a bank's records can hold.
HOLDER = r"[A-Za-z0-9 /.&'+()-]+"


def details(fields: Fields) -> Json:
    """The account that the fields name, as its resource shows it, and ``number`` beside it."""
    holder = fields.text("account_holder_name", required=True, most=200)
    if holder is not None and not re.fullmatch(HOLDER, holder):
        fields.wrong("account_holder_name", "contains characters that banks do not take")
    country = fields.text("country_code") or "GB"
    if country != "GB" and not fields.has("iban"):
        fields.wrong("country_code", "must be GB for the bacs scheme")
    currency = fields.text("currency") or "GBP"
    if currency != "GBP":
        fields.wrong("currency", "must be GBP for the bacs scheme")
    if fields.has("iban"):
        sort_code, number = _of_iban(fields)
    else:
        sort_code = _digits(fields, "branch_code", 6, 6)
        number = _digits(fields, "account_number", 7, 8).zfill(8)
    if not fields.errors and (sort_code, number) != (SORT_CODE, NUMBER):
        fields.wrong("account_number", "did not pass the bank's checks")
    return {
        "account_holder_name": (holder or "")[:LONGEST_HOLDER].upper(),
        "account_number_ending": number[-2:],
        "bank_name": BANK,
        "country_code": "GB",
        "currency": "GBP",
        "enabled": True,
        "account_type": None,
    }


def _of_iban(fields: Fields) -> tuple[str, str]:
    iban = (fields.text("iban") or "").replace(" ", "").upper()
    if iban != IBAN:
        fields.wrong("iban", "is invalid")
    return SORT_CODE, NUMBER


def _digits(fields: Fields, name: str, least: int, most: int) -> str:
    text = fields.text(name, required=True) or ""
    digits = re.sub(r"[ -]", "", text)
    if text and not re.fullmatch(r"[0-9]+", digits):
        fields.wrong(name, "must be a number")
    elif text and not least <= len(digits) <= most:
        length = str(most) if least == most else f"{least} to {most}"
        fields.wrong(name, f"is the wrong length (should be {length} digits)")
    return digits
