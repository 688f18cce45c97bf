"""The intake of browsing events, as a domain."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from common.clock import Clock
from common.settings import Settings
from serving.event_collector import endpoints
from serving.event_collector.service import EventIntake
from serving.kit.domain import DomainDefinition


@asynccontextmanager
async def _open(settings: Settings, clock: Clock) -> AsyncIterator[EventIntake]:
    """Open the intake. It connects to Kafka and the registry with the first batch."""
    async with aclosing(EventIntake(settings, clock)) as intake:
        yield intake


INTAKE = DomainDefinition((endpoints.router,), _open)
