"""Whether this machine lets its processes be in real time."""

import subprocess
import sys
from functools import cache

import pytest

from common.realtime import KEEPER


@cache
def may_go_first() -> bool:
    """Whether a process that this one starts may."""
    line = f"import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param({KEEPER}))"
    return subprocess.run([sys.executable, "-c", line], capture_output=True, check=False).returncode == 0


needs_real_time = pytest.mark.skipif(
    not may_go_first(), reason="real time needs CAP_SYS_NICE or a limit `rtprio` (limits.conf)"
)
