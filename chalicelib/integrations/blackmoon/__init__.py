"""Blackmoon: offers of loans to investors, daily data, collateral and cessions."""
