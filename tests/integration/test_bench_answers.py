"""The answers benchmark, with a server that is slow, fails, or is missing."""

import asyncio
import html
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random
from tempfile import gettempdir

import pytest

from bench.interference import DiskProbe, InterferenceMonitor
from bench.serving.answers import SEED, SampledMarketplace, measure, sample_marketplace
from bench.serving.workload import (
    KINDS,
    LIST,
    ORDER,
    ORDERS,
    PAGE,
    RECOMMENDATIONS,
    SALES,
    RequestFigures,
    RequestLog,
    Workload,
    arrivals,
)
from common.errors import INTERRUPTED, PartUnavailable
from common.settings import ROOT, Settings
from producers.simulator import saved_world
from producers.simulator.saved_world import SavedWorld
from producers.simulator.world.shape import WorldShape
from tests.integration.http_server import Heard, Say, answered, serving
from tests.ports import free_offset

OLD, NEW = ({"product_id": f"product-{which}", "seller_id": f"seller-{which}"} for which in ("old", "new"))
MARKETPLACE = SampledMarketplace(
    "BRL", ["shopper-000001", "shopper-000002"], [0.0, 1.0], ["seller-0001"], [OLD]
)
FOUND = json.dumps({"items": [NEW]}).encode()
LISTS = ("/sell/seller-0001/products?from=1&to=2", "/sell/seller-0001/orders?from=1&to=2")
PARTS = "".join(f'<div data-part="{html.escape(each)}"></div>' for each in LISTS).encode()

INTERRUPTIBLE = """
import signal, sys
from cli.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may ignore it
sys.argv = ["souk", "bench", "answers", *sys.argv[1:]]
sys.exit(main())
"""

OFTEN = 200.0
"""Requests a second of each kind."""


async def asked(
    say: Say, *kinds: str, seconds: float = 0.3, timeout_s: float = 60.0
) -> tuple[Mapping[str, RequestFigures], Heard]:
    workload, log = (
        Workload(seconds, dict.fromkeys(kinds, OFTEN), read_order_after_s=0.0, timeout_s=timeout_s),
        RequestLog(),
    )
    async with serving(say) as heard:
        with DiskProbe(Path(gettempdir())) as disk:
            await measure(
                Settings(serving_url=heard.url), MARKETPLACE, workload, log, InterferenceMonitor(disk), print
            )
        return log.figures(), heard


def api(order_status: str = "202 Accepted") -> Say:
    """Responds to every request as the API does."""
    placed = answered(order_status, b'{"order_id": "order-1"}')
    page = answered("200 OK", PARTS)
    other = answered("200 OK", FOUND)

    async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
        if request.startswith(b"POST /v1/orders "):
            await placed(request, writer)
        else:
            await (page if request.startswith(b"GET /sell/seller-0001 ") else other)(request, writer)

    return say


def test_every_kind_is_requested_and_each_order_is_read() -> None:
    figures, heard = asyncio.run(asked(api(), RECOMMENDATIONS, ORDERS, SALES, PAGE))

    counts = {kind: each.answered.count for kind, each in figures.items() if each.answered}
    lines = [request.split(b"\r\n")[0].decode().split(" ")[:2] for request in heard.requests]
    assert counts == {
        RECOMMENDATIONS: lines.count(["GET", "/v1/recommendations/shopper-000002?n=12"]),
        ORDERS: lines.count(["POST", "/v1/orders"]),
        ORDER: lines.count(["GET", "/v1/orders/order-1"]),
        SALES: lines.count(["GET", "/v1/sellers/seller-0001/sales"]),
        PAGE: lines.count(["GET", "/sell/seller-0001"]),
        LIST: sum(lines.count(["GET", each]) for each in LISTS),
    }
    assert sum(counts.values()) == len(lines)
    assert counts[ORDER] == counts[ORDERS] > 0
    assert counts[LIST] == 2 * counts[PAGE] > 0
    assert not any(each.errors or each.under_way for each in figures.values())


def test_interference_is_sampled_in_every_interval(tmp_path: Path) -> None:
    async def look(disk: DiskProbe) -> RequestLog:
        workload, log = Workload(0.35, {SALES: OFTEN}, interval_s=0.1), RequestLog()
        async with serving(api()) as heard:
            await measure(
                Settings(serving_url=heard.url), MARKETPLACE, workload, log, InterferenceMonitor(disk), print
            )
        return log

    with DiskProbe(tmp_path, interval_s=0.001) as disk:
        host = asyncio.run(look(disk)).interference()

    assert host.intervals == 3
    assert 0 <= host.stolen <= 1
    assert 0 <= host.with_slow_flush <= host.intervals


def test_an_order_has_a_recommended_product_and_its_own_key() -> None:
    _, heard = asyncio.run(asked(api(), RECOMMENDATIONS, ORDERS))

    orders = [each.partition(b"\r\n\r\n") for each in heard.requests if each.startswith(b"POST")]
    keys = {
        header for head, _, _ in orders for header in head.lower().split(b"\r\n") if b"idempotency" in header
    }
    assert len(keys) == len(orders)
    assert json.loads(orders[-1][2])["lines"] == [{**NEW, "quantity": 1}]
    assert json.loads(orders[-1][2])["shopper_id"] == "shopper-000002"


def test_a_slow_answer_does_not_delay_later_requests() -> None:
    heard_others = asyncio.Event()
    numbers = iter(range(1_000_000))

    async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
        number = next(numbers)
        if number == 0:
            await heard_others.wait()
        elif number == 20:
            heard_others.set()
        await answered("200 OK", FOUND)(request, writer)

    figures, _ = asyncio.run(asked(say, SALES))

    assert figures[SALES].errors == {}


@pytest.mark.parametrize(
    ("status", "says"), [("500 Internal Server Error", "HTTP 500"), ("203 Other", "HTTP 203")]
)
def test_an_unexpected_answer_is_an_error_without_a_time(status: str, says: str) -> None:
    statuses = iter([status])

    async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
        await answered(next(statuses, "200 OK"), FOUND)(request, writer)

    figures, heard = asyncio.run(asked(say, RECOMMENDATIONS))

    found = figures[RECOMMENDATIONS]
    assert found.errors == {says: 1}
    assert found.answered is not None
    assert found.answered.count == len(heard.requests) - 1


def test_a_refused_order_is_not_read() -> None:
    figures, heard = asyncio.run(asked(api("409 Conflict"), ORDERS))

    assert figures[ORDERS].answered is None
    assert figures[ORDERS].errors == {"HTTP 409": len(heard.requests)}
    assert figures[ORDER].errors == {}


def test_no_answer_in_time_is_an_error() -> None:
    async def wait(_request: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    figures, heard = asyncio.run(asked(wait, SALES, timeout_s=0.2))

    assert figures[SALES].answered is None
    came = sum(1 for _ in arrivals(OFTEN, 0.3, Random(f"{SEED} {SALES}")))
    assert figures[SALES].errors == {"no answer in 0.2 s": came}
    assert 0 < len(heard.requests) <= came  # some may time out before the server reads them


def test_a_closed_connection_is_an_error() -> None:
    async def hang_up(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    figures, heard = asyncio.run(asked(hang_up, SALES))

    assert figures[SALES].errors == {"no answer (ServerDisconnectedError)": len(heard.requests)}


@pytest.mark.parametrize("options", [[], pytest.param(["--json"], marks=pytest.mark.nightly)])
def test_ctrl_c_shows_the_figures_up_to_then(tmp_path: Path, options: list[str]) -> None:
    saved_world.write(tmp_path, SavedWorld(WorldShape(sellers=2, products=55, shoppers=10), end_ms=0))
    everything = {"currency": "BRL", "sellers": [{"seller_id": "seller-0001", "orders": 1}], "items": [NEW]}
    enough = asyncio.Event()

    async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
        await answered("200 OK", json.dumps(everything).encode())(request, writer)
        if request.startswith(b"GET /v1/sellers/seller-0001/sales "):
            enough.set()

    async def interrupted() -> tuple[int | None, str, str]:
        async with serving(say) as heard:
            command = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", INTERRUPTIBLE, *options),
                env={**os.environ, "SOUK_HOME": str(tmp_path), "SOUK_SERVING_URL": heard.url},
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            await asyncio.wait_for(enough.wait(), 60)
            command.send_signal(signal.SIGINT)
            said, complained = await asyncio.wait_for(command.communicate(), 60)
            return command.returncode, said.decode(), complained.decode()

    code, said, complained = asyncio.run(interrupted())

    assert code == INTERRUPTED
    assert complained.splitlines()[-1] == "souk: stopped"
    if options:
        found = json.loads(said)
        assert list(found["figures"]) == list(KINDS)
        assert found["stopped"] is True
        assert "disk" in found
    else:
        assert "a seller's sales" in said
        assert "errors" in said


def test_a_missing_platform_is_reported_in_one_line() -> None:
    with pytest.raises(PartUnavailable, match=r"gave no valid answer .* run \./souk demo"):
        sample_marketplace(Settings(port_offset=free_offset()))


def test_an_api_that_is_not_ready_is_reported_in_one_line() -> None:
    async def look() -> None:
        async with serving(answered("503 Service Unavailable", b"")) as heard:
            await asyncio.to_thread(sample_marketplace, Settings(serving_url=heard.url))

    with pytest.raises(PartUnavailable, match=r"503 .* run \./souk demo") as raised:
        asyncio.run(look())
    assert "\n" not in str(raised.value)
