"""Configures logging: one JSON object a line on standard error, or readable lines on a terminal.

Every line has `timestamp` (UTC), `level`, `process`, `pid`, `event` (the message), `correlation_id` and
`trace_id`. The two ids are those of the request or event that is handled (`common.correlation`). Other lines
have those of the process' run. Personal data and secrets are masked (`common.log_masking`).
"""

import json
import logging
import os
import sys
import threading
from types import TracebackType

import orjson
import structlog
from structlog.types import EventDict, WrappedLogger

from common.ids import new_id
from common.log_masking import masked_fields

FORMAT_VARIABLE = "SOUK_LOG_FORMAT"
"""`json` or `text`. By default, lines are text on a terminal and JSON otherwise."""

MAX_TEXT_CHARS = 16_000
"""The end of a longer text, such as a traceback, is kept: it names the error."""


def configure_logging(process: str) -> None:
    """Configure the log of one process; call it once, from `main()`.

    The standard library's loggers (uvicorn's, asyncio's), warnings and uncaught exceptions use it, too.
    """
    to_terminal = os.environ.get(FORMAT_VARIABLE, "text" if sys.stderr.isatty() else "json") == "text"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            *(
                [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
                if to_terminal
                else [_ProcessFields(process), _json_line]
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if to_terminal
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
    )
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda failed: _log_uncaught(
        failed.exc_type, failed.exc_value or failed.exc_type(), failed.exc_traceback
    )


class _ProcessFields:
    """Adds the fields that every line has, in an order in which a reader finds them."""

    def __init__(self, process: str) -> None:
        run = new_id()
        self._process = process
        self._run = {"correlation_id": run, "trace_id": run.replace("-", "")}

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        first = {name: line.pop(name) for name in ("timestamp", "level")}
        own = {"process": self._process, "pid": os.getpid(), "event": line.pop("event", "")}
        return {**first, **own, **self._run, **line}


class _ToStructlog(logging.Handler):
    """Passes the records of the standard library's loggers on."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            structlog.get_logger().log(
                max(record.levelno, logging.INFO),
                record.getMessage(),
                logger=record.name,
                exc_info=record.exc_info,
            )
        except Exception:
            self.handleError(record)


def _mask(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    return {
        name: value[-MAX_TEXT_CHARS:] if isinstance(value, str) else value
        for name, value in masked_fields(line).items()
    }


def _json_line(_logger: WrappedLogger, _method: str, line: EventDict) -> bytes:
    try:
        return orjson.dumps(line)
    except TypeError:  # an integer of more than 64 bits, or half a surrogate pair
        return json.dumps(line).encode()


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    structlog.get_logger().critical("uncaught exception", exc_info=(kind, error, traceback))


def log_start_failure(error: Exception) -> None:
    """Log why a process can't start: a user's mistake, or a part that is missing."""
    structlog.get_logger().critical("can't start", reason=str(error))
