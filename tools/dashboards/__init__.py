"""Dashboards: defined in ``infra/dashboards/``, shown by CloudWatch and by a page here."""
