"""Compares the CPU time of a refusal with that of an answer, in one process of the API without stores."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import uvicorn
from rich.console import Console

from bench.http_load import Load, LoadRequest
from common import gc_tuning
from common.errors import SoukError
from common.settings import LOOPBACK, Settings
from local import passwords
from serving.admission import AdmissionProtocol
from serving.app import create_app
from serving.gateway import load_shedding
from serving.gateway.cookies import GuestSessions

REQUIRED_RATIO = 20
"""A refusal must cost at most a twentieth of an answer."""

CONNECTIONS = 8
_START_TIMEOUT_S = 60.0
_WARM_UP_S = 0.5
_BROWSER = (("Accept", "text/html"), ("Accept-Language", "pt-BR,pt;q=0.9"), ("Cookie", "souk_session=none"))


@dataclass(frozen=True)
class RefusalCost:
    """Microseconds of the server's CPU: of a page that needs no store, and of refusals by kind of request."""

    answer_us: float
    refusals_us: dict[str, float]

    @property
    def ratio(self) -> float:
        """How many times a refusal the answer costs."""
        return self.answer_us / max(self.refusals_us.values())

    @property
    def missed(self) -> list[str]:
        """The goals that were missed."""
        return [f"a refusal costs 1/{REQUIRED_RATIO} of an answer"] if self.ratio < REQUIRED_RATIO else []


def run(install: Path, port_offset: int, seconds: float) -> RefusalCost:
    """Measure for `seconds` each.

    Raises:
        SoukError: the server does not start, or its responses are not the expected ones.
    """
    with tempfile.TemporaryDirectory(prefix="souk-bench-") as home:
        own = Settings.model_validate({"home": Path(home), "install": install, "port_offset": port_offset})
        settings = passwords.ensure(own)
        with _server(settings) as clock:
            answer = LoadRequest("GET", "/sign-in", _BROWSER)
            answer_us = _cpu_us(settings, answer, seconds, clock)
            full = dict.fromkeys(load_shedding.SHARES.keys() - load_shedding.RESERVE.keys(), -1.0)
            with patch.dict(load_shedding.SHARES, full):
                refusals = {
                    name: _cpu_us(settings, request, seconds, clock)
                    for name, request in _refused(settings).items()
                }
    return RefusalCost(answer_us, refusals)


def show(result: RefusalCost, console: Console) -> None:
    """Print the result."""
    console.print(f"• an answer without a store: {result.answer_us:,.0f} µs of CPU", highlight=False)
    for name, cost in result.refusals_us.items():
        console.print(f"• {name}: {cost:,.0f} µs, {cost / result.answer_us:.1%} of it", highlight=False)


def _refused(settings: Settings) -> Mapping[str, LoadRequest]:
    sessions, statuses = GuestSessions(settings), frozenset({503})
    guest = sessions.new()
    token = (("Authorization", f"Bearer {sessions.token(guest)}"),)
    return {
        "a page, refused": LoadRequest("GET", "/shop/products/one", _BROWSER, b"", statuses),
        "a read, refused": LoadRequest("GET", "/v1/products/one", token, b"", statuses),
        "a recommendation, refused": LoadRequest("GET", f"/v1/recommendations/{guest}", token, b"", statuses),
    }


def _cpu_us(settings: Settings, request: LoadRequest, seconds: float, clock: int) -> float:
    """Return the CPU time of the server's thread for one request."""
    load = Load(settings.serving, CONNECTIONS)
    asyncio.run(load.saturate([request], _WARM_UP_S))
    before = time.clock_gettime(clock)
    result = asyncio.run(load.saturate([request], seconds))
    used_s = time.clock_gettime(clock) - before
    if result.failed or not result.seconds:
        raise SoukError(f"{request.path}: responses with an unexpected status: {result.failed}")
    return used_s / len(result.seconds) * 1e6


@contextmanager
def _server(settings: Settings) -> Iterator[int]:
    """Run the API in a thread, and yield the clock of this thread's CPU time."""
    config = uvicorn.Config(
        create_app(settings),
        host=LOOPBACK,
        port=settings.port("serving"),
        loop="uvloop",
        http=AdmissionProtocol,
        access_log=False,
        log_config=None,
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise SoukError("the API did not start: see the message above")
            time.sleep(0.05)
        gc_tuning.tune_gc()
        assert thread.ident is not None
        yield time.pthread_getcpuclockid(thread.ident)
    finally:
        server.should_exit = True
        thread.join(_START_TIMEOUT_S)
