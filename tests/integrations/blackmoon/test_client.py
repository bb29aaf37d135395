"""Blackmoon's client: what is sent, what is understood, what fails how, and what nobody sees."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import pytest

from chalicelib.integrations.blackmoon import reading
from chalicelib.integrations.blackmoon.client import Blackmoon
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.integrations.blackmoon.multipart import FilePart
from chalicelib.integrations.blackmoon.results import (
    Bid,
    CessionRow,
    CollateralList,
    LastUpdate,
    Moved,
    Pledged,
    Pong,
    Reconciled,
    ReverseCessions,
    ReverseRow,
    Sent,
    Warned,
)
from chalicelib.integrations.blackmoon.shape import Shape
from chalicelib.integrations.transport import Attempt
from tests.integrations.blackmoon.support import BID, TOKEN, client, error, form, success
from tests.integrations.server import Says, provider

LOAN = "0b7f6a52-77f3-4c2b-9d52-6a1f2f1c9a01"
AT = "2026-03-02T10:00:00+0000"
COMMON = {"organizationId": "14", "accessToken": TOKEN}
ROW = CessionRow(
    "43", "direct", date(2016, 6, 10), Decimal("1.99"), Decimal("10.00"), Decimal("0.01"), "24"
)
WIRE_ROW = {
    "investorLegalEntityId": 24,
    "loanId": "43",
    "type": "direct",
    "day": "2016-06-10",
    "price": 1.99,
    "originationFee": 10.0,
    "servicingFee": 0.01,
}
PLEDGED = [{"loanId": "12345", "flici": 12345, "investorId": "24"}]
LOANS = (Pledged("12345", "12345", "24"),)
FILE = b"applicationId,amount\r\n1,2.00\r\n"

Ask = Callable[[Blackmoon], Any]


def part(content: bytes = FILE) -> FilePart:
    return FilePart("loans.csv", len(content), lambda: [content[:5], content[5:]])


#: method, call, what is answered, parameters besides the common ones, what is understood
METHODS: list[tuple[str, Ask, Any, dict[str, str], Any]] = [
    ("offers.create", lambda c: c.create_offer(LOAN, {}), BID,
     {"applicationFields": json.dumps({"applicationId": LOAN}, separators=(",", ":"))},
     Bid(True, AT, "8", Decimal("99.17"), Decimal("0.1525"), Decimal("1000.00"), Decimal("1000"),
         "24")),
    ("offers.accept", lambda c: c.accept_offer("8"), {"updatedDatetime": AT, "offerId": 8},
     {"offerId": "8"}, Moved("8", AT)),
    ("offers.decline", lambda c: c.decline_offer("8"), {"updatedDatetime": AT, "offerId": "8"},
     {"offerId": "8"}, Moved("8", AT)),
    ("offers.cancel", lambda c: c.cancel_offer("8"), {"updatedDatetime": AT, "offerId": "8"},
     {"offerId": "8"}, Moved("8", AT)),
    ("collateral.getRelevantPortfolio", lambda c: c.relevant_portfolio(),
     {"ready": True, "relevant": PLEDGED}, {}, CollateralList(True, LOANS)),
    ("collateral.getRetainedPortfolio", lambda c: c.retained_portfolio(),
     {"ready": True, "retained": PLEDGED}, {}, CollateralList(True, LOANS)),
    ("collateral.getLeftPortfolio", lambda c: c.left_portfolio(), {"ready": True, "left": []}, {},
     CollateralList(True)),
    ("collateral.getLastUpdateDate", lambda c: c.last_update_date(), "2017-07-03", {},
     LastUpdate(date(2017, 7, 3))),
    ("portfolio.reconcileDirectCessionTransactions",
     lambda c: c.reconcile_direct_cessions([ROW]),
     {"ready": True, "totalCessionTransactionsCount": 23, "correctCessionTransactionsCount": "22",
      "platformOnly": [], "platformMissing": [WIRE_ROW]},
     {"cessionTransactions": json.dumps([WIRE_ROW | {"originationFee": 0}], separators=(",", ":"))
      .replace('"originationFee":0', '"originationFee":10.00')},
     Reconciled(True, 23, 22, (), (ROW,))),
    ("portfolio.getReverseCessionTransactions", lambda c: c.reverse_cessions(),
     {"ready": True, "reverseCessionTransactions": [
         {"loanId": 3917867, "price": "199.3", "type": "UpperThreshold", "date": "2016-01-01"}]},
     {}, ReverseCessions(True, (ReverseRow("3917867", Decimal("199.3"), "UpperThreshold",
                                           date(2016, 1, 1)),))),
    ("ping", lambda c: c.ping(), {"message": "pong", "date": AT, "requestParameters": COMMON}, {},
     Pong("pong", AT)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "ask", "answer", "parameters", "result"), METHODS, ids=[row[0] for row in METHODS]
)
def test_a_method(
    method: str, ask: Ask, answer: Any, parameters: dict[str, str], result: Any
) -> None:
    with provider(success(answer)) as told:
        assert ask(client(told)) == result
    [asked] = told.asked
    assert (asked.method, asked.path) == ("POST", f"/api/{method}")
    assert form(asked) == COMMON | parameters


def test_new_tokens_are_understood_and_not_shown() -> None:
    answer = {
        "accessToken": "A1",
        "refreshToken": "R1",
        "accessTokenExpirationTime": "2026-03-16T10:00:00+0000",
    }
    with provider(success(answer)) as told:
        found = client(told).refresh_tokens("R0")
    assert (found.access_token, found.refresh_token) == ("A1", "R1")
    assert found.expires_at == datetime(2026, 3, 16, 10, tzinfo=UTC)
    assert "A1" not in repr(found) and "R1" not in repr(found)
    assert form(told.asked[0]) == COMMON | {"refreshToken": "R0"}


def test_application_fields_are_mapped_and_exact() -> None:
    shape = Shape.of({"application_fields": {"amount": "sum", "city": "town", "term": "n"}})
    known = {"amount": Decimal("12345678901234567.89"), "city": "York", "secret": "x", "term": None}
    with provider(success(BID)) as told:
        client(told, shape).create_offer(LOAN, known)
    text = form(told.asked[0])["applicationFields"]
    assert '"sum":12345678901234567.89' in text, "no float on the way"
    assert json.loads(text).keys() == {"applicationId", "sum", "town"}


def test_names_of_parameters_are_configuration() -> None:
    shape = Shape.of({"organization_id": "org", "access_token": "token", "offer_id": "offer"})
    with provider(success({"offerId": 8})) as told:
        client(told, shape).accept_offer("8")
    assert form(told.asked[0]) == {"org": "14", "token": TOKEN, "offer": "8"}


@pytest.mark.parametrize("bad", [{"novelty": "x"}, {"offer_id": ""}, {"application_fields": "x"}])
def test_a_shape_that_is_none(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot be configured"):
        Shape.of(bad)


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "name"),
    [(Blackmoon.send_applications, "loans"), (Blackmoon.send_repayments, "repayments")],
)
def test_a_file_goes_as_a_part_of_a_form(ask: Any, name: str) -> None:
    with provider(success([])) as told:
        assert ask(client(told), part()) == Sent()
    [asked] = told.asked
    assert parts(asked.headers["Content-Type"], asked.body) == {
        "organizationId": b"14",
        "accessToken": TOKEN.encode(),
        name: FILE,
    }
    assert b'filename="loans.csv"' in asked.body


def parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a form as Python's own e-mail parser sees them."""
    from email import message_from_bytes

    whole = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    found: dict[str, bytes] = {}
    for one in whole.get_payload():
        payload = one.get_payload(decode=True)
        found[str(one.get_param("name", header="content-disposition"))] = payload
    return found


def test_a_file_is_streamed_and_read_anew_for_each_try() -> None:
    opened: list[int] = []
    piece, pieces = b"x" * 100_000, 30

    def pour() -> Iterator[bytes]:
        opened.append(1)
        yield from (piece for _ in range(pieces))

    with provider(Says(500, "oh"), success([])) as told:
        client(told).send_applications(FilePart("big.csv", len(piece) * pieces, pour))
    assert len(opened) == 2
    assert [len(asked.body) for asked in told.asked] == [len(told.asked[0].body)] * 2
    assert told.asked[1].body.count(b"x") >= len(piece) * pieces


@pytest.mark.parametrize("said", [len(FILE) - 3, len(FILE) + 3])
def test_a_file_of_another_length_is_not_taken_for_sent(said: int) -> None:
    wrong = FilePart("loans.csv", said, lambda: [FILE])
    with provider(success([])) as told, pytest.raises(BlackmoonTrouble) as trouble:
        client(told).send_applications(wrong)
    assert trouble.value.remedy == "retry"


# --- reading tolerantly ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", [[], {}, "", "2017-07-03", None, False, 0])
def test_success_is_there_or_not_whatever_it_holds(value: Any) -> None:
    with provider(success(value)) as told:
        assert client(told).send_applications(part()) == Sent()


BIDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("numbers as strings", {"originationFee": "100", "bidAmount": " 1000.50 "},
     {"origination_fee": Decimal(100), "bid_amount": Decimal("1000.50")}),
    ("ids as numbers", {"offerId": 8, "investorLegalEntityId": "24"},
     {"offer_id": "8", "investor_legal_entity_id": "24"}),
    ("truth as text", {"willParticipate": "true"}, {"will_participate": True}),
    ("truth as a number", {"willParticipate": 1}, {"will_participate": True}),
    ("any text of a time", {"updatedDatetime": "2nd of March, ten o'clock"},
     {"updated_datetime": "2nd of March, ten o'clock"}),
    ("no participation", {"willParticipate": False, "offerId": 0, "bidAmount": 0,
                          "investorLegalEntityId": None},
     {"will_participate": False, "offer_id": None, "bid_amount": 0}),
    ("no participation, as texts", {"willParticipate": "0", "offerId": "0"},
     {"will_participate": False, "offer_id": None}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "seen"), [b[1:] for b in BIDS], ids=[b[0] for b in BIDS])
def test_a_bid_however_it_is_written(given: dict[str, Any], seen: dict[str, Any]) -> None:
    with provider(success(BID | given)) as told:
        bid = client(told).create_offer(LOAN, {})
    assert {name: getattr(bid, name) for name in seen} == seen


def test_money_is_never_a_float() -> None:
    body = json.dumps({"success": BID}).replace("99.17", "0.10000000000000000001")
    with provider(Says(body=body)) as told:
        assert client(told).create_offer(LOAN, {}).origination_fee == Decimal(
            "0.10000000000000000001"
        )


@pytest.mark.parametrize(
    "given",
    [{"offerId": 0}, {"bidAmount": "many"}, {"bidAmount": True}, {"bidAmount": None},
     {"bidAmount": "NaN"}, {"bidAmount": "1e999"}, {"willParticipate": "perhaps"}],
)  # fmt: skip
def test_a_bid_that_cannot_be_read_is_a_lost_answer(given: dict[str, Any]) -> None:
    with provider(success(BID | given)) as told, pytest.raises(BlackmoonTrouble) as trouble:
        client(told).create_offer(LOAN, {})
    assert (trouble.value.remedy, trouble.value.lost) == ("retry", True)


def test_a_cancellation_without_the_wrapper() -> None:
    with provider(Says(body={"updatedDatetime": AT, "offerId": 8})) as told:
        assert client(told).cancel_offer("8") == Moved("8", AT)
        with pytest.raises(BlackmoonTrouble):
            client(told).accept_offer("8")


@pytest.mark.parametrize("word", ["Cession", "DirectCession"])
def test_both_spellings_of_the_counts(word: str) -> None:
    answer = {
        "ready": True,
        f"total{word}TransactionsCount": 23,
        f"correct{word}TransactionsCount": "21",
        "platformOnly": {"0": WIRE_ROW},
        "platformMissing": {},
    }
    with provider(success(answer)) as told:
        found = client(told).reconcile_direct_cessions([])
    assert (found.total_count, found.correct_count) == (23, 21)
    assert (found.platform_only, found.platform_missing) == ((ROW,), ())


NOT_READY: list[Ask] = [
    lambda c: c.relevant_portfolio(),
    lambda c: c.retained_portfolio(),
    lambda c: c.left_portfolio(),
    lambda c: c.reconcile_direct_cessions([]),
    lambda c: c.reverse_cessions(),
]


@pytest.mark.parametrize("ask", NOT_READY)
def test_not_ready_yet(ask: Ask) -> None:
    with provider(success({"ready": False})) as told:
        assert ask(client(told)).ready is False


TIMES = [
    ("2026-07-16T10:00:00+0100", datetime(2026, 7, 16, 9, tzinfo=UTC)),
    ("2026-07-16 10:00:00", datetime(2026, 7, 16, 9, tzinfo=UTC)),
    (1784192400, datetime(2026, 7, 16, 9, tzinfo=UTC)),
    ("1784192400", datetime(2026, 7, 16, 9, tzinfo=UTC)),
    ("9999-12-31T23:59:59-01:00", None),  # for ever; there is no such instant in UTC
    ("soon", None),
    (None, None),
]


@pytest.mark.parametrize(("given", "seen"), TIMES)
def test_when_a_token_ends(given: Any, seen: datetime | None) -> None:
    answer = {"accessToken": "A", "refreshToken": "R", "accessTokenExpirationTime": given}
    with provider(success(answer)) as told:
        assert client(told).refresh_tokens("R0").expires_at == seen


#: The date that a text tells, in London's time: an offer accepted at 23:30 UTC in summer is sold
#: on the next day.
DATES = [
    ("2026-06-30T23:30:00+00:00", date(2026, 7, 1)),
    ("2026-06-30T23:30:00+0100", date(2026, 6, 30)),
    ("2026-01-31T23:30:00Z", date(2026, 1, 31)),
    ("2026-03-29 00:30:00", date(2026, 3, 29)),
    ("2026-03-29T00:30:00+02:00", date(2026, 3, 28)),
    ("2026-06-30", date(2026, 6, 30)),
    ("2026-06-30, in the evening", date(2026, 6, 30)),
    ("9999-12-31T23:59:59-01:00", date(9999, 12, 31)),
    ("June", None),
    (20260630, None),
]


@pytest.mark.parametrize(("text", "told"), DATES)
def test_the_date_of_a_text_is_londons(text: Any, told: date | None) -> None:
    assert reading.day(text) == told


def test_what_is_kept_word_for_word_has_an_end() -> None:
    with provider(success({"updatedDatetime": "2026" * 100_000, "offerId": "8"})) as told:
        assert client(told).accept_offer("8") == Moved("8", None)


# --- warnings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "code", "remedy"),
    [
        (lambda c: c.accept_offer("8"), "100", "success"),
        (lambda c: c.accept_offer("8"), 100, "success"),
        (lambda c: c.accept_offer("8"), 101, "refusal"),
        (lambda c: c.decline_offer("8"), 101, "success"),
        (lambda c: c.decline_offer("8"), "100", "refusal"),
        (lambda c: c.cancel_offer("8"), "100", "notice"),
    ],
)
def test_a_warning_by_its_method(ask: Ask, code: Any, remedy: str) -> None:
    warning = {"warningMessage": "words", "warningCode": code}
    with provider(success({"offerId": "8"}, warning=warning)) as told:
        assert ask(client(told)).warning == Warned(str(code), remedy)  # type: ignore[arg-type]


# --- what goes wrong ------------------------------------------------------------------------------

TROUBLES: list[tuple[str, Says, str, str | None, bool]] = [
    ("an error", error(10), "retry", "10", False),
    ("its code as text", error("10"), "retry", "10", False),
    ("with a status of its own", error(1, status=422), "permanent", "1", False),
    ("behind a 500", error(10, status=500), "retry", "10", False),
    ("a code nobody knows", error(4711), "permanent", "4711", False),
    ("no code", Says(body={"error": {"errorMessage": "oh"}}), "permanent", "unknown", False),
    ("an error that is text", Says(body={"error": "oh"}), "permanent", "unknown", False),
    ("html 502", Says(502, "<html>"), "retry", None, True),
    ("html 200", Says(200, "<html>"), "retry", None, True),
    ("a list", Says(200, []), "retry", None, True),
    ("neither success nor error", Says(200, {"offerId": 8}), "retry", None, True),
    ("429", Says(429, "slower"), "retry", None, False),
    ("413", Says(413, "<html>"), "split", None, False),
    ("html 403", Says(403, "<html>"), "person", None, False),
    ("html 404", Says(404, "<html>"), "person", None, False),
    ("elsewhere", Says(302, "", {"Location": "/x"}), "person", None, False),
    ("cut off", Says(cut=True), "retry", None, True),
    ("silence", Says(after=0.6, body={}), "retry", None, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("says", "remedy", "code", "lost"), [t[1:] for t in TROUBLES], ids=[t[0] for t in TROUBLES]
)
def test_what_goes_wrong(says: Says, remedy: str, code: str | None, lost: bool) -> None:
    with provider(says) as told, pytest.raises(BlackmoonTrouble) as trouble:
        client(told).accept_offer("8")
    found = trouble.value
    assert (found.remedy, found.code, found.lost) == (remedy, code, lost)
    assert TOKEN not in str(found) + repr(vars(found))
    assert found.__cause__ is None
    assert found.__context__ is None or found.__suppress_context__, "its cause knows more than it"


@pytest.mark.parametrize("says", [Says(cut=True), Says(500, "oh"), Says(429, "slower")])
def test_what_cannot_be_asked_for_again_is_sent_once(says: Says) -> None:
    asks: list[Ask] = [
        lambda c: c.create_offer(LOAN, {}),
        lambda c: c.cancel_offer("8"),
        lambda c: c.refresh_tokens("R0"),
    ]
    for ask in asks:
        with provider(says) as told, pytest.raises(BlackmoonTrouble) as trouble:
            ask(client(told))
        assert len(told.asked) == 1
        assert trouble.value.lost is (says.status != 429)


def test_what_never_left_is_not_lost() -> None:
    with provider(success([])) as told:
        nobody = client(told)
    with pytest.raises(BlackmoonTrouble) as trouble:
        nobody.create_offer(LOAN, {})
    assert (trouble.value.remedy, trouble.value.lost) == ("retry", False)


SPELLINGS = [
    TOKEN,
    quote_plus(TOKEN),
    quote_plus(TOKEN).lower(),
    TOKEN.upper(),
    json.dumps({"t": TOKEN}),
    f"x{TOKEN}{TOKEN}y",
]


@pytest.mark.parametrize("echo", SPELLINGS)
def test_what_an_error_echoes_is_struck_out(echo: str) -> None:
    with provider(error(2, f"Bad token {echo}")) as told, pytest.raises(BlackmoonTrouble) as bad:
        client(told).ping()
    told_of = str(bad.value)
    assert "bad access token" in told_of and "Bad token" in told_of
    for spelling in (TOKEN, quote_plus(TOKEN)):
        assert spelling.lower() not in told_of.lower()


def test_an_application_is_not_in_its_error() -> None:
    with (
        provider(error(1, "currency: Zloty is not allowed")) as told,
        pytest.raises(BlackmoonTrouble) as bad,
    ):
        client(told).create_offer(LOAN, {"currency": "Zloty"})
    assert "currency:" in str(bad.value) and "Zloty" not in str(bad.value)


def test_tokens_are_in_no_url_and_told_to_nobody() -> None:
    heard: list[Attempt] = []
    with provider(error(2)) as told:
        asking = client(told, heard=heard)
        for ask in (lambda: asking.refresh_tokens("R0-not-a-token"), asking.ping):
            with pytest.raises(BlackmoonTrouble):
                ask()
    assert [asked.path for asked in told.asked] == ["/api/auth.refreshTokens", "/api/ping"]
    seen = repr(heard) + repr(asking._credentials)
    assert TOKEN not in seen and "R0-not-a-token" not in seen
