"""PostgreSQL and the commerce services as processes, with methods that send requests and events."""

import asyncio
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import asyncpg
import httpx
from confluent_kafka import Message, Producer

from audit.sources.kafka import KafkaTopics
from common.clock import system_clock
from common.ids import new_id
from common.principal import Principal, platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import Settings
from local.parts.processes import PROCESSES
from producers.registry import SERVICES
from schemas.codec import Decoder, Encoder, Record
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from tests.integration.servers import Server, await_true

SETTLED = ("confirmed", "cancelled")

LOST = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError, OSError)
"""Errors of a connection whose server was stopped."""


class Postgres(Server):
    """A PostgreSQL that a test can stop at once, like a crash, and start again."""

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()


class Database:
    """PostgreSQL for statements of tests. Connections are used again: to open one takes 20 ms of CPU."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[asyncpg.Connection] = []
        # Not in the main thread: with Playwright, it runs an event loop already.
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, daemon=True).start()

    def fetch(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Run a statement and return its rows. Statements of several threads run at the same time."""
        return asyncio.run_coroutine_threadsafe(self._fetch(statement, values), self._loop).result()

    async def _fetch(self, statement: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        connection = await self._connection()
        try:
            rows = await connection.fetch(statement, *values)
        except LOST:
            connection.terminate()
            raise
        except BaseException:
            self._idle.append(connection)
            raise
        self._idle.append(connection)
        return [dict(row) for row in rows]

    async def _connection(self) -> asyncpg.Connection:
        """Return a connection that works: the server may have been stopped since the last statement."""
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.execute("SELECT 1")
            except LOST:
                connection.terminate()
            else:
                return connection
        return await asyncpg.connect(self._url, statement_cache_size=0)  # tests change tables


class Shop(Server):
    """`python -m producers`, with methods that send requests and events, and read the results."""

    def __init__(self, settings: Settings, schema_ids: dict[str, int], registry: SchemaRegistry) -> None:
        super().__init__(PROCESSES["commerce"].part(settings), settings)
        self._tokens = PrincipalTokens(settings)
        self.http = self.as_principal(platform("tests"))
        self._encoders = {name: Encoder(all_events()[name], number) for name, number in schema_ids.items()}
        self._decoder = Decoder(registry.schema)
        self._producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random"})
        self._database = Database(settings.postgres)
        self._topics = KafkaTopics(settings.kafka, lambda *_: None)

    def as_principal(self, principal: Principal | None, address: str | None = None) -> httpx.Client:
        """Return a client whose requests the gateway would send for this principal, from this address."""

        def sign(request: httpx.Request) -> None:
            request.headers[HEADER] = self._tokens.make(principal, COMMERCE, address)

        return httpx.Client(
            base_url=self.settings.commerce, timeout=30, trust_env=False, event_hooks={"request": [sign]}
        )

    def tell(
        self, event: str, origin: str | None = None, headers: dict[str, str] | None = None, **fields: Any
    ) -> str:
        """Send an event to Kafka, as an external one or (with `origin`) a service's; return its id."""
        event_id = fields.pop("event_id", None) or new_id()
        record = {"event_id": event_id, "occurred_at": system_clock(), **fields}
        self.send(
            event, self._encoders[event].encode(record), fields[all_events()[event].key], origin, headers
        )
        return event_id

    def send(
        self,
        topic: str,
        value: bytes,
        key: str,
        origin: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a message to Kafka, and wait until it is stored."""
        given = (headers or {}) | ({"origin": origin} if origin else {})
        self._producer.produce(topic, value, key, headers=given)
        assert self._producer.flush(60) == 0

    def product(
        self,
        stock: int | None = 10,
        price_minor: int = 1_000,
        currency: str = "BRL",
        seller_id: str = "seller-1",
        category: str | None = None,
    ) -> str:
        """Create a product with this stock. Wait until every service that keeps listings has read it."""
        product_id = f"p-{new_id()}"
        offer = {"product_id": product_id, "seller_id": seller_id, "currency": currency}
        self.tell("product_listed", **offer, category=category, price_minor=price_minor)
        self.knows_listing(product_id)
        if stock is not None:
            self.set_stock(product_id, stock, seller_id).raise_for_status()
        return product_id

    def knows_that(self, seller_id: str, *, approved: bool) -> None:
        """Wait until every service that keeps it has read whether a seller may sell."""
        for service in ("users", "alerts"):
            read = f"SELECT FROM {service}.seller_status WHERE seller_id = $1 AND approved = $2"
            self.await_row(read, seller_id, approved)

    def knows_listing(self, product_id: str) -> None:
        """Wait until every service that keeps listings has read that of a product."""
        for table in ("orders.offers", "inventory.listings", "sellers.listings"):
            self.await_row(f"SELECT FROM {table} WHERE product_id = $1", product_id)

    def await_row(self, query: str, *values: Any) -> None:
        """Wait until a query of the services' database has a row."""
        await_true(lambda: self.sql(query, *values))

    def employ(self, seller_id: str, user_id: str, role: str) -> None:
        """Make a person with an account a member of a seller's staff, unless they are one."""
        values = "(seller_id, user_id, role, added_at) VALUES ($1, $2, $3, now()) ON CONFLICT DO NOTHING"
        self.sql(f"INSERT INTO sellers.staff {values}", seller_id, user_id, role)
        told = "(seller_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        self.sql(f"INSERT INTO users.staff_roles {told}", seller_id, user_id, role)

    def set_stock(self, product_id: str, on_hand: int, seller_id: str = "seller-1") -> httpx.Response:
        return self.http.put(
            f"/v1/products/{product_id}/stock", json={"seller_id": seller_id, "on_hand": on_hand}
        )

    def stock(self, product_id: str) -> tuple[int, int]:
        """Return the units on hand and the reserved units."""
        stock = self.http.get(f"/v1/products/{product_id}/stock").raise_for_status().json()
        return stock["on_hand"], stock["reserved"]

    def body(
        self, *product_ids: str, quantity: int = 1, token: str = "tok_visa", **changes: Any
    ) -> dict[str, Any]:
        """Return the body of a checkout request."""
        lines = [{"product_id": product_id, "quantity": quantity} for product_id in product_ids]
        payment = {"method": "credit_card", "token": token}
        return {"shopper_id": "ana", "currency": "BRL", "payment": payment, "lines": lines, **changes}

    def post(self, body: Any, key: str | None = None) -> httpx.Response:
        """Send a checkout request."""
        headers = {"Idempotency-Key": key or new_id()}
        return self.http.post("/v1/orders", json=body, headers=headers)

    def buy(self, *product_ids: str, **changes: Any) -> str:
        """Place an order; return its id."""
        answer = self.post(self.body(*product_ids, **changes))
        assert answer.status_code == 202, answer.text
        return answer.json()["order_id"]

    def order(self, order_id: str) -> dict[str, Any]:
        return self.http.get(f"/v1/orders/{order_id}").raise_for_status().json()

    def payment(self, order_id: str) -> dict[str, Any]:
        return self.http.get(f"/v1/orders/{order_id}/payment").json()

    def settled(self, order_id: str) -> dict[str, Any]:
        """Wait until the order is confirmed or cancelled, and return it."""
        return await_true(
            lambda: order if (order := self.order(order_id))["status"] in SETTLED else None, "its end"
        )

    def events(self, topic: str, order_id: str) -> list[Record]:
        """Return the events of an order that are in a topic now, in the order of their offsets."""
        return [
            self._decoder.decode(message.value())
            for message in self.messages(topic)
            if message.key() == order_id.encode()
        ]

    def messages(self, topic: str) -> list[Message]:
        """Return every message that is in a topic now, in order within a partition."""
        return list(self._topics.messages(topic))

    def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Run a statement in PostgreSQL and return its rows."""
        return self._database.fetch(statement, *values)

    @contextmanager
    def locked(self, statement: str, *values: Any) -> Iterator[None]:
        """Hold the rows that a statement locks (`SELECT … FOR UPDATE`) for a `with` block."""
        locking, release = Event(), Event()

        async def hold() -> None:
            connection = await asyncpg.connect(self.settings.postgres)
            try:
                async with connection.transaction():
                    await connection.execute(statement, *values)
                    locking.set()
                    await asyncio.to_thread(release.wait)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:
            holder = thread.submit(asyncio.run, hold())
            try:
                await_true(lambda: locking.wait(0.1) or holder.done(), "the lock")
                yield
            finally:
                release.set()
            holder.result()

    def caught_up(self) -> bool:
        """Return whether all outboxes are empty, and all requests of services to others answered."""
        tables = [f"{schema}.{name}" for schema in SERVICES for name in ("outbox", "requests")]
        return not self.sql(" UNION ALL ".join(f"SELECT position FROM {table}" for table in tables))
