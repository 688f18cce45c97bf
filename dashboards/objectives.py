"""The dashboard of the objectives (SLOs): the error budgets, how fast they burn, and firing alerts."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.panels import FULL, HALF, Column, PanelBuilder, Section, build_dashboard, metric_panel
from dashboards.prometheus.objectives import ALERTS, OBJECTIVES, Objective, ratio_name

SLOWEST = ALERTS[-1]
"""The alert with the longest windows, which says whether the budget lasts."""


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard with a row of panels for each objective."""
    sections = [Section("Alerts", _alerts())]
    sections += [Section(each.name.capitalize(), _panels(each)) for each in OBJECTIVES]
    return build_dashboard(
        settings,
        "souk-objectives",
        "Souk · Objectives",
        "The objectives of the service: how fast each error budget burns, and the alerts that fire.",
        sections,
        "now-1d",
    )


def _alerts() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Firing alerts",
            "1 while an alert fires; `docs/runbooks/` has a page for each.",
            'max by (alertname) (ALERTS{alertstate="firing"})',
            Column("{{alertname}}", "bool_yes_no"),
            FULL,
        )
    ]


def _panels(objective: Objective) -> list[PanelBuilder]:
    of = f'{{slo="{objective.name}"}}'
    burnt = " or ".join(
        f'label_replace(max({ratio_name(window)}{of}) / {objective.budget:g}, "window", "{window}", "", "")'
        for window in dict.fromkeys(window for alert in ALERTS for window in (alert.short, alert.long))
    )
    return [
        metric_panel(
            f"Burn rate of {objective.name}",
            "How many times as fast as allowed the budget burns, by window: at 1 it lasts exactly 30 days.",
            burnt,
            Column("{{window}}", "none", decimals=2, yellow_from=1, red_from=ALERTS[0].factor),
            HALF,
        ),
        metric_panel(
            f"Good share of {objective.name}",
            f"The share over {SLOWEST.long} that was good: {objective.meaning}.".replace("`", ""),
            f"1 - max({ratio_name(SLOWEST.long)}{of})",
            Column("good", "percentunit", decimals=3),
            HALF,
        ),
    ]
