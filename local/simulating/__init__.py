"""What the simulators of the providers share, so that each holds only what its provider is.

``records`` is the pure core's ground (an organisation's records, changed or not at all), ``store``
and ``world`` keep them, ``front`` speaks HTTP, ``faults`` and ``control`` are for tests and the
sandbox, ``pages`` shows what there is, ``process`` is the command.
"""
