"""The frame of a process that works in a loop and serves nothing but its metrics."""

import signal
import threading
from collections.abc import Callable

from common.errors import UserError
from common.metrics import serve_metrics
from common.settings import Part, Settings
from common.telemetry import configure_logging, log_start_failure


def run_worker(name: str, part: Part, work: Callable[[Settings, threading.Event], None]) -> int:
    """Call `work`, which runs until SIGTERM or SIGINT sets the event, and return the exit code.

    `name` is that of the process in its log, and `part` is the part on whose port its metrics are. The exit
    code is 2 if a setting can't be used.
    """
    configure_logging(name)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = Settings.load()
        serve_metrics(settings, part)
    except UserError as error:
        log_start_failure(error)
        return 2
    work(settings, stop)
    return 0
