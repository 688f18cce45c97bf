"""A worker process of the API. `python -m serving` starts and supervises the workers."""

import multiprocessing
import sys

import structlog
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from common import gc_tuning
from common.errors import SoukError
from common.parent_process import end_with_parent
from common.settings import Settings
from common.telemetry import configure_logging, log_start_failure
from common.tracing import configure_tracing
from serving.app import create_app


def create() -> FastAPI:
    """Set up this worker process and return the application.

    If that fails, exit with `STARTUP_FAILURE`, so that uvicorn does not start another worker.
    """
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        end_with_parent(parent.pid)
    configure_logging("serving")
    try:
        settings = Settings.load()
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
