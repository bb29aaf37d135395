"""Whatever is sent, it is answered by the API's own errors and changes nothing."""

from __future__ import annotations

from copy import deepcopy

import pytest

from local.gocardless import api, happenings, outbound, payments, refunds
from local.gocardless.checks import MOST_PENCE
from local.gocardless.errors import ApiError
from tests.local.gocardless.support import active_mandate, organisation, payment_body

VALUES = (None, True, 0, -1, 1.5, MOST_PENCE, "", "x", "9" * 400, [], [{}], {}, {"x": {"y": []}})
MEMBERS = (
    "account_holder_name", "account_number", "actions", "amount", "branch_code", "charge_date",
    "country_code", "currency", "customer", "customer_billing_detail", "description", "email",
    "execution_date", "iban", "links", "mandate_request", "metadata", "prefilled_bank_account",
    "prefilled_customer", "redirect_uri", "reference", "retry_if_possible", "scheme",
    "total_amount_confirmation", "verify",
)  # fmt: skip


def test_garbage_is_answered_by_an_error_of_the_api() -> None:
    org = organisation()
    mandate = active_mandate(org)
    payment = payments.bring(org, payments.create(org, payment_body(mandate)), "paid_out")
    refunds.create(org, {"amount": 1, "links": {"payment": payment.id}})
    living = {kind: next(iter(records), "X") for kind, records in org.records.items()} | {
        "scenario_simulators": "payment_failed"
    }
    before = deepcopy(org.records)
    tried = refused = 0
    for text, _ in api._TABLE:
        method, _, path = text.partition(" ")
        kind = path.split("/")[1]
        path = path.replace("*", living.get(kind, "X"), 1).replace("*", "collect_bank_account")
        if method not in ("POST", "PUT"):
            continue
        for value in VALUES:
            for body in (value, {kind: value}, {"data": value}, *_with_a_member(kind, value)):
                call = api.Call(org, method, path, body=body, base_url="http://127.0.0.1:1")
                tried += 1
                try:
                    with org.changing():
                        api.answer(call)
                        raise _Undo
                except ApiError as error:
                    refused += 1
                    assert 400 <= error.status < 500
                    assert error.body("id")["error"]["errors"]
                except _Undo:
                    pass
    assert org.records == before
    assert tried > 10_000
    assert refused > tried * 0.8


class _Undo(Exception):
    """What was accepted is not kept either, so that every attempt begins alike."""


def _with_a_member(kind: str, value: object) -> list[object]:
    return [
        envelope
        for name in MEMBERS
        for envelope in ({kind: {name: value}}, {"data": {name: value}})
    ]


@pytest.mark.parametrize("value", VALUES)
def test_garbage_on_the_control_routes(value: object) -> None:
    for body in (value, {"resource_type": value}, {"resource_type": "payments", "links": value}):
        with pytest.raises(ApiError):
            happenings.happen(organisation(), body)
    with pytest.raises(ApiError):
        outbound.create(organisation(), {"links": value})
