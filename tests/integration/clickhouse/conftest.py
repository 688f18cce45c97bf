"""HTTP clients and databases of the shared server. A module that needs others overrides them."""

from collections.abc import Iterator

import httpx
import pytest

from clickhouse.migrate import apply_migrations
from common.settings import Settings
from tests.integration.analytics_shop import fill
from tests.integration.clickhouse.seller_sql import SellerClient, seller_client
from tests.integration.metric_tables import emptied, without_metrics


@pytest.fixture
def reader(clickhouse_server: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=clickhouse_server.clickhouse, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def admin(clickhouse_server: Settings) -> Iterator[httpx.Client]:
    auth = ("admin", clickhouse_server.clickhouse_admin_password.get_secret_value())
    with httpx.Client(
        base_url=clickhouse_server.clickhouse, timeout=60, trust_env=False, auth=auth
    ) as client:
        yield client


@pytest.fixture(scope="session")
def facts_database(clickhouse_server: Settings) -> Settings:
    """A database with what the migrations create, which tests share: `database_without_metrics`."""
    settings = clickhouse_server.model_copy(update={"clickhouse_database": "facts"})
    apply_migrations(settings)
    return settings


@pytest.fixture
def database_without_metrics(facts_database: Settings) -> Settings:
    """A database with empty tables of facts, in which a test installs the metrics that it is about."""
    return without_metrics(facts_database)


@pytest.fixture(scope="module")
def filled(migrated_database: Settings) -> Settings:
    """The shared database with all sellers of the small marketplace."""
    settings = emptied(migrated_database)
    fill(settings)
    return settings


@pytest.fixture(scope="module")
def ana(filled: Settings) -> Iterator[SellerClient]:
    """A client whose queries run for one of the sellers."""
    with seller_client(filled, "seller-ana") as client:
        yield client


@pytest.fixture(scope="module")
def facts(filled: Settings) -> str:
    """The name of the platform's database."""
    return filled.clickhouse_database
