"""The kinds of panels, each with a title, a description, and a unit for every figure, and dashboards of them.

A dashboard has sections of panels, with consecutive ids, and the shop's time zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.dashboard import ThresholdsConfig as Thresholds

from common.settings import Settings
from dashboards.targets import CLICKHOUSE, PROMETHEUS, ClickHouseTarget, prometheus_target

FULL, HALF, THIRD = 24, 12, 8
"""Widths, in columns of Grafana's grid, which has 24."""

SHORT, NORMAL, TALL = 4, 8, 11
"""Heights, in rows of the grid."""

PanelBuilder = Builder[Panel]


class StyledPanel(Protocol):
    """The methods that all of the SDK's panel builders have."""

    def build(self) -> Panel:
        """Return the panel."""

    def thresholds(self, thresholds: Builder[Thresholds]) -> Self:
        """Set the colours by value."""

    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> Self:
        """Set properties of the field with this name."""


PanelT = TypeVar("PanelT", bound=StyledPanel)


@dataclass(frozen=True)
class Column:
    """How a panel shows a column of a result: its heading and, for a figure, Grafana's id of its unit."""

    title: str
    unit: str = "string"
    decimals: int | None = None
    yellow_from: float | None = None
    red_from: float | None = None
    """The column is yellow from `yellow_from` and red from `red_from`."""


Columns = Mapping[str, Column]


def stat_panel(title: str, text: str, sql: str, columns: Columns, width: int = THIRD) -> PanelBuilder:
    """Return a panel of a few large figures: the columns of a query of one row."""
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).fields(_any_of(columns)).values(False)
    panel = (
        stat.Panel().title(title).description(text).datasource(CLICKHOUSE).with_target(ClickHouseTarget(sql))
        .span(width).height(SHORT).unit(_main(columns).unit).reduce_options(reduced)
        .color_mode(BigValueColorMode.VALUE).graph_mode(BigValueGraphMode.NONE)
    )  # fmt: skip
    return _named(_colored(panel, _main(columns)), columns)


def bar_gauge_panel(title: str, text: str, sql: str, columns: Columns, width: int = HALF) -> PanelBuilder:
    """Return a panel with a bar for each row; the text column of the row is the bar's label."""
    reduced = common.ReduceDataOptions().calcs([]).fields("").values(True)
    panel = (
        bargauge.Panel().title(title).description(text).datasource(CLICKHOUSE).with_target(ClickHouseTarget(sql))
        .span(width).height(NORMAL).unit(_main(columns).unit).reduce_options(reduced).min(0)
        .orientation(VizOrientation.HORIZONTAL).display_mode(BarGaugeDisplayMode.BASIC)
    )  # fmt: skip
    return _named(_colored(panel, _main(columns)), columns)


def table_panel(title: str, text: str, sql: str, columns: Columns, width: int = HALF) -> PanelBuilder:
    """Return a table with a heading for every column of the result."""
    panel = (
        table.Panel().title(title).description(text).datasource(CLICKHOUSE).with_target(ClickHouseTarget(sql))
        .span(width).height(TALL).unit(_main(columns).unit).filterable(True)
    )  # fmt: skip
    return _named(panel, columns)


def time_series_panel(
    title: str, text: str, sql: str, columns: Columns, width: int = HALF, *, bars: bool = False,
    by: str = "", stacked: bool = True, from_zero: bool = True,
) -> PanelBuilder:  # fmt: skip
    """Return figures over time: a line for each column, or for each value of the text column `by`.

    The axis begins at zero, unless `from_zero` is False because there are figures below it.
    """
    panel = _lines(title, text, _main(columns), width, bars=bars, stacked=bool(by) and stacked)
    if from_zero:
        panel = panel.min(0)
    panel = panel.datasource(CLICKHOUSE).with_target(ClickHouseTarget(sql, "time series"))
    if by:
        return panel.display_name("${__field.labels." + by + "}")
    return _named(panel, columns)


def metric_panel(title: str, text: str, expression: str, shown: Column, width: int = HALF) -> PanelBuilder:
    """Return a panel of a Prometheus expression; the column's title is the legend, such as `{{topic}}`."""
    panel = _lines(title, text, shown, width, bars=False, stacked=False).min(0)
    return panel.datasource(PROMETHEUS).with_target(prometheus_target(expression, shown.title))


def _lines(title: str, text: str, main: Column, width: int, *, bars: bool, stacked: bool) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    panel = (
        timeseries.Panel().title(title).description(text).span(width).height(NORMAL).unit(main.unit)
        .legend(legend.show_legend(True).calcs([])).show_points(VisibilityMode.NEVER)
        .draw_style(GraphDrawStyle.BARS if bars else GraphDrawStyle.LINE)
        .fill_opacity(60 if bars else 10)
    )  # fmt: skip
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    return _colored(panel, main)


def _main(columns: Columns) -> Column:
    """Return the first column with a figure; the panel uses its unit."""
    return next((column for column in columns.values() if column.unit != "string"), Column("", "none"))


def _any_of(columns: Columns) -> str:
    return f"/^({'|'.join(columns)})$/"


def _colored(panel: PanelT, column: Column) -> PanelT:
    """Colour the panel by the column's limits: green, yellow, red."""
    limits = ((column.yellow_from, "yellow"), (column.red_from, "red"))
    above = [Threshold(value=limit, color=color) for limit, color in limits if limit is not None]
    steps = [Threshold(value=None, color="green"), *above]
    return panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))


def _named(panel: PanelT, columns: Columns) -> PanelT:
    """Set heading, unit and decimals of every column."""
    for name, column in columns.items():
        shown: dict[str, object] = {"displayName": column.title, "unit": column.unit}
        if column.decimals is not None:
            shown["decimals"] = column.decimals
        properties = [DynamicConfigValue(id_val=key, value=value) for key, value in shown.items()]
        panel.override_by_name(name, properties)
    return panel


TAG = "souk"


@dataclass(frozen=True)
class Section:
    """A row of panels with a heading."""

    title: str
    panels: Sequence[PanelBuilder]


def build_dashboard(
    settings: Settings, uid: str, title: str, text: str, sections: Sequence[Section], since: str
) -> Dashboard:
    """Return a dashboard that shows `since` (such as `now-1h`) to now and refreshes every 30 s."""
    dashboard = (
        Dashboard(title).uid(uid).description(text).tags([TAG]).timezone(settings.shop_timezone)
        .time(since, "now").refresh("30s").tooltip(DashboardCursorSync.CROSSHAIR).readonly()
    )  # fmt: skip
    panel_id = 0
    for section in sections:
        panel_id += 1
        dashboard = dashboard.with_row(Row(section.title).id(panel_id))
        for panel in section.panels:
            panel_id += 1
            panel.build().id_val = panel_id  # a builder has one panel, and returns it each time
            dashboard = dashboard.with_panel(panel)
    return dashboard
