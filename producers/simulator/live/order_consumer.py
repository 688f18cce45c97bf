"""Consumes order confirmations and cancellations from Kafka, so that sellers ship every order of the shop."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Consumer, Message

from common.ids import is_uuid7
from producers.simulator.live.api import MAX_CONCURRENT
from producers.simulator.status import SimulatorStatus
from schemas.services import OTHERS

CONFIRMED, CANCELLED = "order_confirmed", "order_cancelled"
TOPICS = OTHERS["producers/simulator"].check_reads((CONFIRMED, CANCELLED))
GROUP = "souk_simulator"

_POLL_S = 0.5

_SETTINGS: dict[str, str | int | float | bool] = {
    "group.id": GROUP,
    "auto.offset.reset": "earliest",
    "auto.commit.interval.ms": 1000,
    "allow.auto.create.topics": False,
    "reconnect.backoff.max.ms": 1000,
    "log_level": 0,
}


class OrderConsumer:
    """Consumes `order_confirmed` and `order_cancelled`. The key of an event is the id of its order.

    Orders of the history and of replays are skipped: the ids of the orders service are UUIDs of version 7.
    Because offsets are committed, an order that was confirmed between two runs is shipped in the second run.
    """

    def __init__(
        self,
        bootstrap: str,
        status: SimulatorStatus,
        on_confirmed: Callable[[str], Awaitable[None]],
        on_cancelled: Callable[[str], None],
    ) -> None:
        self._settings = _SETTINGS | {"bootstrap.servers": bootstrap}
        self._status, self._on_confirmed, self._on_cancelled = status, on_confirmed, on_cancelled

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping` is set."""
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "order consumer")
        consumer = Consumer(self._settings)
        consumer.subscribe(list(TOPICS))
        try:
            while not stopping.is_set():
                messages = await loop.run_in_executor(thread, consumer.consume, MAX_CONCURRENT, _POLL_S)
                await self._handle(messages)
        finally:
            thread.submit(consumer.close)
            thread.shutdown(wait=False)

    async def _handle(self, messages: list[Message]) -> None:
        confirmed = []
        for message in messages:
            if (error := message.error()) is not None:
                self._status.record_error("kafka", error.str())
                continue
            order_id = (message.key() or b"").decode(errors="replace")
            if not is_uuid7(order_id):
                continue
            if message.topic() == CANCELLED:
                self._on_cancelled(order_id)
            else:
                confirmed.append(order_id)
        await asyncio.gather(*(self._on_confirmed(order_id) for order_id in confirmed))
