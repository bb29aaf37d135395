"""What was done is undone, dated back, fails, looked back at and ahead: the journal told anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.models.keys import ANYONE, PARTNER
from chalicelib.usecases import journals, transactions
from chalicelib.usecases.context import Context
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.world import World

START = "2024-02-09"
#: What two loans with the same history do not have in common.
OWN = ("id", "loan", "application", "end_user", "created_at", "updated_at", "applied_at",
       "idempotency_key", "processing_date", "reverted_by")  # fmt: skip


def opened(partner: Partner, amount: str = "12000", **product: Any) -> Loan:
    """A term loan of the documented kind, disbursed on the business date."""
    return partner.opens_loan(partner.publishes(**product)).disburses(amount).confirmed()


def twins(partner: Partner) -> tuple[Loan, Loan]:
    product = partner.publishes()
    one, two = (partner.opens_loan(product).disburses("12000").confirmed() for _ in range(2))
    return one, two


def without(thing: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in thing.items() if name not in names}


def counting(loan: Loan) -> list[dict[str, Any]]:
    """The applied transactions, but for what is a loan's own, by day and figures."""
    found = [without(item, *OWN) for item in loan.all_transactions() if item["status"] == "applied"]
    return sorted(found, key=lambda item: (item["effective_date"], item["type"], str(item)))


def newest_first(found: list[Any]) -> bool:
    made = [datetime.fromisoformat(item["created_at"]) for item in found]
    return all(one >= other for one, other in pairwise(made))


def schedule(loan: Loan) -> Any:
    return loan.partner.get(f"/loan/{loan.id}/schedule/")["schedule"]


def same(one: Loan, two: Loan) -> None:
    """Both accounts show the same, transaction by transaction."""
    assert without(one.now, *OWN) == without(two.now, *OWN)
    assert schedule(one) == schedule(two)
    assert counting(one) == counting(two)


def only(loan: Loan, **wanted: str) -> Any:
    [found] = [
        item
        for item in loan.all_transactions()
        if all(str(item[name]) == value for name, value in wanted.items())
    ]
    return found


def revert(loan: Loan, item: Any, **more: Any) -> Any:
    return loan.partner.post(f"/transaction/{item['id']}/revert/", **more)


def context(world: World) -> Context:
    """As a worker has it."""
    [found] = world.store.page(PARTNER, ANYONE).items
    return world.context_for(found.value)


# --- reverting ------------------------------------------------------------------------------------


def test_a_loan_whose_only_disbursement_is_reverted_is_inactive_again(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-02-20")
    done = revert(loan, only(loan, type="disbursement"))
    assert (done["status"], done["reverted_by"]) == ("reverted", done["id"])
    loan.shows(status="inactive", principal="0.00", interest="0.00", disbursed_at="None",
               next_repayment_date="None", apr="None").folds()  # fmt: skip
    gone = loan.all_transactions()
    assert {item["status"] for item in gone} == {"reverted"}
    assert len([item for item in gone if item["type"] == "interest"]) == 11
    assert partner.get("/transaction/?status=reverted")["count"] == len(gone)
    # and everything begins again
    loan.disburses("6000").confirmed().shows(status="active", principal="6000.00")
    partner.goes_to("2024-02-22")
    loan.folds()
    assert len([t for t in loan.all_transactions() if t["status"] == "applied"]) == 3


def test_nights_since_a_reverted_repayment_are_free(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-02-20")
    before = loan.now
    loan.repays("1000").confirmed()
    repaid = loan.last
    partner.goes_to("2024-02-25")
    partner.post(f"/transaction/{repaid}/revert/")
    balances = {name: str(before[name]) for name in ("principal", "interest", "fee")}
    loan.shows(**balances).folds()
    partner.goes_to("2024-02-26")
    nights = [item for item in loan.all_transactions() if item["type"] == "interest"]
    assert len(nights) == 11 + 5 + 1
    free = [item["effective_date"] for item in nights if item["status"] == "reverted"]
    assert free == [f"2024-02-{day}" for day in (25, 24, 23, 22, 21)]
    assert {item["reverted_by"] for item in nights if item["status"] == "reverted"} == {repaid}
    for night in nights:
        assert partner.get(f"/transaction/{night['id']}/") == night
    loan.folds()


def test_a_night_can_be_reverted_with_all_that_came_after_it(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-02-15")
    night = only(loan, type="interest", effective_date="2024-02-13")
    done = revert(loan, night)
    assert done["id"] == night["id"] and done["status"] == "reverted"
    assert partner.get(f"/transaction/{night['id']}/") == done
    loan.shows(interest="11.84").folds()  # 10, 11 and 12 February
    partner.http.request("POST", f"/transaction/{night['id']}/revert/").refused("invalid_status")


def test_what_cannot_be_reverted(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    first = only(loan, type="disbursement")["id"]
    loan.repays("10")
    api = partner.http
    api.request("POST", f"/transaction/{loan.last}/revert/").refused("transaction_pending")
    api.request("POST", f"/transaction/{first}/revert/").refused("transaction_pending")
    loan.confirmed().repays(str(loan.now["principal"])).confirmed().shows(status="closed")
    closing = loan.last
    api.request("POST", f"/transaction/{first}/revert/").refused("loan_not_open")
    partner.post(f"/transaction/{closing}/revert/")
    loan.shows(status="active", close_substatus="").folds()
    api.request("POST", f"/transaction/{loan.id}/revert/").refused("not_found", 404)


def test_reverted_nights_stand_beside_the_new_ones_in_every_list(partner: Partner) -> None:
    partner.goes_to(START)
    loan, other = twins(partner)
    partner.goes_to("2024-02-20")
    loan.transaction("repayment", "2000", effective_date="2024-02-14").ok(201)
    night = [item for item in loan.all_transactions() if item["effective_date"] == "2024-02-16"]
    assert [item["status"] for item in night] == ["applied", "reverted"]
    assert len({item["id"] for item in night}) == 2
    for path in (f"/transaction/?loan={loan.id}&", "/transaction/?"):
        whole = partner.get(path + "limit=200")
        ids = [item["id"] for item in whole["results"]]
        assert len(ids) == len(set(ids)) == whole["count"]
        assert newest_first(whole["results"])
        paged, page = [], partner.get(path + "limit=3")
        while True:
            assert page["count"] == whole["count"]
            paged += page["results"]
            if page["next"] is None:
                break
            page = partner.get(page["next"].partition("/api/v1")[2])
        assert paged == whole["results"]
    of_both = 11 + 6 + 11  # nights: told first, told anew, the other's
    assert partner.get("/transaction/?type=interest")["count"] == of_both
    assert partner.get("/transaction/?type=interest&status=reverted")["count"] == 6
    other.folds()
    loan.folds()


# --- dated back, failed ---------------------------------------------------------------------------


def test_a_backdated_repayment_is_one_that_was_made_on_the_day(partner: Partner) -> None:
    partner.goes_to(START)
    late, prompt = twins(partner)
    partner.goes_to("2024-03-01")
    prompt.repays("2500").confirmed()
    partner.goes_to("2024-04-20")
    late.shows(status="arrears")
    made = late.transaction("repayment", "2500", effective_date="2024-03-01").ok(201)
    assert (made["status"], made["effective_date"]) == ("pending", "2024-03-01")
    assert (made["processing_date"], made["collect"]) == ("2024-04-20", False)
    late.confirmed().folds()
    done = partner.get(f"/transaction/{late.last}/")
    assert (done["status"], done["id"]) == ("applied", made["id"])
    twin = only(prompt, type="repayment")
    assert done["exact"] == twin["exact"]
    late_now, prompt_now = late.now, prompt.now
    assert without(late_now, *OWN) == without(prompt_now, *OWN)
    assert schedule(late) == schedule(prompt)
    told = [without(item, "collect") for item in counting(late)]
    assert told == [without(item, "collect") for item in counting(prompt)]
    for day in ("2024-05-14", "2024-08-20"):
        partner.goes_to(day)
        assert schedule(late) == schedule(prompt)
        assert without(late.now, *OWN) == without(prompt.now, *OWN)


def test_a_repayment_that_is_confirmed_for_an_earlier_day_counts_from_then(
    partner: Partner,
) -> None:
    partner.goes_to(START)
    late, prompt = twins(partner)
    partner.goes_to("2024-03-01")
    prompt.repays("2500").confirmed()
    partner.goes_to("2024-03-20")
    late.repays("2500")
    partner.goes_to("2024-03-22")
    path = f"/transaction/{late.last}/apply/"
    api = partner.http
    for wrong in ("2024-03-23", "2024-02-08"):
        refused = api.request("POST", path, {"effective_date": wrong})
        refused.refused("validation_error", 400)
    done = partner.post(path, {"effective_date": "2024-03-01"})
    assert (done["status"], done["effective_date"]) == ("applied", "2024-03-01")
    late.folds()
    same(late, prompt)


def test_a_repayment_is_dated_neither_ahead_nor_before_the_disbursement(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-02-12")
    for day in ("2024-02-13", "2024-02-08"):
        answer = loan.transaction("repayment", "10", effective_date=day)
        answer.refused("validation_error", 400)
        assert [flaw["field"] for flaw in answer.json["errors"]] == ["effective_date"]
    too_much = loan.transaction("repayment", "12100", effective_date="2024-02-10")
    too_much.refused("exceeds_outstanding")
    assert len(loan.all_transactions()) == 4
    assert (
        loan.transaction("repayment", "10", effective_date="2024-02-12").ok(201)["collect"] is None
    )


def test_a_backdated_repayment_is_made_once(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-02-20")
    given = {"effective_date": "2024-02-12", "idempotency_key": "once"}
    first = loan.transaction("repayment", "10", **given).ok(201)
    again = loan.transaction("repayment", "10", **given)
    assert again.ok(201) == first
    assert again.headers["idempotent-replayed"] == "true"  # type: ignore[attr-defined]
    only(loan, type="repayment")


def test_a_failed_repayment_never_was(partner: Partner, world: World) -> None:
    partner.goes_to(START)
    loan, twin = twins(partner)
    partner.goes_to("2024-02-20")
    loan.repays("3000")
    lost = loan.last
    partner.goes_to("2024-03-14")
    for one in (loan, twin):
        one.repays("500").confirmed()
        one.transaction("fee", "7.50", name="Letter", fee_type="flat").ok(201)
    partner.goes_to("2024-03-24")
    failed = transactions.fail(context(world), lost, "no money")
    assert (failed.status, failed.failure_reason) == ("failed", "no money")
    same(loan, twin)
    loan.folds()
    shown = partner.get(f"/transaction/{lost}/")
    assert (shown["status"], shown["failure_reason"]) == ("failed", "no money")
    before = loan.all_transactions()
    assert transactions.fail(context(world), lost, "told again") == failed
    assert loan.all_transactions() == before
    partner.goes_to("2024-05-20")
    same(loan, twin)


# --- as of ----------------------------------------------------------------------------------------


def story(partner: Partner, world: World, until: date) -> Iterable[Loan]:
    """A loan's life: paid late, in part, dated back, failed, reverted, left alone."""
    loan = partner.opens_loan(
        partner.publishes(
            default_fees=[{"name": "Arrears", "type": "flat", "amount": 12, "event": "arrears"}],
            arrears_tolerance=3,
        )
    )
    acts: dict[str, Any] = {
        "2024-02-10": lambda: loan.disburses("12000"),
        "2024-02-12": loan.confirmed,
        "2024-02-16": lambda: loan.repays("700"),
        "2024-02-20": loan.confirmed,
        "2024-03-20": lambda: loan.repays("300"),
        "2024-03-22": lambda: loan.transaction("repayment", "2500", effective_date="2024-03-13").ok(
            201
        ),
        "2024-03-24": lambda: transactions.fail(
            context(world), only(loan, amount="300.00")["id"], "no money"
        ),
        "2024-03-25": loan.confirmed,
        "2024-03-27": lambda: loan.does("stop_interest_calculation").ok(201),
        "2024-03-28": lambda: loan.does("start_interest_calculation").ok(201),
        "2024-03-30": lambda: revert(loan, only(loan, amount="2500.00")),
        "2024-04-02": lambda: loan.does("make_default").ok(201),
        "2024-04-05": lambda: revert(loan, only(loan, type="disbursement")),
        "2024-04-07": lambda: loan.disburses("5000").confirmed(),
        "2024-05-18": lambda: loan.repays(
            str(partner.get(f"/loan/{loan.id}/payoff/")["total"])
        ).confirmed(),
    }
    day = partner.today()
    while day <= until:
        act = acts.get(str(day))
        if act is not None:
            act()
        if act is not None or day.day in (1, 8, 15, 18, 22) or str(day - timedelta(days=1)) in acts:
            yield loan
        day += timedelta(days=1)
        partner.goes_to(day)


QUICK = {"2024-02-13", "2024-02-21", "2024-03-20", "2024-03-24", "2024-03-31", "2024-04-06"}


@pytest.mark.parametrize("quick", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_as_of_a_day_shows_what_was_shown_on_that_day(
    partner: Partner, world: World, quick: bool
) -> None:
    """The quick one looks at the days around which something was learnt or undone."""
    partner.goes_to(START)
    seen: dict[str, tuple[Any, Any, Any]] = {}
    statuses = set()
    for loan in story(partner, world, date(2024, 4, 7) if quick else date(2024, 5, 20)):
        if quick and str(partner.today()) not in QUICK:
            continue
        listed = partner.get(f"/transaction/?loan={loan.id}&limit=200")["results"]
        rest = partner.get(f"/transaction/?loan={loan.id}&limit=200&offset=200")["results"]
        seen[str(partner.today())] = (loan.now, schedule(loan), [*listed, *rest])
        statuses.add(loan.now["status"])
    assert statuses >= {"inactive", "active"}
    assert quick or statuses == {"inactive", "active", "late", "arrears", "default", "closed"}
    for day, (shown, rows, listed) in seen.items():
        then = partner.get(f"/loan/{loan.id}/?as_of={day}")
        assert without(then, "updated_at") == without(shown, "updated_at"), day
        assert partner.get(f"/loan/{loan.id}/schedule/?as_of={day}")["schedule"] == rows, day
        found: list[Any] = []
        path = f"/transaction/?loan={loan.id}&as_of={day}&limit=150"
        page = partner.get(path)
        while True:
            assert page["count"] == len(listed), day
            found += page["results"]
            if page["next"] is None:
                break
            page = partner.get(page["next"].partition("/api/v1")[2])
        for one, other in zip(found, listed, strict=True):
            assert without(one, "updated_at") == without(other, "updated_at"), day
    assert len(seen) > (len(QUICK) // 2 if quick else 30)


def test_as_of_asks_for_a_day_of_one_loan_that_was_there(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-02-12")
    api = partner.http
    for path in (
        f"/loan/{loan.id}/?",
        f"/loan/{loan.id}/schedule/?",
        f"/transaction/?loan={loan.id}&",
    ):
        api.request("GET", f"{path}as_of=2024-02-08").refused("not_found", 404)
        ahead = api.request("GET", f"{path}as_of=2024-02-13").refused("validation_error", 400)
        assert [flaw["field"] for flaw in ahead.json["errors"]] == ["as_of"]
        api.request("GET", f"{path}as_of=yesterday").refused("validation_error", 400)
        assert api.request("GET", f"{path}as_of=2024-02-12").json == api.request("GET", path).json
    for path in ("/transaction/?", f"/transaction/?loan={loan.id},{loan.now['product']}&"):
        several = api.request("GET", f"{path}as_of=2024-02-10").refused("validation_error", 400)
        assert [flaw["field"] for flaw in several.json["errors"]] == ["as_of"]
    nights = partner.get(f"/transaction/?loan={loan.id}&as_of=2024-02-11&type=interest")
    assert nights["count"] == 2
    stranger = loan.now["end_user"][:-1] + ("0" if loan.now["end_user"][-1] != "0" else "1")
    path = f"/transaction/?loan={loan.id}&as_of=2024-02-11&end_user={stranger}"
    assert partner.get(path)["count"] == 0


# --- previews -------------------------------------------------------------------------------------

TIMES = ("created_at", "updated_at", "applied_at")


def timeless(item: Any) -> Any:
    return item and without(item, *TIMES)


def agrees(previewed: Any, loan: Loan, before: list[Any], was: Any) -> None:
    """What the preview said is what has happened since."""
    after = loan.all_transactions()
    old, new = ({item["id"]: timeless(item) for item in found} for found in (before, after))
    assert timeless(previewed["before"]) == timeless(was)
    assert timeless(previewed["after"]) == timeless(loan.now)
    said = {
        one["id"]: (timeless(one["before"]), timeless(one["after"]))
        for one in previewed["transactions"]
    }
    happened = {
        an_id: (old.get(an_id), new.get(an_id))
        for an_id in {*old, *new}
        if old.get(an_id) != new.get(an_id)
    }
    assert said == happened
    assert len(said) == len(previewed["transactions"]) > 0


def test_a_revert_is_previewed_as_it_then_happens(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-02-20")
    loan.repays("1000").confirmed()
    repaid = loan.last
    partner.goes_to("2024-03-20")
    before, was = loan.all_transactions(), loan.now
    previewed = partner.post(f"/transaction/{repaid}/revert/?preview=true", status=200)
    assert (loan.all_transactions(), loan.now) == (before, was)
    partner.post(f"/transaction/{repaid}/revert/")
    agrees(previewed, loan, before, was)
    nights = [one for one in previewed["transactions"] if one["before"]["type"] == "interest"]
    assert len(nights) == 29


@pytest.mark.parametrize("effective", [None, "2024-03-01"])
def test_a_repayment_is_previewed_as_it_then_happens(
    partner: Partner, effective: str | None
) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    partner.goes_to("2024-03-24")
    before, was = loan.all_transactions(), loan.now
    body = {"loan": loan.id, "type": "repayment", "amount": "2500.00", "idempotency_key": "soon",
            "effective_date": effective}  # fmt: skip
    previewed = partner.post("/transaction/?preview=true", body, 200)
    again = partner.post("/transaction/?preview=true", body, 200)
    assert previewed["transactions"] == again["transactions"]
    assert (loan.all_transactions(), loan.now) == (before, was)
    made = partner.post("/transaction/", body)
    assert made["id"] in {one["id"] for one in previewed["transactions"]}
    agrees(previewed, loan, before, was)


def test_a_preview_is_refused_like_the_thing_itself_and_needs_no_key(partner: Partner) -> None:
    partner.goes_to(START)
    loan = opened(partner)
    api = partner.http
    body = {"loan": loan.id, "type": "repayment", "amount": "12000.01"}
    where = "/transaction/?preview=true"
    api.request("POST", where, body).refused("exceeds_outstanding")
    partner.post(where, {**body, "amount": "1"}, 200)
    fee = {"loan": loan.id, "type": "fee", "amount": "1", "name": "Letter", "fee_type": "flat"}
    only_money = api.request("POST", where, fee).refused("validation_error", 400)
    assert [flaw["field"] for flaw in only_money.json["errors"]] == ["preview"]
    api.request("POST", "/transaction/?preview=perhaps", body).refused("validation_error", 400)
    path = f"/transaction/{only(loan, type='disbursement')['id']}/revert/"
    key = {"Idempotency-Key": "the-same"}
    api.request("POST", path + "?preview=true", headers=key).ok(200)
    api.request("POST", path + "?preview=true", headers=key).ok(200)
    api.request("POST", path + "?preview=false", headers=key).ok(201)
    replayed = api.request("POST", path, headers=key)
    replayed.ok(201)
    assert replayed.headers["idempotent-replayed"] == "true"  # type: ignore[attr-defined]


# --- long lives -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "repayments", "most"),
    [
        pytest.param("2023-10-10", 4, 8, id="a few months, in small transactions"),
        pytest.param("2019-01-10", 48, None, id="five years", marks=pytest.mark.slow),
    ],
)
def test_a_long_life_is_reverted_whole(
    partner: Partner,
    monkeypatch: pytest.MonkeyPatch,
    since: str,
    repayments: int,
    most: int | None,
) -> None:
    """More batches than one transaction takes: written aside, flipped, put in place."""
    if most is not None:
        monkeypatch.setattr(journals, "MOST_OPERATIONS", most)
        monkeypatch.setattr(journals, "STAGED_AT_ONCE", 2)
    partner.goes_to("2024-01-09")
    loan = partner.opens_loan(partner.publishes(installments=60)).disburses("12000")
    first = loan.last
    partner.post(f"/transaction/{first}/apply/", {"effective_date": since})
    partner.goes_to("2024-01-10")
    for _ in range(repayments):
        loan.repays("100.00").confirmed()
    loan.folds()
    last_year = loan.now
    partner.goes_to("2024-01-12")
    staged: list[int] = []
    real = journals._in_stages
    monkeypatch.setattr(journals, "_in_stages", lambda *a: staged.append(1) or real(*a))
    before, was = loan.all_transactions(), loan.now
    previewed = partner.post(f"/transaction/{first}/revert/?preview=true", status=200)
    assert not staged
    partner.post(f"/transaction/{first}/revert/")
    assert staged == [1]
    agrees(previewed, loan, before, was)
    loan.shows(status="inactive", principal="0.00", interest="0.00").folds()
    assert {item["status"] for item in loan.all_transactions()} == {"reverted"}
    then = partner.get(f"/loan/{loan.id}/?as_of=2024-01-10")
    assert without(then, "updated_at") == without(last_year, "updated_at")
    assert newest_first(before)
    assert Decimal(was["principal"]) > 0
