"""Follows the events of recorded traces from Kafka into ClickHouse, and records the spans of this way.

Flink's SQL and our connectors handle events in batches and keep no headers, so they make no spans. The
follower reads the topics of orders from their end. For each event whose trace is recorded, it waits for the
row in ClickHouse. The span `store <event>` then lasts from the time at which Kafka appended the event to the
row's `ingested_at`. Both times are those of the servers. The span says nothing of the steps inside Flink.

It takes little from what it observes: it reads more slowly than events come in a rush, and looks into
ClickHouse less often when that takes long. If it falls far behind, it goes on at the end of the topics.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import httpx
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError
from confluent_kafka import OFFSET_END, Consumer, Message, TopicPartition

from clickhouse.client import connect
from common.correlation import span_id_of, trace_id_of
from common.errors import PartUnavailable
from common.metrics import UNEXPECTED_ERRORS
from common.principal_token import PlatformToken
from common.settings import Settings
from common.tracing import Span, is_on, is_sampled, record_span, span_id_of_event, trace_span
from schemas.events import order_events

API_SERVICE = "trace follower"
FIGURE_GIVE_UP_S = 120.0
"""Longer than the longest pause between two looks."""

API_TIMEOUT_S = 10.0

MAX_WAITING = 2
"""Orders whose figure is waited for at the same time. The traces of further ones end without it."""

_SELLERS_OF_ORDERS = Path(__file__).parent / "queries" / "sellers_of_orders.sql"


class FigureFollower:
    """Requests the sales of confirmed orders' sellers, once ClickHouse has the orders' rows of sales.

    The span `wait for sales` ends when `advance` finds these rows, or after `FIGURE_GIVE_UP_S`. `show sales`
    is one request of the API, whose spans and queries on ClickHouse are its children. Its attribute `as_of`
    is the time up to which the API says that the figure is complete; in a quiet shop, it stays some seconds
    before the order.
    """

    def __init__(self, settings: Settings) -> None:
        # One client for all requests: to make one takes longer than a request.
        self._api = httpx.Client(
            base_url=settings.serving,
            auth=PlatformToken(settings, "traces"),
            timeout=API_TIMEOUT_S,
            trust_env=False,
        )
        self._waiting: dict[str, Span] = {}
        """Order → its open span `wait for sales`."""

    def close(self) -> None:
        """Close the connection to the API."""
        self._api.close()

    def add(self, order_id: str, stored: Span) -> None:
        """Begin to wait for an order that the span `stored` stored, unless `MAX_WAITING` are waited for."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting[order_id] = Span(
                API_SERVICE, "wait for sales", stored.trace_id, token_hex(8), stored.span_id, "internal",
                time.time_ns(), {"order.id": order_id},
            )  # fmt: skip

    def advance(self, client: Client) -> None:
        """Request the figures of the orders whose rows of sales are in ClickHouse by now."""
        if not self._waiting:
            return
        query = _SELLERS_OF_ORDERS.read_text(encoding="utf-8")
        rows = client.query(query, parameters={"order_ids": [*self._waiting]}).result_rows
        for order_id, seller_id in rows:
            waited = self._waiting.pop(order_id)
            record_span(waited, time.time_ns())
            self._show(order_id, seller_id, waited)
        oldest_ns = time.time_ns() - FIGURE_GIVE_UP_S * 1e9
        for order_id in [each for each, span in self._waiting.items() if span.started_ns < oldest_ns]:
            given_up = self._waiting.pop(order_id)
            given_up.attributes["error"] = "PartUnavailable"
            record_span(given_up, time.time_ns())
            log.warning("a trace ends before its figure", reason=f"no sales after {FIGURE_GIVE_UP_S:.0f} s")

    def _show(self, order_id: str, seller_id: str, waited: Span) -> None:
        attributes = {"order.id": order_id, "seller.id": seller_id}
        try:
            with trace_span(
                API_SERVICE, "show sales", "client", waited.trace_id, waited.span_id, attributes
            ) as shown:
                assert shown is not None
                response = self._api.get(
                    f"/v1/sellers/{seller_id}/sales", headers={"traceparent": shown.traceparent}
                ).raise_for_status()
                shown.attributes["as_of"] = str(response.json()["as_of"])
        except httpx.HTTPError as error:
            log.warning("a trace ends before its figure", reason=str(error))
        except (ValueError, LookupError, TypeError) as error:
            reason = f"the API's answer has no `as_of` ({type(error).__name__})"
            log.warning("a trace ends before its figure", reason=reason)


log = structlog.get_logger()

SERVICE = "job facts"
"""The service of the spans in Zipkin."""

WORKER = "trace_follower"

POLL_S = 0.25
"""The shortest pause between two looks into ClickHouse."""

MAX_POLL_S = 60.0
"""The longest. Only a look of more than 0.6 s takes a larger share than `SHARE_OF_TIME`."""

RETRY_S = 5.0

SHARE_OF_TIME = 0.01
"""The share of a core in which this thread reads topics, and of the time in which ClickHouse is asked."""

MAX_READ_PAUSE_S = 1.0

SKIP_S = 60.0
"""If events are read later than this, the follower goes on at the end of the topics."""

GIVE_UP_S = 300.0
"""An event that is not in ClickHouse after this time gets no span: a job is down, or far behind."""

MAX_PENDING = 1_000
"""Events that are waited for at the same time. Further ones get no span."""

QUERIES = Path(__file__).parent / "queries"


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event of a recorded trace that is in Kafka and not yet seen in ClickHouse."""

    name: str
    order_id: str
    trace_id: str
    span_id: str
    """The span of the event itself, which is the parent of what follows."""
    appended_ms: int


def follow_traces(settings: Settings, stop: threading.Event) -> None:
    """Record the spans until `stop` is set. Return at once while tracing is off.

    Events that arrive while Kafka or ClickHouse does not answer are followed later, up to `GIVE_UP_S`. After
    any other error it begins again at the end of the topics, and no longer waits for earlier events.
    """
    if not is_on():
        return
    errors = UNEXPECTED_ERRORS.labels("jobs", WORKER)  # creates the series with 0, which the alert needs
    logged = ""
    while not stop.is_set():
        try:
            _follow(settings, stop)
        except Exception as error:  # a bug that affects these events; later ones must still be followed
            errors.inc()
            if (reason := f"{type(error).__name__}: {error}") != logged:
                log.exception("unexpected error", worker=WORKER)
            logged = reason
            stop.wait(RETRY_S)


def _follow(settings: Settings, stop: threading.Event) -> None:
    with (
        closing(FigureFollower(settings)) as figures,
        closing(tail_of_order_topics(settings.kafka)) as consumer,
    ):
        follower = TraceFollower(figures)
        client: Client | None = None
        is_waiting = False
        advance_at = time.monotonic()
        while not stop.is_set():
            used_s = time.thread_time()
            messages = consumer.consume(500, POLL_S)
            if fell_behind(messages):
                log.info("traces skip events", reason=f"they are older than {SKIP_S:.0f} s")
                consumer.assign(_ends())
            else:
                follower.add(messages)
            stop.wait(min((time.thread_time() - used_s) / SHARE_OF_TIME, MAX_READ_PAUSE_S))
            if time.monotonic() < advance_at:
                continue
            try:
                client = client or connect(settings)
                begun = time.monotonic()
                follower.advance(client)
                pause_s = pause_after(time.monotonic() - begun)
                is_waiting = False
            except (PartUnavailable, ClickHouseError) as error:
                if not is_waiting:
                    log.warning("traces wait for ClickHouse", error=str(error))
                client, pause_s, is_waiting = None, RETRY_S, True
            advance_at = time.monotonic() + pause_s


def pause_after(busy_s: float) -> float:
    """Return the pause in seconds after a look into ClickHouse of `busy_s` seconds."""
    return min(max(POLL_S, busy_s / SHARE_OF_TIME), MAX_POLL_S)


def tail_of_order_topics(bootstrap: str) -> Consumer:
    """Return a consumer at the end of the topics of orders. It joins no group and commits nothing."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "souk_traces",  # required, but not used
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            # The times of spans are the servers', so messages may come late: those of a second at once.
            "fetch.wait.max.ms": 1_000,
            "fetch.min.bytes": 1_000_000,
            # Little is fetched ahead: in a rush, what is not read yet stays in Kafka.
            "queued.min.messages": 1_000,
            "queued.max.messages.kbytes": 1_024,
            "fetch.message.max.bytes": 65_536,
            "fetch.max.bytes": 1_000_000,
            "log_level": 0,
        }
    )
    consumer.assign(_ends())
    return consumer


def fell_behind(messages: Sequence[Message]) -> bool:
    """Return whether events of these messages came longer than `SKIP_S` ago."""
    oldest_ms = min((each.timestamp()[1] for each in messages if not each.error()), default=None)
    return oldest_ms is not None and oldest_ms < (time.time() - SKIP_S) * 1000


def _ends() -> list[TopicPartition]:
    return [
        TopicPartition(event.topic.name, number, OFFSET_END)
        for event in order_events().values()
        for number in range(event.topic.partitions)
    ]


@dataclass
class TraceFollower:
    """Waits for events in ClickHouse, and then for the figures of confirmed orders."""

    _figures: FigureFollower
    _pending: dict[str, PendingEvent] = field(default_factory=dict)

    def add(self, messages: Iterable[Message]) -> None:
        """Begin to wait for those messages whose trace is recorded."""
        for message in messages:
            event = None if message.error() else pending_event(message)
            if event is not None and len(self._pending) < MAX_PENDING:
                self._pending[event.span_id] = event

    def advance(self, client: Client) -> None:
        """Record the spans of the events that are in ClickHouse by now."""
        by_name: dict[str, list[PendingEvent]] = defaultdict(list)
        for event in self._pending.values():
            by_name[event.name].append(event)
        query = (QUERIES / "stored_events.sql").read_text(encoding="utf-8")
        for name, events in by_name.items():
            order_ids = sorted({event.order_id for event in events})
            rows = client.query(query, parameters={"table": name, "order_ids": order_ids}).result_rows
            for _, event_id, stored_ms in rows:
                if stored := self._pending.pop(span_id_of_event(event_id), None):
                    self._record(stored, stored_ms)
        oldest_ms = (time.time() - GIVE_UP_S) * 1000
        for event in [each for each in self._pending.values() if each.appended_ms < oldest_ms]:
            del self._pending[event.span_id]
        self._figures.advance(client)

    def _record(self, event: PendingEvent, stored_ms: int) -> None:
        span = Span(
            SERVICE, f"store {event.name}", event.trace_id, token_hex(8), event.span_id, "consumer",
            event.appended_ms * 1_000_000,
            {"order.id": event.order_id, "db.system.name": "clickhouse", "db.collection.name": event.name},
        )  # fmt: skip
        record_span(span, stored_ms * 1_000_000)
        if event.name == "order_confirmed":
            self._figures.add(event.order_id, span)


def pending_event(message: Message) -> PendingEvent | None:
    """Return the event of a message; None if its trace is not recorded."""
    headers: list[tuple[str, str | bytes | None]] = list(message.headers() or ())
    for name, value in headers:
        if name == "traceparent" and isinstance(value, bytes):
            traceparent = value.decode("latin-1")
            if not is_sampled(trace_id := trace_id_of(traceparent)):
                return None
            key = message.key() or b""
            return PendingEvent(
                message.topic() or "",
                key if isinstance(key, str) else key.decode(errors="replace"),
                trace_id,
                span_id_of(traceparent),
                message.timestamp()[1],
            )
    return None
