"""A worker process of the API. `python -m serving` starts and supervises the workers."""

import ctypes
import multiprocessing
import os
import signal
import sys

import structlog
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from common import gc_tuning
from common.errors import SoukError
from common.principal_token import derived_key
from common.settings import Settings
from common.telemetry import configure_logging, log_start_failure
from common.tracing import configure_tracing
from serving.app import create_app

_PR_SET_PDEATHSIG = 1
"""The option of Linux' prctl that sets the signal a process gets when its parent dies."""


def create() -> FastAPI:
    """Set up this worker process and return the application.

    If that fails, exit with `STARTUP_FAILURE`, so that uvicorn does not start another worker.
    """
    _end_with_parent()
    configure_logging("serving")
    try:
        settings = Settings.load()
        derived_key(settings, "principal tokens")  # says at once that secrets.toml is incomplete
        configure_tracing(settings)
        app = create_app(settings)
    except SoukError as error:
        log_start_failure(error)
        sys.exit(STARTUP_FAILURE)
    except Exception:  # another worker would fail in the same way
        structlog.get_logger().critical("can't start", exc_info=True)
        sys.exit(STARTUP_FAILURE)
    gc_tuning.tune_gc()
    return app


def _end_with_parent() -> None:
    """Make the kernel end this process when its parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    if parent and parent.pid != os.getppid():  # the parent died before the call above
        sys.exit(0)
