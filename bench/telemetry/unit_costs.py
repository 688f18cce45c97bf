"""What spans and lines of logs cost: how many there are for a checkout, and the CPU time of one."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.telemetry.span_collector import span_collector
from common.errors import SoukError
from common.settings import ROOT, Settings
from local.logs.files import all_lines
from local.logs.record import read_records
from local.state_directory import StateDirectory, base_environment

SPANS = 5_000

_SPAN_PROGRAM = f"""
import time
from sys import argv
from common import tracing
from common.settings import Settings
from common.span_recorder import SpanRecorder, make_exporter

recorder = tracing._recorder = SpanRecorder(make_exporter(Settings(trace_endpoint=argv[1])))
tracing._threshold = 1 << 32
attributes = {{"order.id": "0197f2c4-9b11-7e0e-8d0a-0f8a1c52d6b4", "messaging.system": "kafka"}}
begun = time.process_time()
for number in range({SPANS}):
    trace_id = f"{{number + 1:032x}}"
    with tracing.trace_span("orders", "process order_placed", "consumer", trace_id, "ab" * 8, attributes):
        pass
recorder._processor.force_flush(30_000)
print(time.process_time() - begun)
"""
"""Records and sends spans as the processes do, in all threads."""


@dataclass(frozen=True)
class SpanCost:
    """Spans that were recorded for a checkout on average, and microseconds of CPU time for a span."""

    spans_per_checkout: float
    span_us: float


def span_cost(spans: int, checkouts: int, log_path: Path) -> SpanCost:
    """Divide the spans of these checkouts by their number, and time spans like them.

    Raises:
        SoukError: not every span arrives at a collector of its own.
    """
    with span_collector() as collector:
        cpu_s = _time_program(_SPAN_PROGRAM, log_path, collector.endpoint)
        if (arrived := collector.take()) != SPANS:
            raise SoukError(f"{arrived:,} of {SPANS:,} spans arrived at the collector")
    return SpanCost(round(spans / checkouts, 2), round(cpu_s * 1e6 / SPANS, 1))


LINES = 20_000
PARTS = ("serving", "commerce", "jobs")
TRAFFIC = frozenset({"request", "processed", "published"})
"""The lines about an order or a request."""

_LOG_PROGRAM = f"""
import time
import structlog
from common.correlation import bound_chain
from common.telemetry import configure_logging

configure_logging("bench")
log = structlog.get_logger()
with bound_chain("0197f2c4-9b11-7e0e-8d0a-0f8a1c52d6b4", "0197f2c49b117e0e8d0a0f8a1c52d6b4"):
    begun = time.process_time()
    for _ in range({LINES}):
        log.info("request", method="POST", route="/v1/orders", status=202, duration_ms=12.3)
print(time.process_time() - begun)
"""
"""Writes lines as the processes do, to a file."""


@dataclass(frozen=True)
class LogCost:
    """Lines that our processes wrote for a checkout, and microseconds of CPU time for a line."""

    lines_per_checkout: float
    line_us: float


def log_cost(lines: int, checkouts: int, log: Path) -> LogCost:
    """Return the lines for a checkout, and time lines like them, which a program writes to the file `log`."""
    return LogCost(round(lines / checkouts, 2), round(_time_program(_LOG_PROGRAM, log) * 1e6 / LINES, 1))


def count_lines(settings: Settings, since: datetime) -> int:
    """Return how many lines about orders and requests our processes have written since a time.

    Raises:
        SoukError: the rotation has deleted some of them.
    """
    home = StateDirectory(settings.home)
    return sum(_count(part, home.log(part), since) for part in PARTS)


def _count(part: str, log: Path, since: datetime) -> int:
    count, has_older = 0, False
    for record in read_records(part, all_lines(log)):
        if record.at is None or record.at < since:
            has_older = True
        elif record.message in TRAFFIC:
            count += 1
    if not has_older:
        raise SoukError(f"the log of {part} no longer has all lines of a round: measure fewer --seconds")
    return count


def _time_program(program: str, log_path: Path, *arguments: str) -> float:
    """Run Python code in a process of its own, and return the seconds of CPU time that it prints.

    What it logs is in `log_path`.
    """
    with log_path.open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT,
            env=base_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
        )
    return float(done.stdout)
