"""Ends a process when its parent dies (Linux)."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""The option of Linux' prctl that sets the signal a process gets when its parent dies."""


def end_with_parent(parent_pid: int) -> None:
    """Make the kernel send SIGTERM to this process when its parent dies; exit if it has died already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent_pid != os.getppid():
        sys.exit(0)
