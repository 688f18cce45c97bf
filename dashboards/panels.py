"""The kinds of panels. Each has a title, a description, and a unit for every figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
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
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.dashboard import ThresholdsConfig as Thresholds

from dashboards.targets import CLICKHOUSE, PROMETHEUS, ClickHouseTarget, prometheus_target

FULL, HALF, THIRD, QUARTER = 24, 12, 8, 6
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
    steps = [Threshold(value=None, color="green")]
    if column.yellow_from is not None:
        steps.append(Threshold(value=column.yellow_from, color="yellow"))
    if column.red_from is not None:
        steps.append(Threshold(value=column.red_from, color="red"))
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
