"""What recorded spans cost: how many there are for a checkout, and the CPU time of one until it is sent."""

from dataclasses import dataclass
from pathlib import Path

from bench.telemetry.span_collector import span_collector
from bench.telemetry.timed_program import time_program
from common.errors import SoukError

SPANS = 5_000

_PROGRAM = f"""
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
        cpu_s = time_program(_PROGRAM, log_path, collector.endpoint)
        if (arrived := collector.take()) != SPANS:
            raise SoukError(f"{arrived:,} of {SPANS:,} spans arrived at the collector")
    return SpanCost(round(spans / checkouts, 2), round(cpu_s * 1e6 / SPANS, 1))
