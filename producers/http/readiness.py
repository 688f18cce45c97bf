"""Checks whether the services of a process are ready: PostgreSQL, Kafka, and the services' own start."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaException

from common.errors import PartUnavailable
from common.kafka import KafkaCluster
from producers.postgres.errors import TRANSIENT
from producers.service_runner import ServiceRunner

TIMEOUT_S = 2.0


class ServiceReadiness:
    """Checks PostgreSQL, Kafka and each service's consumer. Connects at the first check."""

    def __init__(self, services: Mapping[str, ServiceRunner], bootstrap: str) -> None:
        self._services = services
        self._kafka = KafkaCluster(bootstrap)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")

    async def missing(self) -> dict[str, str]:
        """Return the parts that are not ready, each with the reason."""
        loop = asyncio.get_running_loop()
        kafka = loop.run_in_executor(self._thread, self._check_kafka)
        states = await asyncio.gather(*(self._check(each) for each in self._services.values()), kafka)
        named = dict(zip((*self._services, "kafka"), states, strict=True))
        return {name: state for name, state in named.items() if state}

    async def _check(self, service: ServiceRunner) -> str:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                async with service.transactions.connection() as sql:
                    await sql.fetchval("SELECT 1")
        except PartUnavailable as error:
            return str(error)
        except TRANSIENT as error:
            return f"PostgreSQL does not answer ({error or type(error).__name__}); see ./souk status"
        return (
            "" if service.consuming else "its consumer has not joined its group yet; see ./souk logs commerce"
        )

    def _check_kafka(self) -> str:
        try:
            self._kafka.metadata(TIMEOUT_S)
        except KafkaException as error:
            return f"Kafka does not answer ({error.args[0].str()}); see ./souk status"
        return ""
