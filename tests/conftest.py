"""What has to be settled before anything is imported."""

import os

# Tests of determinism use up to 4 threads, on machines with fewer cores too.
os.environ.setdefault("NUMBA_NUM_THREADS", "4")
