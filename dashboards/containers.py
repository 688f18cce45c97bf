"""Writes what Grafana and Prometheus of `docker-compose.yml` read when they start."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from common.settings import PORTS, Settings
from dashboards import targets
from dashboards.build import as_text, build, write_texts
from dashboards.prometheus import configuration

CLICKHOUSE_URL = "http://clickhouse:8123"
PROMETHEUS_URL = "http://prometheus:9090"
ZIPKIN_URL = "http://zipkin:9411"
DASHBOARDS = "/etc/grafana/dashboards"
"""The folder of the dashboards in Grafana's container."""

ADDRESSES: Mapping[str, str] = {
    **{part: f"{part}:{port}" for part, port in PORTS.items()},
    "clickhouse": "clickhouse:9363",
    "seller_sql": f"seller-sql:{PORTS['seller_sql']}",  # a host name has no underscore
}
"""Where Prometheus reads the metrics of each part. A ClickHouse server has a port of its own for them."""

ALERTMANAGER = "alertmanager:9093"


def write(settings: Settings, folder: Path) -> list[Path]:
    """Write the folders `grafana` and `prometheus`, and return the paths of their files.

    The data source contains no password: Grafana reads it from its environment.
    """
    login = {"clickhouse_analyst_password": SecretStr("$SOUK_CLICKHOUSE_ANALYST_PASSWORD")}
    sources = [
        targets.clickhouse(settings.model_copy(update=login), CLICKHOUSE_URL),
        targets.prometheus(PROMETHEUS_URL),
        targets.zipkin(ZIPKIN_URL),
    ]
    provider = {"name": "souk", "type": "file", "folder": "Souk", "options": {"path": DASHBOARDS}}
    texts = {
        "grafana/provisioning/datasources/souk.yaml": as_text({"apiVersion": 1, "datasources": sources}),
        "grafana/provisioning/dashboards/souk.yaml": as_text({"apiVersion": 1, "providers": [provider]}),
    }
    texts |= {
        f"prometheus/{name}": text for name, text in configuration.texts(ADDRESSES, ALERTMANAGER).items()
    }
    texts |= {f"grafana/dashboards/{name}.json": as_text(one) for name, one in build(settings).items()}
    return write_texts(folder, texts)
