"""Whether the services of a process can work: their books, Kafka, and their own start."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaException

from common.errors import PartUnavailable
from common.kafka import Cluster
from producers.postgres.errors import AWAY
from producers.running import RunningService

TIMEOUT_S = 2.0


class Readiness:
    """Asks what the services need, each in its own protocol. Nothing connects before the first time."""

    def __init__(self, services: Mapping[str, RunningService], bootstrap: str) -> None:
        self._services = services
        self._kafka = Cluster(bootstrap)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")

    async def missing(self) -> dict[str, str]:
        """What is not ready, and why; empty when all is."""
        loop = asyncio.get_running_loop()
        kafka = loop.run_in_executor(self._thread, self._ask_kafka)
        states = await asyncio.gather(*(self._ask(one) for one in self._services.values()), kafka)
        named = dict(zip((*self._services, "kafka"), states, strict=True))
        return {name: state for name, state in named.items() if state}

    async def _ask(self, running: RunningService) -> str:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                async with running.transactions.connection() as sql:
                    await sql.fetchval("SELECT 1")
        except PartUnavailable as error:
            return str(error)
        except AWAY as error:
            return f"PostgreSQL does not answer ({error or type(error).__name__}); see ./souk status"
        return (
            "" if running.consuming else "its consumer has not joined its group yet; see ./souk logs commerce"
        )

    def _ask_kafka(self) -> str:
        try:
            self._kafka.metadata(TIMEOUT_S)
        except KafkaException as error:
            return f"Kafka does not answer ({error.args[0].str()}); see ./souk status"
        return ""
