"""What the document says in words."""

from __future__ import annotations

from collections.abc import Mapping

TITLE = "Backbone partner API"

DESCRIPTION = """\
Lend and be repaid: products, borrowers, risk decisions, applications, loans, transactions.

**Transport.** JSON in, JSON out, UTF-8. Every path is served with and without its closing slash. \
Every response carries `X-Request-Id` (your own, if you sent a sane one).

**Keys.** Send `X-Api-Key` with every request. A key belongs to one partner; nothing of another \
partner can be seen or named: its ids answer like ids that never existed.

**Values.** Ids are UUIDs, dates `YYYY-MM-DD`, instants RFC 3339 in UTC. Money is exact decimal: \
send a number or a string (`1000`, `"1000.00"`) of at most two decimals; answers have exactly \
two. Read it with a decimal type, not a float. No number has more than 40 digits; in a query \
none has an exponent. Rates are annual percentages: `5` is 5 %. Texts hold no control \
characters; blanks around them are taken off. An unknown field is refused; a read-only field \
that the resource itself returns may be sent back and is ignored.

**Errors.** Every error is `application/problem+json` (RFC 9457) with a stable `code`; a refused \
request changes nothing. A method that a path does not have is `405 method_not_allowed` with \
`Allow`; a path that does not exist is `404 not_found`.

**Lists.** `limit` and `offset`, or follow `next` as it is: its cost does not grow with its depth. \
Filters of different fields combine with *and*; several values with commas between mean any of \
them. `format=csv` (or `Accept: text/csv`) gives the whole filtered result.

**Once and only once.** Every `POST` takes an `Idempotency-Key` header, remembered for at least 24 \
hours; transactions need a key, kept for ever. The same key with the same request returns the \
first answer again with `Idempotent-Replayed: true`; with another request it is \
`409 idempotency_key_reused`.
"""

#: Tag -> what it is about, in the order in which a partner meets them.
TAGS: Mapping[str, str] = {
    "Products": "What you lend: the type, the maxima and the rules of repayment. A product is a "
    "draft until it is published, and never changes after that.",
    "End users": "The people and companies that borrow.",
    "Risk": "How applications are decided: input sources and data points, scorecards of weighted "
    "rules, risk engines as versions, selectors by product, and the decisions made.",
    "Applications": "What borrowers ask for. Completing an application decides it in the request.",
    "Loans": "The accounts: opened for an approved application, running from the first "
    "disbursement until they are closed.",
    "Transactions": "Disbursements, repayments and fees, each made once and only once, and what "
    "the system books by itself.",
    "Statements": "The monthly statements of revolving credit.",
    "Mandates": "Direct debit mandates of end users.",
    "Webhooks": "Where events are sent to, and the log of what was sent.",
    "Webhook events": "What is sent to your endpoints, signed by the Standard Webhooks "
    "specification, at least once, in order per loan where you answer with a 2xx.",
    "Partner": "Your own settings and API keys.",
    "Providers": "What payment providers told us, as it came.",
    "Blackmoon": "Loans offered and sold to investors.",
    "Reports": "Trial balance, portfolio and settlement on a date.",
    "Operations": "Alarms, provider events, health and this document.",
    "Sandbox": "Your own clock, on stages that are a sandbox: a move runs every day between.",
}
