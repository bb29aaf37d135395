"""A loan's whole life over HTTP, three times: undisturbed, with a payment missed, and in trouble.

``tell(client, narrator, web, endpoint)`` runs :data:`CHAPTERS` in order and gives a record of what
the API, the payments provider and the webhooks said.  A chapter leaves on the stage what later ones
need; a new subject is a new chapter.  How money is collected is in ``local.demo_collecting``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx

from backbone_client import Client
from backbone_client.fields import ProductFields, ScorecardFields
from local.demo_collecting import collects
from local.demo_debits import Debit, Mandate, Told, debits_of, told
from local.demo_decisions import Decision
from local.demo_outside import Endpoint
from local.demo_record import DAY, Entry, Life, Quote, Record, Row, Split, in_order
from local.demo_stage import Actor, Narrator, Stage, StoryBroken, expect

#: The loan of the partner documentation's example with equal instalments, on its dates.  Its rows,
#: rounded each, sum to its rounded total, so that whole pence are collected exactly as quoted.
START = date(2018, 2, 9)
AMOUNT, RATE, INSTALLMENTS = Decimal("12000.00"), Decimal("12"), 6
#: Mandates are asked for so long before: the banks take some working days for them.
AHEAD = DAY * 4
#: The rows that go wrong, each for one borrower.
FAILED, MISSED, DISPUTED = 2, 3, 4
TOLERANCE = 7
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


def actors() -> tuple[Actor, Actor, Actor]:
    """Who borrows: one undisturbed, one who misses a payment, one whose bank makes trouble."""
    figures = {"bureau_score": 742, "open_defaults": 0}
    on_time = {**figures, "monthly_income": "6200.50", "monthly_outgoings": "2400.25"}
    late = {**figures, "monthly_income": "5400.00", "monthly_outgoings": "2150.75"}
    troubled = {**figures, "monthly_income": "5800.00", "monthly_outgoings": "2300.00"}
    return (
        Actor("On time", "Robin", on_time),
        Actor("Missed", "Kim", late, collected=False, misses=MISSED),
        Actor("Troubled", "Sam", troubled, fails=FAILED, disputes=DISPUTED, settles=True),
    )


def sets_the_clock(stage: Stage) -> None:
    """A partner without loans may start on any date."""
    stage.client.sandbox.move_clock(stage.today)
    stage.meets_the_provider()
    stage.narrator.done(1, f"the clock stands on {stage.today}")


def listens(stage: Stage) -> None:
    """The partner's endpoint for webhooks is registered, for everything that is sent."""
    endpoint = stage.client.webhook_endpoints.create(url=stage.endpoint.url, events=["*"])
    if endpoint.secret is None:
        raise StoryBroken("The endpoint's secret was not shown.")
    stage.endpoint.trusts(endpoint.secret)
    stage.narrator.done(1, "listening for webhooks")


def makes_a_product(stage: Stage) -> None:
    """A draft, its quote, and it is published."""
    products = stage.client.products
    stage.product = products.create(**PRODUCT).id
    stage.quote = Quote.read(products.quote(stage.product, start_date=START))
    expect(products.publish(stage.product).is_draft, False, "is_draft")
    quote = stage.quote
    stage.narrator.steps((quote.rows[-1].due - stage.today).days)
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


def meets_the_borrowers(stage: Stage) -> None:
    """Three people; two of them sign a mandate on the provider's own page."""
    for actor in stage.actors:
        actor.end_user = stage.client.end_users.create(
            type="individual", first_name=actor.first_name, last_name="Example",
            birth_date=date(1980, 1, 1), email=f"{actor.first_name.lower()}@example.com",
            address_line_1="1 Example Street", city="Leeds", postal_code="LS1 1AA", country="GB",
        ).id  # fmt: skip
        if actor.collected:
            _signs(stage, actor)
        stage.narrator.done(1, f"{actor.borrower} known")
    asked = stage.today
    while stage.today < START and any(a.collected and a.story is None for a in stage.actors):
        stage.goes_to(stage.today + DAY)
        for actor in stage.actors:
            if actor.collected and actor.story is None:
                _becomes_active(stage, actor, asked)
    stage.goes_to(START)
    for actor in stage.actors:
        if actor.collected and actor.story is None:
            raise StoryBroken(f"{actor.title}: the mandate is not active on {START}")


def _signs(stage: Stage, actor: Actor) -> None:
    """Asks for a mandate, and fills in the form behind its link as the borrower would."""
    back = stage.endpoint.url.rpartition("/")[0]
    links = {"success_url": f"{back}/signed", "failure_url": f"{back}/left"}
    made = stage.client.mandates.create(end_user=actor.end_user, **links)
    actor.mandate = made.id
    form = stage.browser.follows(made.authorisation_url)
    came_back_to, typed = stage.browser.agrees(form, actor.borrower)
    expect(came_back_to, links["success_url"], "where the form leads")
    actor.typed = typed
    stage.goes_to(stage.today)
    status = stage.client.mandates.read(made.id).status
    expect(status, "pending_submission", "the mandate that was signed")
    stage.narrator.say(f"{stage.today}  {actor.title}: mandate signed on the provider's form")


def _becomes_active(stage: Stage, actor: Actor, asked: date) -> None:
    shown = stage.client.mandates.read(actor.mandate)
    if shown.status == "active":
        actor.story = Mandate(asked, stage.today, shown.status, actor.typed)
        stage.narrator.say(f"{stage.today}  {actor.title}: mandate active, {shown.reference}")


def decides(stage: Stage) -> None:
    """Each borrower applies, and is approved on what is known of them."""
    sources = {source.name: source.id for source in stage.client.input_sources.iterate()}
    for actor in stage.actors:
        _applies(stage, actor, sources)
        stage.narrator.done(1, f"{actor.borrower} approved")


def _applies(stage: Stage, actor: Actor, sources: dict[str, str]) -> None:
    client = stage.client
    asked = client.applications.create(product=stage.product, end_user=actor.end_user)
    actor.application = asked.id
    for name, value in actor.points.items():
        client.data_points.create(input_source=sources[name], application=asked.id, value=value)
    decided = client.applications.complete(asked.id)
    expect(decided.status, "approved", f"the application ({decided.reason})")
    actor.decision = Decision.read(client.decisions.read(str(decided.decision)))
    stage.narrator.say(f"{stage.today}  {actor.title}: {actor.decision.line}")


def lends(stage: Stage) -> None:
    """Each loan is opened and disbursed; a mandate finds its borrower's loan by itself."""
    for actor in stage.actors:
        actor.loan = stage.client.loans.create(application=actor.application).id
        stage.look(actor)
        stage.transacts(actor, "disbursement", stage.quote.amount)
        stage.look(actor)
        stage.narrator.done(1, f"{actor.title}: disbursed")
    stage.goes_to(START)
    for actor in stage.actors:
        used = stage.client.loans.read(actor.loan).mandate or ""
        expect(used, actor.mandate, f"{actor.title}: the loan's mandate")


CHAPTERS: tuple[Callable[[Stage], None], ...] = (
    sets_the_clock,
    listens,
    makes_a_product,
    sets_up_risk,
    meets_the_borrowers,
    decides,
    lends,
    collects,
)
#: Steps that are no days: clock, endpoint, product, risk and the end; three for each borrower.
OTHER_STEPS = 14


def tell(client: Client, narrator: Narrator, web: httpx.Client, endpoint: Endpoint) -> Record:
    """Run the story for a fresh partner; its record.

    ``web`` is the borrower's and the provider's network, ``endpoint`` listens for webhooks.  Raises
    :class:`StoryBroken` where it cannot go on.  Whether the figures are right is for
    ``local.demo_checks``.
    """
    stage = Stage(client, narrator, web, endpoint, actors(), START - AHEAD)
    narrator.steps(OTHER_STEPS)
    for chapter in CHAPTERS:
        chapter(stage)
    twin, late, troubled = (_life(stage, actor) for actor in stage.actors)
    heard, logged = _webhooks(stage)
    narrator.done(1, "transactions and webhooks read")
    return Record(
        str(PRODUCT["name"]), FEE_NAME, FEE, TOLERANCE, MISSED, stage.quote, twin, late,
        troubled, FAILED, DISPUTED, heard, logged,
    )  # fmt: skip


def _life(stage: Stage, actor: Actor) -> Life:
    client = stage.client
    entries = [Entry.read(item) for item in client.transactions.iterate(loan=actor.loan)]
    schedule = client.loans.schedule(actor.loan).schedule
    assert actor.decision is not None
    debits: tuple[Debit, ...] = ()
    if actor.collected:
        mandate = client.mandates.read(actor.mandate).provider_mandate_id
        payments = stage.provider.payments(str(mandate))
        debits = debits_of(payments, stage.provider.events())
    known = {
        day: Split.read(client.loans.read(actor.loan, as_of=day))
        for day in {sight.on for sight in actor.sights}
    }
    return Life(
        title=actor.title,
        borrower=actor.borrower,
        decision=actor.decision,
        entries=in_order(entries),
        sights=tuple(actor.sights),
        rows=tuple(Row.read(row) for row in schedule),
        close_substatus=client.loans.read(actor.loan).close_substatus,
        debits=debits,
        mandate=actor.story,
        known=known,
        payoff=actor.payoff,
    )


def _webhooks(stage: Stage) -> tuple[tuple[Told, ...], tuple[str, ...]]:
    """What the endpoint received, in the demo's words; and the ids that the partner's log has."""
    logged = {row.id: row for row in stage.client.webhooks.iterate()}
    whose = {
        one: actor.title
        for actor in stage.actors
        for one in (actor.loan, actor.end_user, actor.application)
    }
    zone = ZoneInfo(stage.client.partner.read().timezone)
    days = {one: row.created_at.astimezone(zone).date() for one, row in logged.items()}
    hooks = [hook for hook in stage.endpoint.hooks if hook.id in days]
    strange = len(stage.endpoint.hooks) - len(hooks)
    if strange:
        raise StoryBroken(f"{strange} webhooks came that the log does not know.")
    delivered = tuple(one for one, row in logged.items() if row.status == "delivered")
    return told(hooks, days, whose), delivered
