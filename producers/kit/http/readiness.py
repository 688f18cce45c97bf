"""Checks whether the services of a process are ready: their start, tables and consumers, and Kafka."""

import asyncio
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaException

from common.errors import PartUnavailable
from common.kafka import KafkaCluster
from common.readiness import STOPPING, NotReady, ReadyBody, excludes, ready_body
from common.stopping import Stopping
from producers.kit.postgres.errors import TRANSIENT
from producers.kit.postgres.migrate import check_migrations
from producers.kit.service_runner import ServiceRunner

TIMEOUT_S = 2.0


class ServiceReadiness:
    """Checks PostgreSQL, Kafka and each service's consumer. Connects at the first check."""

    def __init__(self, services: Mapping[str, ServiceRunner], bootstrap: str, stopping: Stopping) -> None:
        self._services = services
        self._kafka = KafkaCluster(bootstrap)
        self._stopping = stopping
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")

    async def body(self, excluded: Collection[str] = ()) -> ReadyBody:
        """Return what is missing, such as a service, with the reason.

        `exclude=parts` leaves out PostgreSQL and Kafka: a service is then ready once it has started.
        """
        if self._stopping.has_begun:
            return ready_body({STOPPING: self._stopping.reason}, {})
        states = await asyncio.gather(
            self._kafka_state(excluded), *(self._state(each, excluded) for each in self._services.values())
        )
        missing, notes = {}, {}
        for name, (reason, note) in zip(("kafka", *self._services), states, strict=True):
            if reason and not excludes(excluded, name):
                missing[name] = reason
            elif note:
                notes[name] = note
        return ready_body(missing, notes)

    async def _state(self, service: ServiceRunner, excluded: Collection[str]) -> tuple[str, str]:
        """Return why a service is not ready, and a note about its tables; either may be empty."""
        try:
            transactions = service.transactions
            if excludes(excluded, "postgres"):
                return "", ""
            async with asyncio.timeout(TIMEOUT_S), transactions.connection() as sql:
                note = await check_migrations(sql, service.service.migrations())
        except (PartUnavailable, NotReady) as error:
            return str(error), ""
        except TRANSIENT as error:
            reason = f"PostgreSQL does not answer ({error or type(error).__name__}); see ./souk status"
            return reason, ""
        if service.consuming or excludes(excluded, "kafka"):
            return "", note
        return "its consumer has not joined its group yet; see ./souk logs commerce", note

    async def _kafka_state(self, excluded: Collection[str]) -> tuple[str, str]:
        if excludes(excluded, "kafka"):
            return "", ""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._check_kafka), ""

    def _check_kafka(self) -> str:
        try:
            self._kafka.metadata(TIMEOUT_S)
        except KafkaException as error:
            return f"Kafka does not answer ({error.args[0].str()}); see ./souk status"
        return ""
