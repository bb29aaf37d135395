"""What AWS asks: list prices of eu-west-2 (London) on demand, in US dollars, before tax.

As they were listed on the date below, without free tiers, savings plans and private discounts.
Check them before you rely on a figure: https://aws.amazon.com/pricing/
"""

from __future__ import annotations

from decimal import Decimal

REGION = "eu-west-2"
AS_OF = "January 2025"
MILLION = 1_000_000

DYNAMODB_WRITE = Decimal("0.7423") / MILLION
"""A write request unit, on demand."""
DYNAMODB_READ = Decimal("0.1485") / MILLION
DYNAMODB_GB_MONTH = Decimal("0.29715")
BACKUP_GB_MONTH = Decimal("0.23772")
"""Point-in-time recovery."""
LAMBDA_REQUEST = Decimal("0.20") / MILLION
LAMBDA_GB_SECOND = Decimal("0.0000166667")
"""x86, up to 6 billion GB-seconds a month."""
API_REQUEST = Decimal("3.50") / MILLION
"""REST, the first 333 million a month."""
FIREWALL_REQUEST = Decimal("0.60") / MILLION
SQS_REQUEST = Decimal("0.40") / MILLION
LOG_GB = Decimal("0.5985")
"""CloudWatch Logs, taken in."""
METRIC_MONTH = Decimal("0.30")
"""A custom metric, of the first 10,000."""
ALARM_MONTH = Decimal("0.10")
SECRET_MONTH = Decimal("0.40")
KEY_MONTH = Decimal("1.00")
DASHBOARD_MONTH = Decimal("3.00")


def firewall(rules: int) -> Decimal:
    """A web ACL with so many rules, a month; a group of rules that AWS keeps is one."""
    return Decimal("5.00") + rules * Decimal("1.00")
