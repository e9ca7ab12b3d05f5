"""What the server from which workers are forked does beside: it ends last, and removes the folder of its sockets."""

from __future__ import annotations

import atexit

from bench.engines.sockets import remove_abandoned

# Workers, which are forked from it, end without these.
atexit.register(remove_abandoned)
