"""The data sources of the dashboards, as Grafana's API expects them."""

from typing import Any
from urllib.parse import urlsplit

from common.settings import Settings
from dashboards.targets import CLICKHOUSE, PROMETHEUS, ZIPKIN


def clickhouse(settings: Settings, url: str) -> dict[str, Any]:
    """Return the data source of ClickHouse's HTTP interface at `url`, as the analyst."""
    address = urlsplit(url)
    secure = address.scheme == "https"
    return {
        "uid": CLICKHOUSE.uid,
        "name": "Souk ClickHouse",
        "type": CLICKHOUSE.type_val,
        "access": "proxy",
        "jsonData": {
            "host": address.hostname,
            "port": address.port or (8443 if secure else 8123),
            "path": address.path.strip("/"),
            "protocol": "http",
            "secure": secure,
            "username": settings.clickhouse_analyst_user,
            "defaultDatabase": settings.clickhouse_database,
            "dialTimeout": "10",
            "queryTimeout": "45",  # the plugin gives ClickHouse a little longer; the user's limit is 60 s
        },
        "secureJsonData": {"password": settings.clickhouse_analyst_password.get_secret_value()},
    }


def prometheus(url: str) -> dict[str, Any]:
    """Return the data source of a Prometheus that runs `dashboards/prometheus/prometheus.yml`."""
    return {
        "uid": PROMETHEUS.uid,
        "name": "Souk Prometheus",
        "type": PROMETHEUS.type_val,
        "access": "proxy",
        "url": url,
        "jsonData": {"httpMethod": "POST", "timeInterval": "15s"},
    }


def zipkin(url: str) -> dict[str, Any]:
    """Return the data source of a Zipkin server, whose traces Grafana's page Explore shows."""
    return {
        "uid": ZIPKIN.uid,
        "name": "Souk Zipkin",
        "type": ZIPKIN.type_val,
        "access": "proxy",
        "url": url,
        "jsonData": {"nodeGraph": {"enabled": True}},
    }
