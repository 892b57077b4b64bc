"""What runs on Numba's simulator is collected there alone: test_simulator.py sees to it."""

import os

collect_ignore = [] if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" else ["simulated"]
