"""`python -m producers loyalty`: the new service in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import httpx

from common.principal import platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import ROOT, Settings
from tests.integration.commerce.conftest import Shop
from tests.integration.conftest import is_ready
from tests.integration.servers import await_true, terminated
from tests.ports import free_offset


def test_a_service_runs_alone(shop: Shop, tmp_path: Path) -> None:
    beside = shop.settings
    alone = Settings(home=tmp_path, port_offset=free_offset())
    environment = os.environ | {
        "SOUK_HOME": str(alone.home),
        "SOUK_PORT_OFFSET": str(alone.port_offset),
        "SOUK_POSTGRES_URL": beside.postgres,
        "SOUK_KAFKA_BOOTSTRAP": beside.kafka,
        "SOUK_REGISTRY_URL": beside.registry,
    }
    command = [sys.executable, "-m", "producers", "loyalty"]
    with terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process:
        await_true(lambda: is_ready(process, f"{alone.commerce}/ready"), "loyalty's start")
        headers = {HEADER: PrincipalTokens(alone).make(platform("tests"), COMMERCE)}
        points = httpx.get(f"{alone.commerce}/v1/shoppers/nobody/points", headers=headers, trust_env=False)
        orders = httpx.get(f"{alone.commerce}/v1/orders/none", headers=headers, trust_env=False)

    assert points.json()["type"] == "urn:souk:problem:no-points"
    assert orders.json().get("type") != "urn:souk:problem:unknown-order"
