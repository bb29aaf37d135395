"""Backbone: an open lending platform.  The rooms: see docs/contributors/architecture.md."""

import gc

#: What is imported stays.  To look through it a hundred times while it is being made costs a cold
#: start 25 ms; cycles are still found, some MB later.
gc.set_threshold(50_000, 20, 20)
