"""The data sources of the dashboards, as Grafana's API expects them, and the queries of panels."""

from typing import Any, Literal, Self
from urllib.parse import urlsplit

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from common.settings import Settings

CLICKHOUSE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="souk-clickhouse")
"""ClickHouse with the read-only user; `./souk dashboards deploy` creates this data source."""

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="souk-prometheus")
"""A Prometheus with the configuration in `dashboards/prometheus/`."""

ZIPKIN = DataSourceRef(type_val="zipkin", uid="souk-zipkin")
"""A Zipkin that stores the traces (docs/traces.md). No panel reads it; Grafana's page Explore does."""

PLUGIN_VERSION = "4.0.0"
"""The version of the ClickHouse plugin that has this query format; later versions accept it."""

Shape = Literal["time series", "table"]

FORMATS: dict[Shape, int] = {"time series": 0, "table": 1}
"""The plugin's number for each format. A time series with a text column has a line for each of the texts."""


class ClickHouseTarget(Dataquery, Builder[Dataquery]):
    """A panel's query for the ClickHouse plugin, and its builder.

    The SDK supports only Grafana's own plugins. The first column of a time series is `time`.
    """

    def __init__(self, sql: str, shape: Shape = "table") -> None:
        self._sql = sql
        self._shape = shape

    def build(self) -> Self:
        """Return the query."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the query as the `target` of a panel in Grafana's JSON."""
        return {
            "refId": "A",
            "datasource": CLICKHOUSE.to_json(),
            "editorType": "sql",
            "rawSql": self._sql,
            "format": FORMATS[self._shape],
            "queryType": "timeseries" if self._shape == "time series" else "table",
            "pluginVersion": PLUGIN_VERSION,
        }


def prometheus_target(expression: str, legend: str = "") -> PrometheusQuery:
    """Return a query of Prometheus; `legend` names a line by its labels, such as `{{topic}}`."""
    query = PrometheusQuery().expr(expression).datasource(PROMETHEUS).range().ref_id("A")
    return query.legend_format(legend) if legend else query


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
