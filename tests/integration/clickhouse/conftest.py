"""HTTP clients of the shared server. A module that needs others overrides them."""

from collections.abc import Iterator

import httpx
import pytest

from common.settings import Settings


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
