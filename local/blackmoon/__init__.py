"""The Blackmoon simulator: a real HTTP server with the fourteen methods of its documentation.

Never deployed.  The core (``organisation`` and the modules named after what Blackmoon has) is pure:
time, ids and requests are passed in.  Around it stand the shell (``world``), the HTTP front
(``server``, ``forms``, ``api``, ``control``, ``pages``) and what all simulators share
(``local/simulating``).  How it fits together: ``docs/contributors/simulators.md``.
"""
