"""The benchmark of webhooks, small: sick endpoints do not delay healthy ones."""

from __future__ import annotations

from bench import webhooks


def test_sick_endpoints_do_not_delay_healthy_ones() -> None:
    alone, beside = webhooks.compare(webhooks.Size(webhooks=100, endpoints=10, rate=10, scale=0.2))
    assert len(beside.delays("quick")) == 80 and not beside.missing("quick")
    assert len(alone.delays("quick")) == 80 and not alone.missing("quick")
    # Of few webhooks on a busy machine only the middle can be compared; the benchmark has them all.
    middle = webhooks.percentile(alone.delays("quick"), 0.5)
    assert webhooks.percentile(beside.delays("quick"), 0.5) <= 2 * max(middle, 0.2)
    # One that never answers keeps its worker for 3 seconds: nobody healthy waited for that.
    assert webhooks.percentile(beside.delays("quick"), 0.9) < max(
        3.0, 2 * webhooks.percentile(alone.delays("quick"), 0.9)
    )
