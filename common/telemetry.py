"""Configures logging: structured lines on standard error."""

import logging
import os
import sys

import structlog


def configure_logging(process: str) -> None:
    """Configure structlog for one process: key=value lines, or JSON if `SOUK_LOG_JSON=1`.

    Call once, from `main()`. Every line contains `process`.
    """
    as_json = os.environ.get("SOUK_LOG_JSON") == "1"
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)
