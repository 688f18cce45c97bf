"""The frame of a process that works in a loop and serves nothing but its health and metrics."""

import signal
import threading
from collections.abc import Callable, Mapping

from common.errors import UserError
from common.operations_server import serve_operations
from common.readiness import Check, ProcessReadiness
from common.settings import Part, Settings
from common.stopping import SIGNALS, Stopping
from common.telemetry import configure_logging, log_start_failure

Work = Callable[[Settings, threading.Event], None]
"""Works until the event is set, and returns within `stop_timeout_s` after that."""


def run_worker(name: str, part: Part, work: Work, checks: Callable[[Settings], Mapping[str, Check]]) -> int:
    """Call `work`, which runs until SIGTERM or SIGINT sets the event, and return the exit code.

    `name` is that of the process in its log, `part` is the part on whose port its health and metrics are, and
    `checks` makes what `/ready` checks. The exit code is 2 if a setting can't be used.
    """
    configure_logging(name)
    stopping = Stopping()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stopping.begin())
    try:
        settings = Settings.load()
        serve_operations(settings, part, ProcessReadiness(checks(settings), stopping))
    except UserError as error:
        log_start_failure(error)
        return 2
    work(settings, stopping.event)
    return 0
