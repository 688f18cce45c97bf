"""Runs a process of a worker until it ends, takes too long, or the worker is told to stop."""

import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from common.settings import ROOT

POLL_S = 0.5


@dataclass(frozen=True)
class ProcessEnd:
    """How a process ended: its exit code (below 0: the signal that ended it) and how long it ran in seconds.

    `is_stopped` says that the worker was told to stop, and `reason` why a process has left no result.
    """

    code: int
    seconds: float
    is_stopped: bool
    reason: str


def run_bounded(
    command: Sequence[str],
    environment: Mapping[str, str],
    limit_s: float,
    stop: threading.Event,
    end_timeout_s: float,
    part: str,
) -> ProcessEnd:
    """Run a command in the checkout for at most `limit_s`, or until `stop` is set, and return how it ended.

    It is ended by SIGTERM, and by SIGKILL if it has not ended `end_timeout_s` later. `part` names the log.
    """
    began_s = monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    while process.poll() is None and not stop.is_set() and monotonic() - began_s < limit_s:
        stop.wait(POLL_S)
    is_late = process.poll() is None and not stop.is_set()
    if process.poll() is None:
        end_process(process, end_timeout_s)
    reason = f"it took longer than {limit_s:,.0f} s" if is_late else _how_it_ended(process.returncode, part)
    return ProcessEnd(process.returncode, monotonic() - began_s, stop.is_set(), reason)


def end_process(
    process: "subprocess.Popen[bytes]", timeout_s: float, stop_signal: signal.Signals = signal.SIGTERM
) -> None:
    """Send a signal to a process, and SIGKILL if it has not ended `timeout_s` later."""
    process.send_signal(stop_signal)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _how_it_ended(code: int, part: str) -> str:
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with code {code}: ./souk logs {part} says why"
