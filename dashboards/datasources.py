"""The data sources of the dashboards as Grafana's API takes them."""

from typing import Any
from urllib.parse import urlsplit

from common.settings import Settings
from dashboards.sources import CLICKHOUSE, PROMETHEUS


def clickhouse(settings: Settings, url: str) -> dict[str, Any]:
    """ClickHouse's HTTP interface at `url`, asked as the reader, who can only read."""
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
            "username": settings.clickhouse_reader_user,
            "defaultDatabase": settings.clickhouse_database,
            "dialTimeout": "10",
            "queryTimeout": "45",  # a little more is asked of ClickHouse, which gives a reader 60 s
        },
        "secureJsonData": {"password": settings.clickhouse_reader_password.get_secret_value()},
    }


def prometheus(url: str) -> dict[str, Any]:
    """A Prometheus that runs `dashboards/prometheus/prometheus.yml`."""
    return {
        "uid": PROMETHEUS.uid,
        "name": "Souk Prometheus",
        "type": PROMETHEUS.type_val,
        "access": "proxy",
        "url": url,
        "jsonData": {"httpMethod": "POST", "timeInterval": "15s"},
    }
