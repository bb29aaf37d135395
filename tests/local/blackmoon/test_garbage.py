"""Whatever is sent, it is answered by a code of the documentation and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy

import pytest

from local.blackmoon import api, state
from local.blackmoon.errors import ERRORS, ApiError
from local.blackmoon.forms import Form, Upload
from local.simulating.fields import Flaws
from tests.local.blackmoon.support import answered, organisation, sold

VALUES = (None, True, 0, -1, 1.5, 10**40, "", "x", "9" * 400, "\ud800", [], [{}], {}, {"x": [7]})
NAMES = ("applicationFields", "offerId", "cessionTransactions", "refreshToken", "loans")
MEMBERS = ("applicationId", "loanAmount", "income", "currency", "installments", "day", "price",
           "loanId", "type", "investorLegalEntityId")  # fmt: skip


class _Undo(Exception):
    """What was accepted is not kept either, so that every attempt begins alike."""


def test_garbage_is_answered_by_a_code() -> None:
    org = organisation()
    sold(org)
    who = {"organizationId": org.head.id, "accessToken": org.head.access_token}
    before, head = deepcopy(org.records), org.head
    tried = refused = 0
    for method in api.METHODS:
        for form in _forms():
            form.parameters |= who
            tried += 1
            try:
                with suppress(_Undo), org.changing():
                    api.answer(api.Call(org, method, form))
                    raise _Undo
            except ApiError as error:
                refused += 1
                assert error.code in ERRORS
    assert (org.records, org.head) == (before, head)
    assert tried > 10_000
    assert refused > tried * 0.5, "half of the methods need nothing"


def _forms() -> Iterator[Form]:
    whole = {"applicationId": "loan-1", "loanAmount": 5}
    for value in VALUES:
        texts = [json.dumps(value), str(value)]
        for name in MEMBERS:
            texts += [json.dumps({**whole, name: value}), json.dumps([{name: value}])]
        for text in texts:
            for name in NAMES:
                yield Form({name: text})
            upload = Upload("x.csv", text.encode("utf-8", "surrogatepass"))
            yield Form(files={"loans": upload, "repayments": upload})


@pytest.mark.parametrize("value", VALUES)
def test_garbage_in_the_state(value: object) -> None:
    for name in ("bid", "collateral", "decision", "drop_cessions", "expire_access_token",
                 "not_ready", "platform_only", "reverse_cessions", "suspended"):  # fmt: skip
        org = organisation()
        for one in (value, [value], {"relevant": value}, [{"loanId": value}]):
            try:
                with org.changing():
                    state.put(org, {name: one})
            except Flaws as flaws:
                assert [error["field"] for error in flaws.errors] == [name]
            state.told(org)
            answered(org, "portfolio.reconcileDirectCessionTransactions", cessionTransactions="[]")
