"""What the lines of logs cost: how many there are for a checkout, and the CPU time of one."""

from dataclasses import dataclass

import orjson

from bench.telemetry.timed_program import time_program
from common.settings import Settings
from local.state_directory import StateDirectory

LINES = 20_000
PARTS = ("serving", "commerce", "jobs")

_PROGRAM = f"""
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


def log_cost(settings: Settings, checkouts: int) -> LogCost:
    """Count the lines in the logs of a platform that took this many checkouts, and time lines like them."""
    home = StateDirectory(settings.home)
    lines = sum(_count_lines(home, part) for part in PARTS)
    cpu_s = time_program(_PROGRAM, settings.home / "log_cost.log")
    return LogCost(round(lines / checkouts, 2), round(cpu_s * 1e6 / LINES, 1))


def _count_lines(home: StateDirectory, part: str) -> int:
    """Return how many lines of a part's logs are about an order or a request, rotated logs included."""
    logs = home.log(part).parent.glob(f"{home.log(part).name}*")
    return sum(_is_of_traffic(line) for log in logs for line in log.read_bytes().splitlines())


def _is_of_traffic(line: bytes) -> bool:
    try:
        return bool(orjson.loads(line)["event"] in ("request", "processed", "published"))
    except (orjson.JSONDecodeError, KeyError):
        return False
