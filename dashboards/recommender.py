"""The dashboard of the recommender: what it answers, what is clicked, and how fast and fresh it is."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.layout import Section, build_dashboard
from dashboards.panels import (
    FULL,
    HALF,
    THIRD,
    Column,
    PanelBuilder,
    bar_gauge_panel,
    metric_panel,
    stat_panel,
    table_panel,
    time_series_panel,
)
from dashboards.queries import PanelQueries
from dashboards.variables import grain_variable

ROUTES = "/v1/recommendations/.*|/v1/products/[^/]+/similar"
CLICK_RATE = Column("Click rate", "percentunit", decimals=1)


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard of recommendations."""
    queries = PanelQueries(settings)
    sections = [
        Section("What shoppers do", _effects(queries)),
        Section("Answers (Prometheus)", _answers()),
        Section("Freshness (Prometheus)", _freshness()),
    ]
    text = "Recommendations that were shown and clicked, by strategy, and how fast and fresh the answers are."
    built = build_dashboard(settings, "souk-recommender", "Souk · Recommender", text, sections, "now-7d")
    return built.with_variable(grain_variable())


def _effects(queries: PanelQueries) -> list[PanelBuilder]:
    return [
        stat_panel(
            "Exposure",
            "Products and sellers that were shown as recommendations, and the share of all listed products.",
            queries.sql("recommender/exposure"),
            {
                "shown_products": Column("Products shown", "short"),
                "listed": Column("Products listed", "short"),
                "shown_share": Column("Share of the catalogue", "percentunit", decimals=1),
                "shown_sellers": Column("Sellers shown", "short"),
            },
            FULL,
        ),
        time_series_panel(
            "Lists shown",
            "Recommendation lists that came into view, by strategy.",
            queries.sql("recommender/lists_shown"),
            {"lists": Column("Lists", "short")},
            bars=True,
            by="strategy",
        ),
        time_series_panel(
            "Click rate",
            "The share of the lists that came into view that were clicked, by strategy.",
            queries.sql("recommender/click_rate"),
            {"click_share": CLICK_RATE},
            by="strategy",
            stacked=False,
        ),
        table_panel(
            "Places",
            "Lists that came into view and those that were clicked, by the place of the list on the page.",
            queries.sql("recommender/surfaces"),
            {
                "surface": Column("Place"),
                "shown": Column("Shown", "short"),
                "clicked": Column("Clicked", "short"),
                "click_share": CLICK_RATE,
            },
            HALF,
        ),
        bar_gauge_panel(
            "Clicks by position",
            "Clicks by the position in the list, from 1: the place counts besides the product.",
            queries.sql("recommender/positions"),
            {"place": Column("Position"), "clicks": Column("Clicks", "short")},
            HALF,
        ),
    ]


def _answers() -> list[PanelBuilder]:
    route = f'job="serving", route=~"{ROUTES}"'
    return [
        metric_panel(
            "Answers by strategy",
            "Recommendations that the API answers for each second, by page and strategy.",
            "sum by (context, strategy) (rate(souk_recommendations_total[5m]))",
            Column("{{context}} {{strategy}}", "ops"),
        ),
        metric_panel(
            "Duration of answers",
            "99 of 100 requests for recommendations are answered within this time.",
            "histogram_quantile(0.99, sum by (le, route) "
            f"(rate(souk_http_request_seconds_bucket{{{route}}}[5m])))",
            Column("{{route}}", "s", yellow_from=0.1, red_from=0.5),
        ),
        metric_panel(
            "Failed answers",
            "The share of requests for recommendations with a status of 500 or more.",
            f'sum(rate(souk_http_requests_total{{{route}, status=~"5.."}}[5m]))'
            f" / sum(rate(souk_http_requests_total{{{route}}}[5m]))",
            Column("failed", "percentunit", yellow_from=0.001, red_from=0.01),
            HALF,
        ),
        metric_panel(
            "Refused answers",
            "Requests for recommendations that the gateway refused, for each second, by the reason.",
            'sum by (reason) (rate(souk_requests_refused_total{traffic="recommendation"}[5m]))',
            Column("{{reason}}", "ops"),
            HALF,
        ),
        metric_panel(
            "Sources that did not answer",
            "The share of answers for which a source had nothing, by the reason, such as a damaged model.",
            'sum by (source, outcome) (rate(souk_recommendation_sources_total{outcome!="answered"}[5m]))'
            " / on (source) group_left sum by (source) (rate(souk_recommendation_sources_total[5m]))",
            Column("{{source}} {{outcome}}", "percentunit"),
            FULL,
        ),
        metric_panel(
            "Rules of the shop",
            "Products that a rule removed, moved, inserted or passed over in lists, for each second.",
            "sum by (rule, effect) (rate(souk_recommendation_rule_effects_total[5m]))",
            Column("{{rule}} {{effect}}", "ops"),
            FULL,
        ),
        metric_panel(
            "Logged answers",
            "Answers for the log of recommendations for each second. They are dropped if Kafka is away.",
            "sum by (outcome) (rate(souk_recommendation_answers_logged_total[5m]))",
            Column("{{outcome}}", "ops"),
            HALF,
        ),
        metric_panel(
            "Fallbacks",
            "Answers by the default strategy for each second, because that of the arm was not available.",
            "sum by (strategy) (rate(souk_recommendation_fallbacks_total[5m]))",
            Column("{{strategy}}", "ops"),
            HALF,
        ),
        metric_panel(
            "Clicks an impression",
            "The click-through rate of the last 15 minutes, from the events that the API accepted.",
            "sum by (surface) (increase(souk_recommendation_clicks_total[15m]))"
            " / sum by (surface) (increase(souk_recommendation_impressions_total[15m]))",
            Column("{{surface}}", "percentunit"),
            HALF,
        ),
        metric_panel(
            "Sources passed over",
            "The share of questions to a source of recommendations that it did not answer, by reason.",
            'sum by (outcome) (rate(souk_recommendation_sources_total{outcome!="answered"}[5m]))'
            " / on() group_left() sum(rate(souk_recommendation_sources_total[5m]))",
            Column("{{outcome}}", "percentunit"),
            HALF,
        ),
    ]


def _freshness() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Job",
            "1 while all tasks of the job that computes recommendations run.",
            'min by (job_name) (souk_job_running{job_name="recommendations"})',
            Column("{{job_name}}", "bool_yes_no"),
            THIRD,
        ),
        metric_panel(
            "Newest checkpoint",
            "Time since the newest checkpoint of the job was completed.",
            'max by (job_name) (souk_checkpoint_age_seconds{job_name="recommendations"})',
            Column("{{job_name}}", "s"),
            THIRD,
        ),
        metric_panel(
            "Messages behind",
            "Messages in Kafka after the last one that the job has committed.",
            'sum by (group) (souk_messages_behind{group=~".*recommendations.*"})',
            Column("{{group}}", "short"),
            THIRD,
        ),
        metric_panel(
            "Newest event",
            "How long ago the newest event of each kind happened that the job has read.",
            "time() - max by (event) (souk_recommendations_as_of_seconds)",
            Column("{{event}}", "s"),
            THIRD,
        ),
    ]
