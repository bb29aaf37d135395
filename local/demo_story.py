"""A loan's whole life over HTTP, beside a twin that is always paid on time.

``tell(client, narrator)`` runs :data:`CHAPTERS` in order and gives a record of what the
API said.  A chapter leaves on the stage what later ones need; a new subject is a new chapter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from backbone_client import Client
from backbone_client.fields import ProductFields, ScorecardFields
from backbone_client.lending_records import Loan, Transaction
from local.demo_record import DAY, Decision, Entry, Life, Quote, Record, Row, Sight, Split

#: The loan of the partner documentation's example with equal instalments, on its dates.  Its rows,
#: rounded each, sum to its rounded total, so that whole pence are collected exactly as quoted.
START = date(2018, 2, 9)
AMOUNT, RATE, INSTALLMENTS = Decimal("12000.00"), Decimal("12"), 6
MISSED = 3
TOLERANCE = 7
#: How long after its due date the missed row is paid.
PAID_LATE = DAY * 11
FEE_NAME, FEE = "Arrears fee", Decimal("25.00")
PRODUCT: ProductFields = {
    "type": "term_loan_equal_instalments",
    "name": "Six month term loan",
    "max_loan_amount": Decimal("25000.00"),
    "default_loan_amount": AMOUNT,
    "max_interest_rate": Decimal("30"),
    "default_interest_rate": RATE,
    "installments": INSTALLMENTS,
    "repayment_date_type": "day_of_month",
    "repayment_date_period": 14,
    "repayment_holiday_scheduling": "last_business_day_before_the_day",
    "arrears_tolerance": TOLERANCE,
    "default_fees": [{"name": FEE_NAME, "type": "flat", "amount": FEE, "event": "arrears"}],
}
SOURCES = {
    "bureau_score": "integer",
    "open_defaults": "integer",
    "monthly_income": "float",
    "monthly_outgoings": "float",
}
INSTALMENT = "({{application_amount}} / {{application_installments}})"
CARDS: tuple[ScorecardFields, ...] = (
    {
        "name": "Credit history",
        "threshold": 60,
        "stop_on_first_fail": True,
        "rules": [
            {"name": "Of age", "statement": "100 if {{end_user_age}} >= 18 else 0",
             "weight": Decimal("0.2"), "threshold": 100},
            {"name": "No open defaults", "statement": "100 if {{open_defaults}} == 0 else 0",
             "weight": Decimal("0.3"), "threshold": 100},
            {"name": "Bureau score", "statement": "min({{bureau_score}} / 10, 100)",
             "weight": Decimal("0.5"), "threshold": 50},
        ],
    },
    {
        "name": "Affordability",
        "threshold": Decimal("1.25"),
        "stop_on_first_fail": False,
        "rules": [
            {"name": "Disposable income over the principal of an instalment",
             "statement": f"({{{{monthly_income}}}} - {{{{monthly_outgoings}}}}) / {INSTALMENT}",
             "weight": 1, "threshold": Decimal("1.25")},
        ],
    },
)  # fmt: skip
ENGINE = "demo-1"


class StoryBroken(Exception):
    """The application did something else than the story needs to go on."""


class Narrator(Protocol):
    """Who is told how it goes."""

    def steps(self, more: int) -> None:
        """So many steps more are to come."""

    def done(self, steps: int, doing: str) -> None:
        """So many are done; what was being done."""

    def say(self, line: str) -> None:
        """Something worth a line."""


@dataclass
class Actor:
    """A borrower with a loan, and what has been seen of it."""

    title: str
    first_name: str
    points: dict[str, Any]
    misses: int | None = None
    application: str = ""
    decision: Decision | None = None
    loan: str = ""
    sights: list[Sight] = field(default_factory=list)

    @property
    def borrower(self) -> str:
        """The borrower's name."""
        return f"{self.first_name} Example"

    @property
    def status(self) -> str:
        """As it was last seen."""
        return self.sights[-1].status


def _actors() -> tuple[Actor, Actor]:
    figures = {"bureau_score": 742, "open_defaults": 0}
    on_time = {**figures, "monthly_income": "6200.50", "monthly_outgoings": "2400.25"}
    late = {**figures, "monthly_income": "5400.00", "monthly_outgoings": "2150.75"}
    return Actor("On time", "Robin", on_time), Actor("Missed", "Kim", late, misses=MISSED)


class Stage:
    """The partner's client, the business date and both actors."""

    def __init__(self, client: Client, narrator: Narrator) -> None:
        self.client, self.narrator = client, narrator
        self.today = START
        self.twin, self.late = _actors()
        self.product = ""
        self.quote: Quote
        self._keys = 0

    @property
    def actors(self) -> tuple[Actor, Actor]:
        """Both, the one who pays on time first."""
        return self.twin, self.late

    def goes_to(self, day: date) -> None:
        """Moves the clock, and waits where a long move is answered before its end."""
        reached = None
        while reached != day:
            before = reached
            reached = self.client.sandbox.move_clock(day).business_date
            if reached == before:
                raise StoryBroken(f"The clock stands still on {reached} on its way to {day}.")
        self.narrator.done((day - self.today).days, f"business date {day}")
        self.today = day

    def look(self, actor: Actor) -> Loan:
        """Reads a loan and keeps what was seen; a new status is told."""
        shown = self.client.loans.read(actor.loan)
        before = actor.sights[-1].status if actor.sights else None
        actor.sights.append(Sight(self.today, shown.status, Split.read(shown)))
        if before != shown.status:
            past = shown.days_past_due
            more = f", {past} day{'s' if past > 1 else ''} past due" if past else ""
            self.narrator.say(f"{self.today}  {actor.title}: {shown.status}{more}")
        return shown

    def transacts(self, actor: Actor, kind: str, amount: Decimal) -> Transaction:
        """Makes a transaction and confirms it by hand, as money that moved elsewhere."""
        self._keys += 1
        made = self.client.transactions.create(
            loan=actor.loan, type=kind, amount=amount, idempotency_key=f"demo-{self._keys}"
        )
        _expect(made.status, "pending", f"the {kind}")
        applied = self.client.transactions.apply(made.id)
        _expect(applied.status, "applied", f"the {kind}")
        return applied


def _expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise StoryBroken(f"{what} is {found}, not {wanted}")


def sets_the_clock(stage: Stage) -> None:
    """A partner without loans may start on any date."""
    stage.client.sandbox.move_clock(START)
    stage.narrator.done(1, f"the clock stands on {START}")


def makes_a_product(stage: Stage) -> None:
    """A draft, its quote, and it is published."""
    products = stage.client.products
    stage.product = products.create(**PRODUCT).id
    stage.quote = Quote.read(products.quote(stage.product, start_date=START))
    _expect(products.publish(stage.product).is_draft, False, "is_draft")
    quote = stage.quote
    stage.narrator.steps((quote.rows[-1].due - START).days)
    stage.narrator.say(
        f"quoted     {quote.amount} at {quote.rate} %: {len(quote.rows)} rows, "
        f"interest {quote.interest}, APR {quote.apr} %"
    )
    stage.narrator.done(1, "product published")


def sets_up_risk(stage: Stage) -> None:
    """Input sources, scorecards, a risk engine, and the selector that uses it."""
    client = stage.client
    for name, kind in SOURCES.items():
        client.input_sources.create(name=name, type=kind)
    cards = []
    for card in CARDS:
        cards.append(client.scorecards.create(**card).id)
        client.scorecards.activate(cards[-1])
    engine = client.risk_engines.create(version=ENGINE, scorecards=cards)
    client.risk_engines.activate(engine.id)
    client.selectors.create(product=stage.product, risk_engines=[{"version": ENGINE, "weight": 1}])
    stage.narrator.done(1, "risk engine active")


def decides(stage: Stage) -> None:
    """Each borrower applies, and is approved on what is known of them."""
    sources = {source.name: source.id for source in stage.client.input_sources.iterate()}
    for actor in stage.actors:
        _applies(stage, actor, sources)
        stage.narrator.done(1, f"{actor.borrower} approved")


def _applies(stage: Stage, actor: Actor, sources: dict[str, str]) -> None:
    client = stage.client
    borrower = client.end_users.create(
        type="individual", first_name=actor.first_name, last_name="Example",
        birth_date=date(1980, 1, 1), country="GB",
    )  # fmt: skip
    asked = client.applications.create(product=stage.product, end_user=borrower.id)
    actor.application = asked.id
    for name, value in actor.points.items():
        client.data_points.create(input_source=sources[name], application=asked.id, value=value)
    decided = client.applications.complete(asked.id)
    _expect(decided.status, "approved", f"the application ({decided.reason})")
    actor.decision = Decision.read(client.decisions.read(str(decided.decision)))
    stage.narrator.say(f"{stage.today}  {actor.title}: {actor.decision.line}")


def lends(stage: Stage) -> None:
    """Each loan is opened and disbursed."""
    for actor in stage.actors:
        actor.loan = stage.client.loans.create(application=actor.application).id
        stage.look(actor)
        stage.transacts(actor, "disbursement", stage.quote.amount)
        stage.look(actor)
        stage.narrator.done(1, f"{actor.title}: disbursed")


def collects(stage: Stage) -> None:
    """Row after row by hand; one payment of one loan is missed and made late."""
    for row in stage.quote.rows:
        _each_sees(stage, row.due)
        missing = [actor for actor in stage.actors if actor.misses == row.number]
        for actor in stage.actors:
            if actor not in missing:
                _pays(stage, actor)
        for actor in missing:
            stage.narrator.say(f"{stage.today}  {actor.title}: nobody pays")
            while stage.today < row.due + PAID_LATE:
                _each_sees(stage, stage.today + DAY)
            _expect(actor.status, "arrears", f"the loan {stage.today - row.due} after")
            _pays(stage, actor)
            _expect(actor.status, "active", "the loan after its late payment")


def _each_sees(stage: Stage, day: date) -> None:
    stage.goes_to(day)
    for actor in stage.actors:
        if actor.status != "closed":
            stage.look(actor)


def _pays(stage: Stage, actor: Actor) -> None:
    """What the loan says is to be paid next."""
    amount = stage.client.loans.read(actor.loan).next_repayment_amount
    if amount is None or amount <= 0:
        raise StoryBroken(f"{actor.title}: nothing to pay on {stage.today}")
    paid = Split.read(stage.transacts(actor, "repayment", amount))
    stage.narrator.say(
        f"{stage.today}  {actor.title}: paid {amount} "
        f"(principal {paid.principal}, interest {paid.interest}, fee {paid.fee})"
    )
    stage.look(actor)


CHAPTERS: tuple[Callable[[Stage], None], ...] = (
    sets_the_clock,
    makes_a_product,
    sets_up_risk,
    decides,
    lends,
    collects,
)
#: Steps that are no days: one for the clock, product, risk and the end, two for each borrower.
OTHER_STEPS = 8


def tell(client: Client, narrator: Narrator) -> Record:
    """Run the story for a fresh partner; its record.

    Raises :class:`StoryBroken` where it cannot go on.  Whether the figures are right is for
    ``local.demo_checks``.
    """
    stage = Stage(client, narrator)
    narrator.steps(OTHER_STEPS)
    for chapter in CHAPTERS:
        chapter(stage)
    twin, late = (_life(stage, actor) for actor in stage.actors)
    narrator.done(1, "transactions read")
    name = PRODUCT["name"]
    return Record(name, FEE_NAME, FEE, TOLERANCE, MISSED, stage.quote, twin, late)


def _life(stage: Stage, actor: Actor) -> Life:
    client = stage.client
    entries = [Entry.read(item) for item in client.transactions.iterate(loan=actor.loan)]
    schedule = client.loans.schedule(actor.loan).schedule
    assert actor.decision is not None
    return Life(
        title=actor.title,
        borrower=actor.borrower,
        decision=actor.decision,
        entries=tuple(reversed(entries)),
        sights=tuple(actor.sights),
        rows=tuple(Row.read(row) for row in schedule),
        close_substatus=client.loans.read(actor.loan).close_substatus,
    )
