"""Builds a dashboard from sections of panels, with consecutive ids and the shop's time zone."""

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
            dashboard = dashboard.with_panel(NumberedPanel(panel, panel_id))
    return dashboard
