"""What may be agreed: all products, with terms of every kind; and days on which lives begin."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations

from hypothesis import strategies as st

from chalicelib.domain.account import DefaultFee
from tests.domain.lives import terms

REMINDER = DefaultFee("Reminder", "flat", Decimal("12.50"), "manual")
fees = st.sampled_from(
    [
        (),
        (REMINDER, DefaultFee("Arrears", "percent", Decimal("0.7"), "arrears")),
        (REMINDER, DefaultFee("Setup", "flat", Decimal(30), "disbursement")),
        (
            DefaultFee("Setup", "percent", Decimal("1.25"), "disbursement"),
            DefaultFee("Arrears", "flat", Decimal(15), "arrears"),
            DefaultFee("Default", "percent", Decimal(2), "default"),
        ),
    ]
)
COMMON = {
    "amount": st.sampled_from([Decimal(1000), Decimal("12345.67"), Decimal(100_000)]),
    "rate": st.sampled_from([Decimal(0), Decimal("3.9"), Decimal(12), Decimal("199.9")]),
    "arrears_tolerance": st.integers(0, 9),
    "default_tolerance": st.sampled_from([None, 0, 20]),
    "default_fees": fees,
    "calculate_interest_on_holidays": st.booleans(),
    "repayment_allocation": st.sampled_from(list(permutations(("fee", "interest", "principal")))),
    "repayment_date_type": st.sampled_from(
        ["day_of_month", "last_day_of_month", "first_day_of_month"]
    ),
    "repayment_date_period": st.integers(1, 31),
    "repayment_holiday_scheduling": st.sampled_from(
        ["on_day", "last_business_day_before_the_day", "first_business_day_after_the_day"]
    ),
    "automatic_collection": st.sampled_from([True, True, False]),
}
term_loans = st.builds(
    terms,
    kind=st.just("term_loan"),
    installments=st.one_of(st.integers(1, 14), st.just(36)),
    grace_instalments=st.integers(0, 2),
    principal_repayment_grace=st.integers(0, 2),
    interest_calculation=st.sampled_from(["equal_instalments", "equal_principal_payments"]),
    early_repayment_recalculation=st.sampled_from(["from_last_instalment", "reduced_instalments"]),
    **COMMON,
).filter(lambda t: t.grace_instalments + t.principal_repayment_grace < t.installments)
lines = st.builds(terms, kind=st.just("line_of_credit"), **COMMON)
revolving = st.builds(
    terms,
    kind=st.just("revolving_credit"),
    statement_day=st.integers(1, 31),
    minimum_repayment_percentage=st.sampled_from([Decimal(0), Decimal(5), Decimal(100)]),
    minimum_repayment_amount=st.sampled_from([Decimal(0), Decimal(25)]),
    **COMMON,
)
all_terms = st.one_of(term_loans, term_loans, lines, revolving)
starts = st.one_of(
    st.sampled_from(
        [
            date(2023, 12, 15),
            date(2024, 1, 31),
            date(2024, 2, 28),
            date(2024, 2, 29),
            date(2024, 3, 27),  # Good Friday is the 29th; the clocks change on the 31st
            date(2024, 12, 20),
            date(2025, 4, 14),
            date(2028, 2, 27),
        ]
    ),
    st.dates(date(2023, 1, 1), date(2029, 1, 1)),
)
