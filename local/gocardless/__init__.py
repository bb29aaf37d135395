"""The GoCardless simulator: a real HTTP server that the official client works against unchanged.

Never deployed.  The core (``organisation`` and the modules named after what GoCardless has) is
pure: time, ids and requests are passed in.  Around it stand the shell (``world``, ``store``), the
HTTP front (``server``, ``api``, ``control``, ``pages``) and the webhooks' sender (``webhooks``).
How it fits together: ``docs/contributors/simulators.md``.
"""
