"""A request that really runs for every body: posted by the tests, shown in the document.

A :class:`Ref` stands for the id of a living thing of a kind.  The tests make one; the document
shows an id that looks like one.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.handlers.openapi.refs import Example, Ref, uuid_of
from chalicelib.handlers.openapi.schemas import Json
from chalicelib.handlers.routing import Operation


def of(operation: Operation) -> tuple[Example, ...]:
    """The examples of an operation, the telling one first."""
    return EXAMPLES.get(operation.name, ())


def shown(operation: Operation) -> Json:
    """As OpenAPI holds them: name -> summary and value."""
    found: Json = {}
    for number, example in enumerate(of(operation)):
        name = operation.name if number == 0 else f"{operation.name}_{number + 1}"
        found[name] = {"summary": example.summary, "value": example.filled(_seen)}
    return found


def _seen(ref: Ref) -> str:
    if ref.attribute == "id":
        return uuid_of(ref.kind)
    return SHOWN_TEXTS.get(ref.attribute, uuid_of(ref.attribute))


#: What the document shows for other fields than ids.
SHOWN_TEXTS: Mapping[str, str] = {"version": "2026-03"}

_TERM_LOAN = {
    "type": "term_loan_equal_instalments",
    "name": "Business term loan",
    "max_loan_amount": "50000.00",
    "default_loan_amount": "10000.00",
    "max_interest_rate": 24,
    "default_interest_rate": 12,
    "installments": 12,
    "default_fees": [
        {"name": "Arrangement fee", "type": "percent", "amount": 2, "event": "disbursement"},
        {"name": "Late fee", "type": "flat", "amount": "12.00", "event": "arrears"},
    ],
    "repayment_date_type": "day_of_month",
    "repayment_date_period": 14,
    "repayment_holiday_scheduling": "first_business_day_after_the_day",
}
_REVOLVING = {
    "type": "revolving_credit",
    "name": "Revolving credit",
    "max_loan_amount": 5000,
    "max_interest_rate": "29.9",
    "statement_day": 1,
    "repayment_date_type": "day_of_month",
    "repayment_date_period": 20,
    "minimum_repayment_percentage": 5,
    "minimum_repayment_amount": "25.00",
}
_LINE_OF_CREDIT = {
    "type": "line_of_credit",
    "name": "Flexible line",
    "max_loan_amount": "20000.00",
    "max_interest_rate": "18.5",
}
_PERSON = {
    "type": "individual",
    "first_name": "Test",
    "last_name": "Borrower",
    "birth_date": "1980-01-01",
    "address_line_1": "1 Example Street",
    "city": "London",
    "postal_code": "EC1A 1AA",
    "country": "GB",
    "mobile_number": "",
    "email": "borrower@example.com",
}
_COMPANY = {
    "type": "limited_company",
    "company_name": "Example Trading Ltd",
    "company_number": "00000000",
    "country": "GB",
}
_SCORECARD = {
    "name": "Credit history",
    "threshold": "0.5",
    "stop_on_first_fail": False,
    "rules": [
        {
            "name": "Score",
            "statement": "{{credit_score}} >= 600",
            "weight": "0.75",
            "threshold": 1,
        },
        {
            "name": "Nothing overdue",
            "statement": "{{end_user_worst_days_past_due}} == 0",
            "weight": "0.25",
            "threshold": 1,
        },
    ],
}
_ENGINE = {"version": "2026-04", "scorecards": [Ref("active_scorecard")]}
_SELECTOR = {"risk_engines": [{"version": Ref("active_engine", "version"), "weight": 1}]}
_APPLICATION = {
    "product": Ref("product"),
    "end_user": Ref("end_user"),
    "amount": "8000.00",
    "installments": 12,
    "rate": "10.5",
    "custom_fields": {"channel": "web"},
}

_ADDRESS = {
    "address_line_1": "3 Example Street",
    "city": "Leeds",
    "postal_code": "LS1 1AA",
    "country": "GB",
}
_AT_ADDRESS = (Ref("address", "end_user"), Ref("address"))
_AT_ASSIGNMENT = (Ref("assignment", "company"), Ref("assignment"))
UNCONFIGURED = "collections_not_configured"

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "post_product": (
        Example("A term loan in equal instalments", _TERM_LOAN),
        Example("Revolving credit with monthly statements", _REVOLVING),
        Example("A line of credit", _LINE_OF_CREDIT),
    ),
    "put_product_pk": (
        Example("The whole product anew", {**_TERM_LOAN, "installments": 24}, "draft_product"),
    ),
    "patch_product_pk": (
        Example("Another maximum", {"max_loan_amount": "60000.00"}, "draft_product"),
    ),
    "post_end_user": (Example("A person", _PERSON), Example("A company", _COMPANY)),
    "put_end_user_pk": (Example("All details anew", {**_PERSON, "city": "Leeds"}, "end_user"),),
    "patch_end_user_pk": (
        Example("Another address", {"address_line_1": "2 Example Street"}, "end_user"),
    ),
    "post_input_source": (
        Example(
            "A number with a default",
            {
                "name": "bureau_score",
                "type": "integer",
                "default": 500,
                "description": "The bureau's score, 0 to 999.",
            },
        ),
    ),
    "put_input_source_pk": (
        Example(
            "Without a default",
            {"name": "another_score", "type": "integer"},
            "input_source",
        ),
    ),
    "patch_input_source_pk": (Example("Another default", {"default": 550}, "input_source"),),
    "post_data_point": (
        Example(
            "What the bureau said of this applicant",
            {
                "input_source": Ref("input_source"),
                "application": Ref("incomplete_application"),
                "value": 720,
            },
        ),
    ),
    "put_data_point_pk": (Example("Another value", {"value": 705}, "data_point"),),
    "patch_data_point_pk": (Example("Another value", {"value": 690}, "data_point"),),
    "post_scorecard": (Example("Two weighted rules", _SCORECARD),),
    "put_scorecard_pk": (
        Example("Another threshold", {**_SCORECARD, "threshold": "0.75"}, "scorecard"),
    ),
    "patch_scorecard_pk": (
        Example("Stop at the first failing rule", {"stop_on_first_fail": True}, "scorecard"),
    ),
    "post_risk_engine": (Example("A version of one scorecard", _ENGINE),),
    "put_risk_engine_pk": (
        Example("The whole version anew", {**_ENGINE, "version": "2026-05"}, "risk_engine"),
    ),
    "patch_risk_engine_pk": (Example("Another name", {"version": "2026-06"}, "risk_engine"),),
    "post_risk_engine_selector": (
        Example(
            "One engine decides all applications",
            {"product": Ref("product_without_selector"), **_SELECTOR},
        ),
    ),
    "put_risk_engine_selector_pk": (
        Example("The same anew", {"product": Ref("selector", "product"), **_SELECTOR}, "selector"),
    ),
    "patch_risk_engine_selector_pk": (Example("Another engine", _SELECTOR, "selector"),),
    "post_application": (
        Example("What the borrower asks for", _APPLICATION),
        Example(
            "Amount, instalments and rate from the product",
            {"product": Ref("product"), "end_user": Ref("end_user")},
        ),
    ),
    "put_application_pk": (
        Example(
            "The whole application anew",
            {
                **_APPLICATION,
                "product": Ref("incomplete_application", "product"),
                "end_user": Ref("incomplete_application", "end_user"),
            },
            "incomplete_application",
        ),
    ),
    "patch_application_pk": (
        Example("Another amount", {"amount": "7500.00"}, "incomplete_application"),
    ),
    "post_loan": (
        Example("As it was approved", {"application": Ref("approved_application")}),
        Example(
            "With other terms",
            {
                "application": Ref("approved_application"),
                "amount": "5000.00",
                "rate": "9.9",
                "installments": 10,
                "grace_instalments": 1,
                "principal_repayment_grace": 1,
                "arrears_tolerance": 14,
            },
        ),
    ),
    "post_loan_pk_close": (
        Example(
            "Nothing is owed any more",
            {"close_reason": "Settled early", "close_substatus": "paid_in_full"},
            "paid_loan",
        ),
        Example(
            "What is owed is written off",
            {"close_reason": "Insolvency", "close_substatus": "written_off"},
            "active_loan",
        ),
    ),
    "post_transaction": (
        Example(
            "A disbursement",
            {
                "loan": Ref("inactive_loan"),
                "type": "disbursement",
                "amount": "1500.00",
                "idempotency_key": "disbursement-1",
            },
        ),
        Example(
            "A repayment that came by bank transfer",
            {
                "loan": Ref("active_loan"),
                "type": "repayment",
                "amount": "120.00",
                "reference": "INV-1",
                "collect": False,
                "idempotency_key": "repayment-1",
            },
        ),
        Example(
            "A fee by hand",
            {
                "loan": Ref("active_loan"),
                "type": "fee",
                "name": "Letter",
                "fee_type": "flat",
                "amount": "10.00",
                "idempotency_key": "fee-1",
            },
        ),
    ),
    "post_transaction_pk_apply": (Example("On the business date", {}, "pending_transaction"),),
    "post_end_user_pk_address": (
        Example("Where the borrower has moved to", _ADDRESS, "end_user"),
        Example(
            "A former address",
            {**_ADDRESS, "valid_from": "2020-01-01", "is_current": False},
            "end_user",
        ),
    ),
    "put_end_user_pk_address_sub": (
        Example("The whole address anew", {**_ADDRESS, "city": "York"}, _AT_ADDRESS),
    ),
    "patch_end_user_pk_address_sub": (
        Example("Another postal code", {"postal_code": "LS1 1AB"}, _AT_ADDRESS),
    ),
    "post_end_user_pk_assign_enduser": (
        Example("A director", {"end_user": Ref("end_user"), "role": "director"}, "company"),
    ),
    "put_end_user_pk_assign_enduser_sub": (
        Example(
            "Another person in it",
            {"end_user": Ref("end_user"), "role": "guarantor"},
            _AT_ASSIGNMENT,
        ),
    ),
    "patch_end_user_pk_assign_enduser_sub": (
        Example("Another role", {"role": "owner"}, _AT_ASSIGNMENT),
    ),
    "post_loan_pk_set_go_cardless_mandate": (
        Example(
            "Collect it by this mandate", {"mandate": Ref("mandate")}, "inactive_loan", UNCONFIGURED
        ),
    ),
    "post_mandate": (
        Example(
            "A form for the borrower to fill in",
            {
                "end_user": Ref("end_user"),
                "success_url": "https://lender.example.com/mandate/done",
                "failure_url": "https://lender.example.com/mandate/failed",
            },
            refused=UNCONFIGURED,
        ),
    ),
    "post_mandate_pk_manage_state": (
        Example("Do not use it", {"is_disabled": True}, "mandate", UNCONFIGURED),
    ),
    "post_webhook_endpoint": (
        Example("Every event", {"url": "https://lender.example.com/webhooks"}),
        Example(
            "Some events",
            {
                "url": "https://lender.example.com/webhooks",
                "events": ["loan_is_late", "repayment_result"],
            },
        ),
    ),
    "put_webhook_endpoint_pk": (
        Example(
            "The whole endpoint anew",
            {"url": "https://lender.example.com/hooks", "events": ["*"]},
            "webhook_endpoint",
        ),
    ),
    "patch_webhook_endpoint_pk": (
        Example("Nothing for a while", {"is_disabled": True}, "webhook_endpoint"),
    ),
    "patch_partner": (
        Example("Another name and calendar", {"name": "Example Lending", "calendar": "GB-SCT"}),
    ),
    "post_sandbox_clock": (Example("Through the month", {"business_date": "2026-04-01"}),),
}
