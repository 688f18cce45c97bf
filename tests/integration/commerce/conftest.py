"""The commerce services in one process, with a real PostgreSQL, Kafka and registry, which tests may stop."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cli.__main__ import main
from common.settings import ROOT, Settings
from local.parts import redis as local_redis
from local.state_directory import base_environment, settings_environment
from producers.kit.postgres.roles import migrate_as_admin
from producers.kit.service import KIT_MIGRATIONS
from tests.chromium import opened
from tests.integration.commerce.site import BEST_SELLER, Site
from tests.integration.commerce_servers import Shop
from tests.integration.conftest import is_ready
from tests.integration.metric_tables import emptied
from tests.integration.servers import TEST_TIMEOUT_S, await_true, running, terminated
from tests.integration.serving.conftest import put

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


@pytest.fixture(scope="module")
def site(settings: Settings, running_shop: Shop, migrated_database: Settings) -> Iterator[Site]:
    """The running pages, with the services behind them, and with no products."""
    if running_shop.process.poll() is not None:
        running_shop.start()  # the previous test stopped it
    stores = settings.model_copy(
        update={
            "clickhouse_url": migrated_database.clickhouse,
            "clickhouse_admin_password": migrated_database.clickhouse_admin_password,
            "clickhouse_database": migrated_database.clickhouse_database,
            "serving_processes": 1,  # each process asks for the demo itself
        }
    )
    emptied(stores)
    columns = ("event_id", "occurred_at", "seller_id", "name", "city", "state")
    put(
        stores,
        "seller_registered",
        columns,
        [["e1", "2018-01-01 00:00:00.000", BEST_SELLER, "Ana's lamps", "recife", "PE"]],
    )
    # Tests sign in more often from one address than people do, and a busy machine would refuse requests.
    for setting, value in (("rate_limit_sign_in", 100_000), ("shedding_enabled", False)):
        given = {"value": value, "reason": "tests"}
        running_shop.http.put(f"/v1/settings/{setting}", json=given).raise_for_status()
    environment = base_environment() | settings_environment(stores)
    with running(local_redis.part(settings), settings):
        command = [sys.executable, "-m", "serving"]
        with terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process:
            await_true(lambda: is_ready(process, f"{stores.serving}/health"), "serving's start")
            yield Site(stores, running_shop)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium whose expectations wait as long as the other tests."""
    expect.set_options(timeout=TEST_TIMEOUT_S * 250)
    with opened() as browser:
        yield browser


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """The errors in the consoles of a test's pages. What it does not take out fails it."""
    said: list[str] = []
    yield said
    assert said == []


@pytest.fixture
def window(chromium: Browser, site: Site, complaints: list[str]) -> Iterator[BrowserContext]:
    """A window of a browser whose consoles must stay free of errors."""
    with chromium.new_context(base_url=site.url, viewport={"width": 1280, "height": 900}) as context:

        def watch(page: Page) -> None:
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))

        context.on("page", watch)
        yield context
