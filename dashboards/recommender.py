"""The dashboard of the recommender: what it answers, what is clicked, and how fast and fresh it is."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards import recommender_figures, recommender_metrics
from dashboards.layout import Section, build_dashboard
from dashboards.queries import PanelQueries
from dashboards.variables import experiment_variable, grain_variable


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard of recommendations."""
    queries = PanelQueries(settings)
    sections = [
        Section("What shoppers do", recommender_figures.effects(queries)),
        Section("Health", recommender_figures.health(queries)),
        Section("Answers (Prometheus)", recommender_metrics.answers()),
        Section("Freshness (Prometheus)", recommender_metrics.freshness()),
    ]
    text = "Recommendations that were shown and clicked, by strategy, and how fast and fresh the answers are."
    built = build_dashboard(settings, "souk-recommender", "Souk · Recommender", text, sections, "now-7d")
    return built.with_variable(grain_variable()).with_variable(experiment_variable())
