"""GoCardless: direct debit mandates and payments (API version 2015-07-06)."""
