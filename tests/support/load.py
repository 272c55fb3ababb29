"""Other work for the machine: one process per core that never rests, for the length of a block."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Ends by itself with whoever started it, killed or not, and after a time in any case.
BUSY = """
import os, sys, time
parent, ends_at_s = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
while os.getppid() == parent and time.monotonic() < ends_at_s:
    sum(range(100_000))
"""


@contextmanager
def busy_cores(*, limit_s: float) -> Iterator[list[int]]:
    """Keep every core that this process may use busy; yields the ids of the processes that do."""
    command = [sys.executable, "-S", "-c", BUSY, str(os.getpid()), str(limit_s)]
    loops = [subprocess.Popen(command) for _ in os.sched_getaffinity(0)]
    try:
        yield [loop.pid for loop in loops]
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
