"""Runs the queries of panels as Grafana and its ClickHouse plugin do: as the analyst, over a time range."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from common.settings import Settings
from dashboards.build import build

Panel = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """What a user has selected at the top of a dashboard. Times are in Unix seconds."""

    start_s: int
    end_s: int
    grain: str = "day"
    seller: str = "s1"
    experiment: str = "holdout"

    def fill(self, sql: str) -> str:
        """Return a query with its macros and variables replaced."""
        values = {
            "$__fromTime": f"toDateTime({self.start_s})",
            "$__toTime": f"toDateTime({self.end_s})",
            "$__interval_s": "300",
            "${grain:singlequote}": quoted(self.grain),
            "${seller_id:singlequote}": quoted(self.seller),
            "${experiment:singlequote}": quoted(self.experiment),
        }
        for name, value in values.items():
            sql = sql.replace(name, value)
        return sql


def last_week() -> Selection:
    """Return the time from a week ago to in a minute."""
    now = int(time.time())
    return Selection(now - 7 * 86_400, now + 60)


def quoted(value: str) -> str:
    """Return a value as Grafana's format `singlequote` does."""
    escaped = value.replace("'", r"\'")
    return f"'{escaped}'"


def clickhouse_panels(settings: Settings) -> Iterator[tuple[str, Panel]]:
    """Yield dashboard and panel of every panel whose query runs in ClickHouse."""
    for name, dashboard in build(settings).items():
        for panel in dashboard["panels"]:
            if any("rawSql" in target for target in panel.get("targets", [])):
                yield name, panel


def prometheus_panels(settings: Settings) -> Iterator[tuple[str, Panel]]:
    """Yield dashboard and panel of every panel whose query runs in Prometheus."""
    for name, dashboard in build(settings).items():
        for panel in dashboard["panels"]:
            if any("expr" in target for target in panel.get("targets", [])):
                yield name, panel


def columns_of(panel: Panel) -> set[str]:
    """Return the columns that a panel names."""
    return {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}


def run(settings: Settings, sql: str) -> dict[str, Any]:
    """Return ClickHouse's answer to the analyst: `meta`, `data` (the rows) and `rows` (their number).

    Times are in UTC, in ISO format.
    """
    answer = httpx.post(
        settings.clickhouse,
        params={
            "database": settings.clickhouse_database,
            "default_format": "JSON",
            "date_time_output_format": "iso",  # in UTC, whatever the zone of the column
        },
        headers={
            "x-clickhouse-user": settings.clickhouse_analyst_user,
            "x-clickhouse-key": settings.clickhouse_analyst_password.get_secret_value(),
        },
        content=sql,
        trust_env=False,
        timeout=60,
    )
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rows_of(settings: Settings, panel: Panel, selection: Selection) -> list[Row]:
    """Return the rows that a panel shows."""
    rows: list[Row] = run(settings, selection.fill(panel["targets"][0]["rawSql"]))["data"]
    return rows
