"""The data sources of the dashboards, and the queries that panels run on them."""

from typing import Any, Literal, Self

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

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
