"""The laptop stack: the real application against embedded AWS services. Never deployed.

Its tools speak to the partner API through ``backbone_client`` as it stands in ``clients/python``,
without an installation.
"""

import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent / "clients" / "python" / "src"
if str(CLIENT) not in sys.path:
    sys.path.insert(0, str(CLIENT))
