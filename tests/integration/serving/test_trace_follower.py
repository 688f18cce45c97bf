"""The trace follower completes traces of orders by what is in ClickHouse, and asks the API for figures."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import format_span_id, format_trace_id
from structlog.testing import capture_logs

from clickhouse.client import connect
from common import tracing
from common.ids import new_id
from common.metrics import UNEXPECTED_ERRORS
from common.settings import LOOPBACK, Settings
from common.tracing import span_id_of_event
from jobs.traces.follower import (
    MAX_POLL_S,
    MAX_WAITING,
    POLL_S,
    SHARE_OF_TIME,
    SKIP_S,
    WORKER,
    FigureFollower,
    TraceFollower,
    fell_behind,
    follow_traces,
    pause_after,
)
from tests.integration.metric_tables import writable
from tests.integration.servers import await_true
from tests.integration.serving.conftest import ask, put
from tests.kafka_message import KafkaMessage
from tests.recorded_spans import RecordedSpans, record_all_spans

TRACE = "0af7651916cd43dd8448eb211c80319c"
SELLER = "traced"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> RecordedSpans:
    return record_all_spans(monkeypatch)


@pytest.fixture
def orders(shop: Settings) -> Iterator["Orders"]:
    orders = Orders(shop)
    yield orders
    orders.delete()


class Orders:
    """Confirmed orders of one seller, in Kafka's form and in ClickHouse."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ids: list[str] = []

    def confirm(self) -> tuple[str, KafkaMessage]:
        """Store the event of an order that is confirmed now; return the order and the event's message."""
        order_id, event_id = new_id(), new_id()
        self.ids.append(order_id)
        now_ms = time.time_ns() // 1_000_000
        columns = ("event_id", "occurred_at", "order_id", "shopper_id", "lines")
        line = {"line_number": 1, "product_id": "lamp", "seller_id": SELLER, "quantity": 1}
        put(self.settings, "order_confirmed", columns, [[event_id, now_ms / 1000, order_id, "eva", [line]]])
        traceparent = f"00-{TRACE}-{span_id_of_event(event_id)}-01".encode()
        headers = [("traceparent", traceparent)]
        return order_id, KafkaMessage(None, headers, order_id.encode(), "order_confirmed", now_ms)

    def sell(self, order_id: str) -> None:
        """Store the order's row of sales."""
        columns = ("seller_id", "minute", "order_id", "kind", "currency", "orders", "units", "gross_minor")
        put(self.settings, "sales_lines", columns, [[SELLER, 60, order_id, "sold", "BRL", 1, 1, 100]])

    def delete(self) -> None:
        """Delete what was stored."""
        for table in ("order_confirmed", "sales_lines"):
            where = " OR ".join(f"order_id = '{each}'" for each in self.ids)
            ask(self.settings, f"DELETE FROM {writable(self.settings, table)} WHERE {where}")


@dataclass
class Answering:
    """A server, and the number of requests that it received."""

    url: str
    requests: int = 0


@contextmanager
def answering(*bodies: bytes) -> Iterator[Answering]:
    """A server that answers with these bodies in turn, and then with the last one again."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = bodies[min(running.requests, len(bodies) - 1)]
            running.requests += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    running = Answering(f"http://{LOOPBACK}:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


def test_a_trace_goes_on_with_the_stored_event_and_the_figure_that_includes_it(shop, orders, recorded):
    follower = TraceFollower(FigureFollower(shop))
    order_id, message = orders.confirm()
    with connect(shop) as client:
        follower.add([message])
        follower.advance(client)
        follower.advance(client)
        assert set(recorded()) == {"store order_confirmed"}
        orders.sell(order_id)
        follower.advance(client)

    spans = recorded()
    stored, waited, shown = (
        spans[name] for name in ("store order_confirmed", "wait for sales", "show sales")
    )
    assert {format_trace_id(span.context.trace_id) for span in spans.values()} == {TRACE}
    assert format_span_id(stored.parent.span_id) == message.headers()[0][1].decode().split("-")[2]
    assert (waited.parent.span_id, shown.parent.span_id) == (stored.context.span_id, waited.context.span_id)
    assert stored.start_time == message.timestamp()[1] * 1_000_000
    assert shown.attributes["seller.id"] == SELLER
    assert shown.attributes["as_of"].startswith("20")
    assert {span.attributes["order.id"] for span in spans.values()} == {order_id}


def test_a_figure_that_does_not_come_ends_the_trace_with_an_error(shop, orders, recorded, monkeypatch):
    monkeypatch.setattr("jobs.traces.follower.FIGURE_GIVE_UP_S", 0.0)
    follower = TraceFollower(FigureFollower(shop))
    _, message = orders.confirm()
    with connect(shop) as client:
        follower.add([message])
        follower.advance(client)

    spans = recorded()
    assert set(spans) == {"store order_confirmed", "wait for sales"}
    assert spans["wait for sales"].attributes["error"] == "PartUnavailable"


def test_an_answer_without_the_figure_ends_the_trace_and_not_the_follower(shop, orders, recorded):
    with answering(b"{}", b"[1]", b"<p>", b'{"as_of": "2026-11-24"}') as api:
        follower = TraceFollower(FigureFollower(shop.model_copy(update={"serving_url": api.url})))
        for _ in range(4):
            order_id, message = orders.confirm()
            orders.sell(order_id)
            with connect(shop) as client:
                follower.add([message])
                follower.advance(client)

    shown = recorded()["show sales"]
    assert (shown.attributes["order.id"], shown.attributes["as_of"]) == (order_id, "2026-11-24")


@pytest.mark.usefixtures("recorded")
def test_the_follower_goes_on_after_an_error_and_logs_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.traces.follower.RETRY_S", 0.01)
    # No broker is there, and no client of ClickHouse can be made: 65536 is no port.
    settings = Settings(kafka_bootstrap=f"{LOOPBACK}:1", clickhouse_url=f"http://{LOOPBACK}:65536")
    errors, stop = UNEXPECTED_ERRORS.labels("jobs", WORKER), threading.Event()
    before = errors._value.get()
    with capture_logs() as lines, ThreadPoolExecutor(1) as threads:
        running = threads.submit(follow_traces, settings, stop)
        try:
            await_true(lambda: running.done() or errors._value.get() > before + 2)
        finally:
            stop.set()

    assert running.result() is None
    assert [(line["event"], line["worker"]) for line in lines] == [("unexpected error", WORKER)]


@pytest.mark.usefixtures("recorded")
def test_the_follower_waits_for_clickhouse_and_logs_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.traces.follower.RETRY_S", 0.01)
    stop = threading.Event()
    with answering(b"no version") as server, capture_logs() as lines, ThreadPoolExecutor(1) as threads:
        settings = Settings(kafka_bootstrap=f"{LOOPBACK}:1", clickhouse_url=server.url)
        running = threads.submit(follow_traces, settings, stop)
        try:
            await_true(lambda: running.done() or server.requests > 2)
        finally:
            stop.set()

    assert running.result() is None
    assert [line["event"] for line in lines] == ["traces wait for ClickHouse"]


@pytest.mark.usefixtures("recorded")
def test_in_a_rush_the_figures_of_a_few_orders_are_waited_for(shop, orders):
    follower = TraceFollower(FigureFollower(shop))
    confirmed = [orders.confirm() for _ in range(MAX_WAITING + 2)]
    with connect(shop) as client:
        follower.add([message for _, message in confirmed])
        follower.advance(client)
        assert len(follower._figures._waiting) == MAX_WAITING


def test_an_event_of_a_trace_that_is_not_recorded_is_not_waited_for(shop, orders, recorded, monkeypatch):
    monkeypatch.setattr(tracing, "_threshold", 0)
    follower = TraceFollower(FigureFollower(shop))
    follower.add([orders.confirm()[1]])
    with connect(shop) as client:
        follower.advance(client)

    assert recorded() == {}


@given(st.floats(0, 1_000))
def test_a_look_into_clickhouse_takes_a_small_share_of_the_time(busy_s: float) -> None:
    pause_s = pause_after(busy_s)

    assert POLL_S <= pause_s <= MAX_POLL_S
    assert pause_s == MAX_POLL_S or busy_s <= 1.01 * SHARE_OF_TIME * (busy_s + pause_s)


@pytest.mark.parametrize(("oldest_s", "expected"), [(0, False), (SKIP_S - 10, False), (SKIP_S + 10, True)])
def test_events_that_are_read_too_late_are_skipped(oldest_s: float, expected: bool) -> None:
    now_ms = time.time_ns() // 1_000_000
    read = [KafkaMessage(None, [], b"", "order_placed", now_ms - round(age * 1000)) for age in (0, oldest_s)]

    assert fell_behind(read) is expected
    assert not fell_behind([])
