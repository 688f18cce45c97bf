"""One of the processes that answer for the API; `python -m serving` starts and watches them."""

import ctypes
import multiprocessing
import os
import signal
import sys
import traceback

from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from common import gc_tuning
from common.errors import SoukError
from common.settings import Settings
from common.telemetry import configure_logging
from serving.app import create_app

_PR_SET_PDEATHSIG = 1
"""Linux' prctl: the signal that comes when the parent has died."""


def create() -> FastAPI:
    """The application, in a process that it makes fit to serve; one that can't is not started again."""
    _end_with_parent()
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
    gc_tuning.tune_gc()
    return app


def _end_with_parent() -> None:
    """Make the kernel end this process when its parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    if parent and parent.pid != os.getppid():  # it died before the call above
        sys.exit(0)
