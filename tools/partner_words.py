"""What the generated parts of the partners' pages say, where a table has no words of its own.

Keyed by the names in the tables; ``tools.partner_docs`` fails on a name without words and on words
without a name.
"""

from __future__ import annotations

from collections.abc import Mapping

#: machine -> command -> what makes the move.
MOVES: Mapping[str, Mapping[str, str]] = {
    "loan": {
        "disburse": "A disbursement is applied. The first one opens the account.",
        "fall late": "The business date is past the due date of an unpaid row.",
        "fall into arrears": "It is past it by more than `arrears_tolerance` days.",
        "fall into default": "The loan has been in arrears for more than `default_tolerance` "
        "days (only if the product sets it).",
        "cure": "Nothing is overdue any more.",
        "make_arrears": "`POST /loan/{id}/make_arrears/`",
        "make_default": "`POST /loan/{id}/make_default/`",
        "close": "By itself: a term loan with zero balances and nothing pending. "
        "By hand: `POST /loan/{id}/close/`",
        "cancel": "`POST /loan/{id}/cancel/`",
        "reopen": "What closed the loan is reverted, or its money is taken back by the provider.",
        "return": "The provider brings back the only disbursement: nothing was lent.",
    },
    "application": {
        "update": "`PATCH /application/{id}/`, `PUT /application/{id}/`, and its data points",
        "complete: accept": "`POST /application/{id}/complete/`, every scorecard passed",
        "complete: decline": "`POST /application/{id}/complete/`, a scorecard failed",
        "reopen": "`POST /application/{id}/reopen/`",
        "withdraw": "`POST /application/{id}/withdraw/`",
    },
    "transaction": {
        "apply": "`POST /transaction/{id}/apply/`",
        "fail": "The payments provider says that the money did not move: everything since is "
        "recalculated as if it had never been.",
        "retry": "`POST /transaction/{id}/retry/`, and by itself after a failure that may pass: it "
        "is sent to the provider again.",
        "revert": "`POST /transaction/{id}/revert/`: it is taken back with every later one.",
    },
}

#: code -> what it means and what to do.
ERRORS: Mapping[str, str] = {
    "validation_error": "A value is missing, unknown or malformed. `errors` lists every bad field. "
    "Correct the request.",
    "end_user_immutable": "An application keeps its end user and its product. Make a new one.",
    "not_authenticated": "`X-Api-Key` is missing, unknown or revoked.",
    "not_found": "There is no such thing or route, or it belongs to another partner.",
    "method_not_allowed": "The path exists, this method does not. `Allow` lists those that do.",
    "application_immutable": "The application has a loan: nothing about it changes any more.",
    "application_not_approved": "A loan needs an approved application.",
    "clock_backwards": "A sandbox clock goes back only while the partner has no loan.",
    "collections_not_configured": "There is no direct debit provider on this stage.",
    "conflict": "What must be unique is there already, or other requests changed the same thing "
    "at the same moment for too long. Read it again, then decide.",
    "credit_limit_exceeded": "Principal, pending disbursements and this one together are more than "
    "the loan's `amount`.",
    "data_points_missing": "The risk engine reads inputs that have neither a data point nor a "
    "default. `detail` names them.",
    "exceeds_outstanding": "The repayment is more than is owed. `detail` says how much is.",
    "idempotency_key_reused": "The key belongs to another request. Use a new one.",
    "invalid_status": "The thing is not in a state that allows this. `detail` says in which it is.",
    "loan_exists": "The application has its loan already.",
    "loan_not_open": "The loan is closed or cancelled.",
    "mandate_not_usable": "The mandate is not active, is disabled, or is another end user's.",
    "outstanding_balance": "A loan is closed as paid only when nothing is owed.",
    "product_is_draft": "Publish the product before anybody applies for it.",
    "product_published": "A published product never changes. Make another.",
    "risk_engine_not_configured": "No selector says which risk engine decides for the product.",
    "statement_closed": "The transaction belongs to a closed statement.",
    "transaction_pending": "A transaction of the loan is still pending. Apply it first.",
    "payload_too_large": "The body is larger than 1 MB.",
    "unsupported_media_type": "The body is not JSON in UTF-8.",
    "invalid_signature": "For the payments provider alone: the body is not signed with a secret "
    "that we share with it.",
    "throttled": "Too many requests. Wait as many seconds as `Retry-After` says.",
    "internal_error": "A fault of ours. Nothing was changed by it. Tell us the `request_id`.",
    "unavailable": "The service is not available just now. Wait as `Retry-After` says and send the "
    "same request with the same idempotency key.",
}

#: Codes that any route may answer.
ANYWHERE = frozenset(
    [
        "validation_error",
        "not_authenticated",
        "not_found",
        "method_not_allowed",
        "conflict",
        "idempotency_key_reused",
        "payload_too_large",
        "unsupported_media_type",
        "throttled",
        "internal_error",
        "unavailable",
    ]
)
