"""Puts panels on a dashboard: rows with a heading, ids in order, the shop's time zone."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, Panel

from common.settings import Settings
from dashboards.panels import Built

TAG = "souk"


@dataclass(frozen=True)
class Section:
    """Some panels under one heading."""

    title: str
    panels: Sequence[Built]


class Placed(Builder[Panel]):
    """A panel that has its id."""

    def __init__(self, panel: Built, panel_id: int) -> None:
        self._panel = panel.build()
        self._panel.id_val = panel_id

    def build(self) -> Panel:
        """The panel."""
        return self._panel


def board(
    settings: Settings, uid: str, title: str, text: str, sections: Sequence[Section], since: str
) -> Dashboard:
    """A dashboard that shows the time from `since` (such as `now-1h`) to now; it is read anew by itself."""
    made = (
        Dashboard(title).uid(uid).description(text).tags([TAG]).timezone(settings.shop_timezone)
        .time(since, "now").refresh("30s").tooltip(DashboardCursorSync.CROSSHAIR).readonly()
    )  # fmt: skip
    number = 0
    for section in sections:
        number += 1
        made = made.with_row(Row(section.title).id(number))
        for panel in section.panels:
            number += 1
            made = made.with_panel(Placed(panel, number))
    return made
