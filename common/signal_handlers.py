"""Handlers of signals for a `with` block."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def signal_handlers(
    handlers: Mapping[signal.Signals, Callable[[int, FrameType | None], object]],
) -> Iterator[None]:
    """Handle these signals, and restore the previous handlers at the end.

    A signal that the parent process ignores stays ignored, such as SIGHUP under `nohup`.
    """
    previous = {
        number: signal.signal(number, handler)
        for number, handler in handlers.items()
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Make SIGTERM, and SIGHUP of a closed terminal, raise KeyboardInterrupt as Ctrl-C does.

    What is printed after SIGHUP is discarded: the terminal is gone, and writing to it would fail.
    """
    with signal_handlers({signal.SIGTERM: signal.default_int_handler, signal.SIGHUP: _hang_up}):
        yield


def _hang_up(*_: object) -> NoReturn:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    raise KeyboardInterrupt
