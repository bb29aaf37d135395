"""The partner with its book: what is done on a day, over HTTP, and what the lists show after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import requests

from tests.independent.naive_daily_files import OPEN, Evening
from tests.local.blackmoon.support import HTTP
from tests.local.blackmoon.support import Partner as There
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.stack_client import SocketHttp
from tests.scenarios.test_mandates_on_a_stack import fills_in
from tests.stack import Stack, until
from tests.year.lives import PRODUCTS, Life

WATCHED = "repayment,chargeback,disbursement"
LOANS_NAMED = 50
"""A list names so many loans; only those are listed to which something has happened since."""
COLLECTED_DAYS, DISPUTED_DAYS = 5, 3
"""After its creation a collection is with the bank; after it arrived it is disputed."""
GIVEN_BACK_DAYS = {"gives_back": 2, "gives_back_late": 25}
"""What was charged back is given back so many days later: soon, or in the next statement."""
CAUSE = {"payments": "refer_to_payer", "outbound_payments": "account_closed"}
ACCOUNT = {"bank_account_number": "55779911", "sort_code": "20-00-00"}
"""GoCardless's test account."""

Row = dict[str, Any]
Verb = Callable[["Book", Life, Any, date], None]


class Book:
    """The partner's engineer, borrowers, banks and investors; ``products`` are ids by name."""

    def __init__(self, stack: Stack, key: str, products: dict[str, str]) -> None:
        self.stack, self.partner = stack, Partner(SocketHttp(stack.url, key))
        self.products = products
        shown = self.partner.get("/partner/")
        self.currency, name = str(shown["currency"]), str(shown["id"])
        there = self.partner.get("/sandbox/simulators/")["blackmoon"]
        self.there = There(str(stack.run["blackmoon_url"]), name, dict(there))
        self.name = name
        self.shown: dict[str, Row] = {}
        self.moves: dict[str, Row] = {}
        self.matures: dict[str, str] = {}
        self.did = False
        self.seen: set[tuple[str, str]] = set()

    def publishes(self) -> None:
        """All products, once."""
        for name, fields in PRODUCTS.items():
            self.products[name] = self.partner.publishes(**fields)

    # --- a day ------------------------------------------------------------------------------------

    def lives_through(self, lives: list[Life], day: date) -> None:
        """Everything that is done on a day; ``did`` says whether there was anything."""
        self.did = False
        born = [one for one in lives if one.opens == day.isoformat() and not one.loan]
        for decision in (True, False, None):
            for life in [one for one in born if one.of.decision is decision]:
                self._opens(life)
        for life in lives:
            if not life.loan:
                continue
            for number, (_, verb, given) in enumerate(life.steps_on(day)):
                self.did = True
                if (step := f"{day}/{number}") not in life.done:
                    VERBS[verb](self, life, given, day)
                    life.done.append(step)
            self._habits(life, day)

    def _opens(self, life: Life) -> None:
        product, self.did = life.of.product, True
        if "sold" in product:
            self.there.says(decision=life.of.decision)
        life.loan = self.partner.opens_loan(self.products[product]).id
        if "sold" in product:
            query = f"/blackmoon/offer/?loan={life.loan}"
            until(lambda: self.partner.get(query)["results"][0]["status"] != "pending")

    def _habits(self, life: Life, day: date) -> None:
        shown = self.shown.get(life.loan)
        if shown is None:
            return
        due, after = shown["next_repayment_date"], life.of.pays
        if due and after is not None and date.fromisoformat(due) + timedelta(days=after) == day:
            asked = self.loan(life).now["next_repayment_amount"]
            self.repays(life, asked or 0, day, "due")
        if life.of.bank is not None and life.of.bank not in life.done:
            self._bank(life, day)

    def _bank(self, life: Life, day: date) -> None:
        """The bank refuses the first collection, or takes it back after it was paid, and perhaps
        gives it back again.
        """
        for item in [one for one in self.moves.values() if one["loan"] == life.loan]:
            since = date.fromisoformat(str(item["processing_date"]))
            waits = GIVEN_BACK_DAYS.get(str(life.of.bank))
            if item["type"] == "chargeback":
                if waits is not None and day >= since + timedelta(days=waits):
                    self._bank_has(life, life.last, "chargeback_cancelled", str(life.of.bank))
                continue
            payment = str(item["provider_transaction_id"] or "")
            began = date.fromisoformat(str(item["created_at"])[:10])
            bounces = life.of.bank == "bounces" and item["status"] == "pending"
            if payment and bounces and day >= began + timedelta(days=COLLECTED_DAYS):
                self._bank_has(life, payment, "failed", "bounces")
            disputed = life.of.bank != "bounces" and item["status"] == "applied"
            if payment and disputed and day >= since + timedelta(days=DISPUTED_DAYS):
                self._bank_has(life, payment, "charged_back", "charges_back")

    def _bank_has(self, life: Life, payment: str, action: str, done: str) -> None:
        """The bank does it, once in a life."""
        if done not in life.done:
            self.bank_says(payment, action)
            life.done.append(done)
            life.last = payment

    # --- what a verb needs ------------------------------------------------------------------------

    def loan(self, life: Life) -> Loan:
        """The life's loan."""
        return Loan(self.partner, life.loan)

    def repays(self, life: Life, amount: Any, day: date, why: str, **more: Any) -> None:
        """Money comes in some other way than the mandate, and is there."""
        shown = self.loan(life).now
        if shown["status"] not in OPEN:
            return
        owed = self.partner.get(f"/loan/{life.loan}/payoff/?date={day}")["total"]
        amount = min(Decimal(str(amount)), owed - shown["overpayment"])
        if amount > 0:
            self.moves_money(life, "repayment", amount, day, why, collect=False, **more)

    def moves_money(
        self, life: Life, kind: str, amount: Any, day: date, why: str, **more: Any
    ) -> None:
        """A transaction that is applied at once."""
        key, self.did = f"{life.loan}/{day}/{why}", True
        loan = self.loan(life)
        loan.transaction(kind, amount, idempotency_key=key, **more).ok(201)
        self.partner.post(f"/transaction/{loan.last}/apply/", {})
        life.last = loan.last

    def bank_says(self, payment: str, action: str, kind: str = "payments", cause: str = "") -> None:
        """GoCardless's simulator is told what the bank does."""
        self.did = True
        answer = HTTP.post(
            f"{self.stack.run['gocardless_url']}/_control/events",
            headers={"X-Partner": self.name},
            json={
                "resource_type": kind,
                "action": action,
                "links": {kind.removesuffix("s"): payment},
                "details": {"cause": cause or CAUSE[kind], "origin": "bank"},
            },
        )
        assert answer.status_code < 300, answer.text

    # --- what the lists show ----------------------------------------------------------------------

    def all_of(self, path: str) -> list[Row]:
        """A list, page by page."""
        found: list[Row] = []
        where: str | None = f"{path}{'&' if '?' in path else '?'}limit=200"
        while where:
            page = self.partner.get(where)
            found += page["results"]
            where = page["next"] and str(page["next"]).partition("/api/v1")[2]
        return found

    def evening(self, day: date) -> Evening:
        """The lists as a day ends."""
        before, self.shown = self.shown, {str(one["id"]): one for one in self.all_of("/loan/")}
        names = [
            name
            for name, one in self.shown.items()
            if name not in before or before[name]["updated_at"] != one["updated_at"]
        ]
        for at in range(0, len(names), LOANS_NAMED):
            named = ",".join(names[at : at + LOANS_NAMED])
            listed = self.all_of(f"/transaction/?type={WATCHED}&loan={named}")
            self.moves |= {str(one["id"]): one for one in listed}
        for name, one in self.shown.items():
            if one["installments"] and one["disbursed_at"] and name not in self.matures:
                rows = self.partner.get(f"/loan/{name}/schedule/")["schedule"]
                self.matures[name] = str(rows[-1]["due_date"])
        for kind, rows in (("loan", self.shown), ("", self.moves)):
            self.seen |= {(kind or str(one["type"]), str(one["status"])) for one in rows.values()}
        kinds = {self.products[name]: str(PRODUCTS[name]["type"]) for name in PRODUCTS}
        cessions = self.all_of("/blackmoon/cession/")
        return Evening(
            day, self.currency, self.shown, self.moves, cessions, kinds, dict(self.matures)
        )


# --- verbs ----------------------------------------------------------------------------------------


def _pays_out(book: Book, life: Life, amount: str, day: date) -> None:
    if book.loan(life).now["status"] not in ("inactive", "active"):
        return  # it would be refused
    book.moves_money(life, "disbursement", amount, day, "out")


def _repays(book: Book, life: Life, amount: str, day: date) -> None:
    book.repays(life, amount, day, "in")


def _settles(book: Book, life: Life, _: Any, day: date) -> None:
    loan = book.loan(life)
    if loan.now["status"] not in OPEN:
        return
    book.repays(life, loan.now["amount"] * 2, day, "all")
    if loan.now["status"] != "closed":  # a line stays open when it is repaid
        loan.does("close", {"close_reason": "repaid", "close_substatus": "paid_in_full"}).ok(201)


def _repays_back(book: Book, life: Life, given: tuple[int, str], day: date) -> None:
    ago, amount = given
    when = (day - timedelta(days=ago)).isoformat()
    book.repays(life, amount, day, "back", effective_date=when)


def _collects(book: Book, life: Life, amount: str, day: date) -> None:
    """A repayment that the mandate brings: it counts at once, while it is on its way."""
    loan = book.loan(life)
    key = f"{life.loan}/{day}/collects"
    loan.transaction("repayment", amount, idempotency_key=key).ok(201)
    life.last = loan.last


def _bounces(book: Book, life: Life, _: Any, day: date) -> None:
    item = book.partner.get(f"/transaction/{life.last}/")
    assert item["status"] == "pending", item
    payment = str(item["provider_transaction_id"])
    book.bank_says(payment, "failed", cause="bank_account_closed")  # nobody tries that again


def _reverts(book: Book, life: Life, _: Any, day: date) -> None:
    book.partner.post(f"/transaction/{life.last}/revert/", {})


def _written_off(book: Book, life: Life, _: Any, day: date) -> None:
    body = {"close_reason": "insolvent", "close_substatus": "written_off"}
    book.loan(life).does("close", body).ok(201)


def _cancels(book: Book, life: Life, _: Any, day: date) -> None:
    until(lambda: book.loan(life).now["status"] == "inactive")  # what came back is on its way
    book.loan(life).does("cancel").ok(201)


def _offer(book: Book, life: Life, action: str, then: str) -> None:
    [offer] = book.partner.get(f"/blackmoon/offer/?loan={life.loan}")["results"]
    book.partner.post(f"/blackmoon/offer/{offer['id']}/{action}/", {})
    path = f"/blackmoon/offer/{offer['id']}/"
    until(lambda: book.partner.get(path)["status"] == then)


def _accepts(book: Book, life: Life, _: Any, day: date) -> None:
    _offer(book, life, "accept", "accepted")


def _withdraws(book: Book, life: Life, _: Any, day: date) -> None:
    _offer(book, life, "cancel", "cancelled")


def _sold_back(book: Book, life: Life, why: str, day: date) -> None:
    book.there.says(reverse_cessions=[{"loanId": life.loan, "type": why, "date": day.isoformat()}])


def _sends(book: Book, life: Life, amount: str, day: date) -> None:
    """A disbursement that GoCardless pays out, while all others are paid out by hand."""
    http, loan = book.partner.http, book.loan(life)
    http.request("PATCH", f"/end_user/{loan.now['end_user']}/", ACCOUNT).ok(200)
    http.request("PATCH", "/partner/", {"disbursement_provider": "gocardless_outbound"}).ok(200)
    key = f"{life.loan}/{day}/sends"
    loan.transaction("disbursement", amount, idempotency_key=key).ok(201)
    http.request("PATCH", "/partner/", {"disbursement_provider": "manual"}).ok(200)
    life.last = loan.last
    book.partner.goes_to(day)
    assert book.partner.get(f"/transaction/{life.last}/")["status"] == "applied"


def _comes_back(book: Book, life: Life, _: Any, day: date) -> None:
    item = book.partner.get(f"/transaction/{life.last}/")
    book.bank_says(str(item["provider_transaction_id"]), "failed", "outbound_payments")


def _mandate(book: Book, life: Life, _: Any, day: date) -> None:
    """The borrower fills in the provider's form."""
    where = f"{book.stack.url}/healthz"
    body = {"end_user": book.loan(life).now["end_user"], "success_url": where,
            "failure_url": where}  # fmt: skip
    link = book.partner.post("/mandate/", body)["authorisation_url"]

    def form() -> str | None:
        answer = requests.get(str(link), allow_redirects=False, timeout=30)
        return answer.headers.get("location")

    fills_in(str(until(form)))


VERBS: dict[str, Verb] = {
    "pays_out": _pays_out,
    "repays": _repays,
    "settles": _settles,
    "repays_back": _repays_back,
    "collects": _collects,
    "bounces": _bounces,
    "reverts": _reverts,
    "written_off": _written_off,
    "cancels": _cancels,
    "accepts": _accepts,
    "withdraws": _withdraws,
    "sold_back": _sold_back,
    "sends": _sends,
    "comes_back": _comes_back,
    "mandate": _mandate,
}
