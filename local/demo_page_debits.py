"""The sections of the demo's page about direct debits and webhooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby

from local.demo_charts import day, money
from local.demo_debits import Debit, Step, Told
from local.demo_html import Cell, figure, keys, number, table, text, words
from local.demo_record import Life, Record, Row
from local.demo_timeline import Lane, Mark, shape, timeline

#: What the provider tells, in a reader's words; what is not here is no news for a reader.
STEPS = {
    "created": ("asked", "asked for"),
    "failed": ("refused", "refused"),
    "resubmission_requested": ("again", "asked again"),
    "confirmed": ("arrived", "arrived"),
    "charged_back": ("back", "taken back"),
}
CAUSES = {
    "payment_created": "by the platform, five days before it is due",
    "refer_to_payer": "by the borrower’s bank: most likely there was too little money",
    "payment_retried": "by the platform, for the third working day after",
    "payment_confirmed": "the bank had its time to refuse, and did not",
    "authorisation_disputed": "by the borrower’s bank: the borrower disputes it",
}
MEANINGS = (
    ("asked", "asked for"),
    ("refused", "refused by the bank"),
    ("again", "asked for again"),
    ("arrived", "arrived for certain"),
    ("back", "taken back by the bank"),
    ("card", "paid by card"),
)
EVENTS = {
    "application_processing_finished": "An application was decided",
    "disbursement_result": "The loan’s money was paid out",
    "loan_closed": "A loan was closed",
    "loan_is_arrears": "A loan came into arrears",
    "loan_is_late": "A loan became late",
    "mandate_created": "A direct debit mandate became active",
    "repayment_charged_back": "A bank took a payment back",
    "repayment_created": "A payment was asked for at the provider",
    "repayment_due_day_soon": "A payment is due in five days",
    "repayment_result": "A payment arrived or failed",
}


def collections(record: Record) -> str:
    """How mandates came about, and what became of each payment."""
    return (
        "<p>Two of the borrowers let their payments be collected. Nobody does anything for "
        "it: the platform asks for each payment five days ahead, and a payment counts once the "
        "borrower’s bank can no longer refuse it.</p>"
        + _mandates(record)
        + keys((shape(kind, Decimal(18), Decimal(7)), meaning) for kind, meaning in MEANINGS)
        + "".join(_payments(record, life) for life in record.lives if life.debits)
    )


def _mandates(record: Record) -> str:
    rows = [
        (
            "",
            [
                words(life.borrower),
                words(day(life.mandate.signed_on)),
                words(_typed(life.mandate.typed)),
                words(day(life.mandate.active_on)),
                words(life.mandate.status),
            ],
        )
        for life in record.lives
        if life.mandate
    ]
    heads = [words(head) for head in (
        "Borrower", "Form filled in on", "What the borrower had to type", "Active since", "Mandate"
    )]  # fmt: skip
    return table("Mandates: signed on the payments provider’s own page", heads, rows)


def _typed(names: Iterable[str]) -> str:
    known = {"account_holder_name": "name on the account", "branch_code": "sort code"}
    found = [known.get(name, name.replace("_", " ")) for name in names]
    return ", ".join(found) + "; the rest was filled in"


def _payments(record: Record, life: Life) -> str:
    rows = _collected(record, life)
    lanes = [_lane(life, row, debit) for row, debit in rows]
    troubles = [lane for lane in lanes if lane.style != "good"]
    told = (
        f"{len(lanes)} payments, each a line from being asked for until it arrived; "
        f"{len(troubles) or 'none'} with trouble. The table below has every step."
    )
    what = f"{life.title}: payments by the days around their due date"
    chart = timeline(f"payments-{life.title.lower().replace(' ', '-')}", what, told, lanes)
    return (
        f"<h3>{text(life.title)}: {text(life.borrower)}</h3>{figure(what, chart)}"
        f"{_story(record, life)}" + _steps(life, rows)
    )


def _collected(record: Record, life: Life) -> list[tuple[Row, Debit]]:
    """Each row with its payment; a row that was paid off has none of its own."""
    rows: dict[str, tuple[Row, Debit]] = {}
    for row in record.quote.rows:
        debit = life.debit_of(row)
        if debit is not None:
            rows.setdefault(debit.payment, (row, debit))
    return list(rows.values())


def _lane(life: Life, row: Row, debit: Debit) -> Lane:
    marks = [
        Mark((step.on - row.due).days, *STEPS[step.action], f"{day(step.on)}: {step.cause}")
        for step in debit.steps
        if step.action in STEPS
    ]
    troubled = debit.attempts > 1 or debit.count("charged_back") > 0
    if not troubled:
        marks = [Mark(mark.day, mark.kind, "", mark.title) for mark in marks]
    end, style = "arrived", "good"
    if debit.attempts > 1:
        end, style = f"arrived at attempt {debit.attempts}", "strong"
    if debit.count("charged_back"):
        end, style = "taken back by the bank", "bad"
        again = next((e for e in life.repayments if not e.how and e.on >= row.due), None)
        if again is not None:
            marks.append(Mark((again.on - row.due).days, "card", "paid by card", day(again.on)))
            end = "taken back, paid by card"
    note = f"due {day(row.due)}"
    return Lane(money(debit.amount), note, marks, end, style)


def _story(record: Record, life: Life) -> str:
    if life is not record.troubled:
        return ""
    back = life.taken_back[0] if life.taken_back else None
    retried = life.debit_of(record.quote.rows[record.failed - 1])
    lines = []
    if retried is not None:
        refused = retried.when("failed") or retried.charged_on
        lines.append(
            f"Payment {record.failed} was refused on {day(refused)}"
            f" and charged again on {day(retried.charged_on)}: one payment, {retried.attempts} "
            "attempts. Until the second one had gone well the loan was late, counted from the "
            "due date, and bore interest for those days."
        )
    if back is not None:
        disputed = record.quote.rows[record.disputed - 1]
        lines.append(
            f"Payment {record.disputed} had arrived, but on {day(back.on)} the bank took "
            f"{money(back.amount)} back. What it had paid was owed again "
            f"({money(back.split.principal)} of principal, {money(back.split.interest)} of "
            f"interest), and the loan was late since its due date, {day(disputed.due)}. Nothing "
            "was asked for again by itself; the borrower paid by card."
        )
    if life.payoff is not None and life.settled_on is not None:
        lines.append(
            f"On {day(life.settled_on)} the borrower asked what would settle the loan, was told "
            f"{money(life.payoff)}, and paid it. The last payment was therefore never asked for."
        )
    return "".join(f"<p>{text(line)}</p>" for line in lines)


def _steps(life: Life, rows: list[tuple[Row, Debit]]) -> str:
    found = [
        (
            "status" if first else "",
            [
                Cell(text(f"{row.number}. due {day(row.due)}") if first else "", "day"),
                number(money(debit.amount) if first else ""),
                Cell(day(step.on), "day"),
                words(STEPS[step.action][1].capitalize()),
                words(CAUSES.get(step.cause, step.cause.replace("_", " "))),
            ],
        )
        for row, debit in rows
        for first, step in _firsts(debit)
    ]
    heads = [words("Payment"), Cell("Amount", "n"),
             *(words(head) for head in ("Date", "What happened", "Why"))]  # fmt: skip
    return table(f"{life.title}: every step that the provider told, in pounds", heads, found)


def _firsts(debit: Debit) -> Iterator[tuple[bool, Step]]:
    """The steps that are news for a reader, and whether each is the payment's first."""
    steps = [step for step in debit.steps if step.action in STEPS]
    return ((step is steps[0], step) for step in steps)


def webhooks(record: Record) -> str:
    """What the partner's endpoint received."""
    heard = record.heard
    wrong = [one for one in heard if one.flaw]
    verdict = (
        f'<span class="bad">{len(wrong)} with a wrong signature.</span>'
        if wrong
        else '<span class="good">Every signature was verified.</span>'
    )
    return (
        f"<p>While all this happened the lender’s own system was told of it: {len(heard)} signed "
        f"messages (webhooks), each as soon as it happened. {verdict}</p>"
        + _kinds(heard)
        + _all(heard)
    )


def _kinds(heard: Iterable[Told]) -> str:
    counted = Counter(one.event for one in heard)
    rows = [
        ("", [words(EVENTS.get(event, event)), Cell(f"<code>{text(event)}</code>"), number(many)])
        for event, many in counted.most_common()
    ]
    heads = [words("What it says"), words("Event"), Cell("Received", "n")]
    return table("Webhooks by kind", heads, rows)


def _all(heard: Iterable[Told]) -> str:
    rows = []
    for on, found in groupby(heard, lambda one: one.on):
        for place, one in enumerate(found):
            signature = Cell("verified", "good") if not one.flaw else Cell(text(one.flaw), "bad")
            rows.append(
                (
                    "first" if place == 0 else "",
                    [
                        Cell(day(on), "day"),
                        Cell(f"<code>{text(one.event)}</code>"),
                        words(one.whose),
                        words(one.figures),
                        signature,
                    ],
                )
            )
    heads = [words(head) for head in (
        "Business date", "Event", "Loan", "Main figures", "Signature"
    )]  # fmt: skip
    return table("Every webhook, in the order in which they arrived", heads, rows)
