"""The commerce services in one process, with a real PostgreSQL, Kafka and registry, which tests may stop."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from common.settings import Settings
from producers.postgres.roles import migrate_as_admin
from producers.service import ROOM
from tests.integration.commerce_servers import Shop
from tests.integration.servers import await_true

__all__ = ["SPARE", "Shop"]

SPARE = "spare"
"""The service of the fixture `books`; no process runs it."""


@pytest.fixture
def shop(running_shop: Shop) -> Shop:
    """The shop, started again if the previous test stopped it."""
    if running_shop.process.poll() is not None:
        running_shop.start()
    return running_shop


@pytest.fixture
def books(shop: Shop) -> Iterator[Settings]:
    """A service's schema with an outbox that no relay reads."""

    async def make() -> None:
        folders = {name: ROOM / name / "migrations" for name in ("outbox", "inbox")}
        await migrate_as_admin(shop.settings, SPARE, folders)

    asyncio.run(make())
    yield shop.settings
    shop.sql(f"DROP SCHEMA {SPARE} CASCADE")


@pytest.fixture
def eventually() -> Callable[..., object]:
    """A function that waits for a condition's first true value and returns it, or fails the test."""
    return await_true
