"""The commerce services in one process, with a real PostgreSQL, Kafka and registry, which tests may stop."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator

import pytest

from cli.__main__ import main
from common.settings import Settings
from local.state_directory import settings_environment
from producers.kit.postgres.roles import migrate_as_admin
from producers.kit.service import KIT_MIGRATIONS
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
        await migrate_as_admin(shop.settings, SPARE, KIT_MIGRATIONS)

    asyncio.run(make())
    yield shop.settings
    shop.sql(f"DROP SCHEMA {SPARE} CASCADE")


@pytest.fixture
def eventually() -> Callable[..., object]:
    """A function that waits for a condition's first true value and returns it, or fails the test."""
    return await_true


@pytest.fixture
def souk(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """A function that runs `./souk ARGUMENTS` and returns its exit code, output and errors.

    It runs in this process, because a new one would spend seconds of CPU time to import the command.
    """
    for name in [name for name in os.environ if name.startswith("SOUK_")]:
        monkeypatch.delenv(name)
    for name, value in settings_environment(shop.settings).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["souk", *arguments])
        capsys.readouterr()
        code = main()
        return code, *capsys.readouterr()

    return run
