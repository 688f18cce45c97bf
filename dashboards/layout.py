"""Builds a dashboard from panels: rows with headings, consecutive ids, the shop's time zone."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, Panel

from common.settings import Settings
from dashboards.panels import PanelBuilder

TAG = "souk"


@dataclass(frozen=True)
class Section:
    """A row of panels with a heading."""

    title: str
    panels: Sequence[PanelBuilder]


class NumberedPanel(Builder[Panel]):
    """A panel with its id."""

    def __init__(self, panel: PanelBuilder, panel_id: int) -> None:
        self._panel = panel.build()
        self._panel.id_val = panel_id

    def build(self) -> Panel:
        """Return the panel."""
        return self._panel


def build_dashboard(
    settings: Settings, uid: str, title: str, text: str, sections: Sequence[Section], since: str
) -> Dashboard:
    """Return a dashboard of the time from `since` (such as `now-1h`) to now, which refreshes every 30 s."""
    dashboard = (
        Dashboard(title).uid(uid).description(text).tags([TAG]).timezone(settings.shop_timezone)
        .time(since, "now").refresh("30s").tooltip(DashboardCursorSync.CROSSHAIR).readonly()
    )  # fmt: skip
    number = 0
    for section in sections:
        number += 1
        dashboard = dashboard.with_row(Row(section.title).id(number))
        for panel in section.panels:
            number += 1
            dashboard = dashboard.with_panel(NumberedPanel(panel, number))
    return dashboard
