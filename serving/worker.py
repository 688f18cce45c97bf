"""One of the processes that answer for the API; `python -m serving` starts and watches them."""

import ctypes
import multiprocessing
import os
import signal
import sys
import traceback
from contextlib import suppress

from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from common import garbage, realtime
from common.errors import SoukError
from common.settings import Settings
from common.telemetry import configure_logging
from serving.app import create_app

_PR_SET_PDEATHSIG = 1
"""Linux' prctl: the signal that comes when the parent has died."""


def create() -> FastAPI:
    """The application, in a process that it makes fit to serve; one that can't is not started again."""
    _stand_alone()
    configure_logging("serving")
    try:
        settings = Settings.load()
        app = create_app(settings)
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        sys.exit(STARTUP_FAILURE)
    except Exception:  # whatever it is, the next process would meet it, too
        traceback.print_exc()
        sys.exit(STARTUP_FAILURE)
    garbage.look_rarely()
    realtime.go_first(settings, realtime.ANSWERS)
    return app


def _stand_alone() -> None:
    """Take a session of its own, and end with the parent.

    Where the kernel shares cores out by session, each of these processes has a share like any other part's:
    one that takes most of those that answer waits for all others (docs/decisions/live-rate.md).
    """
    with suppress(PermissionError):  # it leads one already
        os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    if parent and parent.pid != os.getppid():  # it died before we asked to hear of it
        sys.exit(0)
