"""The allocator settings under which both sides of a benchmark run.

Without them one side pays for fresh pages where the other has memory at hand.
"""

import os
import sys

TUNABLES = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8589934592:"
    "glibc.malloc.trim_threshold=17179869184"
)


def same_for_both(**more: str) -> None:
    """Start this script again with those settings, and `more`, unless it runs with them.

    They count from the start of a process on, so this comes before anything heavy is imported.
    """
    wanted = {"GLIBC_TUNABLES": TUNABLES, **more}
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})
