"""Simulated sellers ship every confirmed order of their products, whoever placed it, with a real Kafka."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
import pytest
from confluent_kafka import OFFSET_END, Consumer, Message, Producer, TopicPartition

from common.clock import system_clock
from common.ids import new_id
from common.settings import Settings
from producers.simulator.live import shipments as shipments_module
from producers.simulator.live.api import ShopApi
from producers.simulator.live.external_events import ExternalEventProducer
from producers.simulator.live.order_consumer import CANCELLED, CONFIRMED, OrderConsumer
from producers.simulator.live.orders import LiveOrders
from producers.simulator.live.shipments import LiveShipments
from producers.simulator.status import SimulatorStatus
from producers.simulator.world.world import World
from schemas.codec import Decoder
from schemas.registry import SchemaRegistry
from schemas.setup import register
from tests.integration.http_server import Say, serving
from tests.integration.servers import Server

DEADLINE_S = 60
POLL_S = 0.05
PLACED_AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def order_of(world: World, order_id: str, shopper_id: str, products: list[int]) -> dict[str, Any]:
    """An order as the API shows it, of these products of the world."""
    return {
        "order_id": order_id, "shopper_id": shopper_id, "status": "confirmed",
        "placed_at": PLACED_AT.isoformat(),
        "lines": [
            {
                "line_number": number, "product_id": world.products.ids[product],
                "seller_id": world.sellers.ids[int(world.products.seller[product])], "quantity": 1,
                "unit_price_minor": 1_000, "discount_minor": 0, "shipping_minor": 0,
                "marketplace_minor": None,
            }
            for number, product in enumerate(products, 1)
        ],
    }  # fmt: skip


class Shipping:
    """The shipping part of the live simulator, with this Kafka and an API that returns `orders`."""

    def __init__(self, settings: Settings, world: World, orders: list[dict[str, Any]]) -> None:
        self._settings, self._world = settings, world
        self._orders = {order["order_id"]: order for order in orders}
        self._schema_ids = register(settings).schema_ids
        self._producer = Producer({"bootstrap.servers": settings.kafka})
        self.status = SimulatorStatus()
        self.reviews: list[dict[str, Any]] = []
        """The bodies of the reviews that shoppers have sent."""

    def publish(self, topic: str, order_id: str) -> None:
        """Send an event as the orders service does. Only its key is read."""
        self._producer.produce(topic, b"", order_id.encode())
        self._producer.flush(DEADLINE_S)

    def run(
        self, enough: Callable[[], bool], begin: Callable[[LiveShipments], None] = lambda _: None
    ) -> None:
        """Call `begin`, then run until `enough()`."""
        asyncio.run(self._run(enough, begin))

    async def _run(self, enough: Callable[[], bool], begin: Callable[[LiveShipments], None]) -> None:
        stopping, random = asyncio.Event(), Random(1)
        events = ExternalEventProducer(
            self._settings.kafka, self._schema_ids, self.status, system_clock, random
        )
        async with serving(self._answer) as server, ShopApi(server.url, self.status) as api:
            shipments = LiveShipments(
                self._world, events, self.status, random, lambda _: None, self.reviews.append
            )
            live = LiveOrders(self._world, api, self.status, random, lambda _: None, lambda _: None)

            async def ship(order_id: str) -> None:
                if order := await live.fetch(order_id):
                    shipments.schedule(order)

            consumer = OrderConsumer(self._settings.kafka, self.status, ship, shipments.drop)
            running = asyncio.create_task(consumer.run(stopping))
            begin(shipments)
            async with asyncio.timeout(DEADLINE_S):
                while not enough():
                    events.poll()
                    await asyncio.sleep(POLL_S)
            stopping.set()
            await running
        events.close(DEADLINE_S)

    @property
    def _answer(self) -> Say:
        async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
            order = self._orders.get(request.split()[1].decode().rpartition("/")[2])
            status = b"200 OK" if order else b"404 Not Found"  # an order of another test on the same Kafka
            body = orjson.dumps(order or {})
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)

        return say


@pytest.fixture
def sent(settings: Settings, kafka: Server, registry: Server) -> Any:  # noqa: ARG001
    """A consumer of all shipments and deliveries from now on."""
    register(settings)
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "test", "log_level": 0})
    consumer.assign([
        TopicPartition(topic, number, OFFSET_END)
        for topic in ("order_shipped", "order_delivered", "order_returned")
        for number in range(4)
    ])  # fmt: skip
    consumer.poll(1.0)
    with SchemaRegistry(settings.registry) as schemas, contextlib.closing(consumer):
        decode = Decoder(schemas.schema).decode

        def read(message: Message) -> tuple[str, dict[str, Any]]:
            return message.topic() or "", decode(message.value())

        yield lambda: [read(message) for message in consumer.consume(1_000, 2.0)]


@pytest.fixture(autouse=True)
def quick_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipments_module, "DAY_S", 0.05)


def test_an_order_of_a_person_is_shipped_and_delivered_by_each_of_its_sellers(
    settings: Settings, world: World, sent: Any
) -> None:
    products = [0, int((world.products.seller != world.products.seller[0]).argmax())]
    order = order_of(world, new_id(), "a person", products)
    shipping = Shipping(settings, world, [order])
    shipping.publish(CONFIRMED, order["order_id"])

    shipping.run(lambda: shipping.status.events["order_delivered"] == len(products))

    events = [(name, record) for name, record in sent() if record["order_id"] == order["order_id"]]
    sellers = sorted(line["seller_id"] for line in order["lines"])
    for name in ("order_shipped", "order_delivered"):
        assert sorted(record["seller_id"] for each, record in events if each == name) == sellers
    assert {name for name, _ in events} == {"order_shipped", "order_delivered"}
    assert shipping.reviews == []


def test_an_order_that_was_cancelled_is_not_shipped(settings: Settings, world: World, sent: Any) -> None:
    before, after, other = (order_of(world, new_id(), "a person", [0]) for _ in range(3))
    shipping = Shipping(settings, world, [before | {"status": "cancelled"}, other])
    shipping.publish(CONFIRMED, before["order_id"])
    shipping.publish(CONFIRMED, other["order_id"])

    def cancel_before_the_seller_ships(shipments: LiveShipments) -> None:
        shipments.schedule(after)
        shipments.drop(after["order_id"])

    shipping.run(lambda: shipping.status.events["order_delivered"] > 0, cancel_before_the_seller_ships)

    ours = {order["order_id"] for order in (before, after, other)}
    assert {record["order_id"] for _, record in sent()} & ours == {other["order_id"]}


def test_a_cancellation_reaches_the_sellers(settings: Settings, kafka: Server, registry: Server) -> None:  # noqa: ARG001
    register(settings)
    cancelled, order_id = list[str](), new_id()
    producer = Producer({"bootstrap.servers": settings.kafka})
    producer.produce(CANCELLED, b"", order_id.encode())
    producer.flush(DEADLINE_S)

    async def confirm(_order_id: str) -> None:
        """Ignore orders of other tests."""

    async def run() -> None:
        stopping = asyncio.Event()
        consumer = OrderConsumer(settings.kafka, SimulatorStatus(), confirm, cancelled.append)
        running = asyncio.create_task(consumer.run(stopping))
        async with asyncio.timeout(DEADLINE_S):
            while order_id not in cancelled:
                await asyncio.sleep(POLL_S)
        stopping.set()
        await running

    asyncio.run(run())
