"""`./souk up` with the address of every server starts the platform's own processes and nothing else."""

import httpx
import pytest
from rich.console import Console

from common.principal_token import PlatformToken
from local import passwords
from local.stack import all_parts, bring_up
from local.state_directory import StateDirectory
from local.supervision.supervisor import read_process_records
from tests.e2e.conftest import copy_in
from tests.e2e.test_order_story import SELLER, confirmed_order

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1_800)]

SERVERS = {"postgres", "redis", "kafka", "registry", "clickhouse", "jobmanager", "taskmanager"}
OURS = {"jobs", "rollups", "commerce", "serving", "seller_sql", "search", "training", "audit"}


def start_servers(copy):
    """Start the servers of a copy alone, and return its settings."""
    home = StateDirectory(copy.settings.home)
    home.make()
    settings = passwords.ensure(copy.settings)
    servers = [part for part in all_parts(settings) if part.name in SERVERS]
    assert {part.name for part in servers} == SERVERS
    bring_up(settings, home, servers, [], Console(quiet=True))
    return settings


def addresses(settings):
    """Return the settings with which another copy uses the servers of these settings."""
    secret = {name: getattr(settings, name).get_secret_value() for name in passwords.PASSWORDS}
    users = {f"SOUK_{name.upper()}": value for name, value in secret.items() if "clickhouse" in name}
    return users | {
        "SOUK_KAFKA_BOOTSTRAP": settings.kafka,
        "SOUK_REGISTRY_URL": settings.registry,
        "SOUK_CLICKHOUSE_URL": settings.clickhouse,
        "SOUK_POSTGRES_URL": settings.postgres,
        "SOUK_REDIS_URL": settings.redis,
        "SOUK_FLINK_URL": settings.flink,
    }


def orders_of_seller(api):
    """Return the number of orders in the seller's sales; None while they can't be read."""
    answer = api.get(f"/v1/sellers/{SELLER}/sales")
    return answer.json()["totals"]["orders"] if answer.is_success else None


def test_up_uses_the_servers_of_another_copy_and_starts_none(untouched, tmp_path, eventually):
    servers = start_servers(untouched)
    with copy_in(tmp_path / "second" / ".souk") as copy:
        copy.environment.update(addresses(servers))
        copy.souk("up")
        records = read_process_records(StateDirectory(copy.settings.home).run)
        assert {record.part for record in records if record.alive} - {"supervisor"} == OURS

        given = {"kafka_bootstrap": servers.kafka, "registry_url": servers.registry}
        settings = copy.started_settings().model_copy(update=given)
        auth = PlatformToken(settings, "tests")
        with httpx.Client(base_url=settings.serving, trust_env=False, timeout=60, auth=auth) as api:
            eventually(lambda: api.get("/ready").is_success)  # on a busy machine, a check may be late
            confirmed_order(settings, api, eventually)
            eventually(lambda: orders_of_seller(api) == 1)
