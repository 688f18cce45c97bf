"""The two data sources of the dashboards, and a panel's question to each of them."""

from typing import Any, Literal

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

CLICKHOUSE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="souk-clickhouse")
"""ClickHouse as its reader; `./souk dashboards deploy` makes it."""

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="souk-prometheus")
"""A Prometheus that scrapes the platform as `dashboards/prometheus/` says."""

PLUGIN_VERSION = "4.0.0"
"""The ClickHouse plugin whose form of a query this is; later ones read it, too."""

Shape = Literal["time series", "table"]

FORMATS: dict[Shape, int] = {"time series": 0, "table": 1}
"""As the plugin numbers them. A time series with a text column becomes a line for each of its values."""


class ClickHouseQuery(Dataquery):
    """A panel's query as the ClickHouse plugin takes it; the SDK knows only Grafana's own plugins."""

    def __init__(self, sql: str, shape: Shape, ref_id: str = "A") -> None:
        self.sql = sql
        self.shape: Shape = shape
        self.ref_id = ref_id

    def to_json(self) -> dict[str, Any]:
        """The target of the panel's JSON."""
        return {
            "refId": self.ref_id,
            "datasource": CLICKHOUSE.to_json(),
            "editorType": "sql",
            "rawSql": self.sql,
            "format": FORMATS[self.shape],
            "queryType": "timeseries" if self.shape == "time series" else "table",
            "pluginVersion": PLUGIN_VERSION,
        }


class ClickHouse(Builder[Dataquery]):
    """Asks ClickHouse; the first column of a time series is its `time`."""

    def __init__(self, sql: str, shape: Shape = "table") -> None:
        self._query = ClickHouseQuery(sql, shape)

    def build(self) -> ClickHouseQuery:
        """The query."""
        return self._query


def prometheus(expression: str, legend: str = "") -> PrometheusQuery:
    """Asks Prometheus; `legend` names a line by its labels, such as `{{topic}}`."""
    query = PrometheusQuery().expr(expression).datasource(PROMETHEUS).range().ref_id("A")
    return query.legend_format(legend) if legend else query
