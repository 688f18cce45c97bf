"""The dashboard of the recommender: what it answers, what is clicked, and how fast and fresh it is."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.panels import (
    FULL,
    HALF,
    THIRD,
    Column,
    PanelBuilder,
    Section,
    bar_gauge_panel,
    build_dashboard,
    metric_panel,
    stat_panel,
    table_panel,
    time_series_panel,
)
from dashboards.queries import PanelQueries
from dashboards.variables import experiment_variable, grain_variable

ROUTES = "/v1/recommendations/.*|/v1/products/[^/]+/similar"

SHOWN, CLICKED = Column("Shown", "short"), Column("Clicked", "short")
CLICK_RATE = Column("Click rate", "percentunit", decimals=1)


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard of recommendations."""
    queries = PanelQueries(settings)
    sections = [
        Section("What shoppers do", _effects(queries)),
        Section("Health", _health(queries)),
        Section("Answers (Prometheus)", _answers()),
        Section("Freshness (Prometheus)", _freshness()),
    ]
    built = build_dashboard(
        settings,
        "souk-recommender",
        "Souk · Recommender",
        "Recommendations that were shown and clicked, by strategy, and how fast and fresh the answers are.",
        sections,
        "now-7d",
    )
    return built.with_variable(grain_variable()).with_variable(experiment_variable())


def strategies_panel(queries: PanelQueries) -> PanelBuilder:
    """Return the table of the strategies, which the dashboard of the marketplace shows, too."""
    return table_panel(
        "Recommendations",
        "Recommendation lists that came into view, and the share that was clicked, by strategy.",
        queries.sql("recommender/strategies"),
        {
            "strategy": Column("Strategy"),
            "shown": SHOWN,
            "clicked": CLICKED,
            "click_share": CLICK_RATE,
        },
        HALF,
    )


def _effects(queries: PanelQueries) -> list[PanelBuilder]:
    """Return the panels of what shoppers were shown, and what they clicked."""
    return [
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
        strategies_panel(queries),
        table_panel(
            "Places",
            "Lists that came into view and those that were clicked, by the place of the list on the page.",
            queries.sql("recommender/surfaces"),
            {
                "surface": Column("Place"),
                "shown": SHOWN,
                "clicked": CLICKED,
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
        table_panel(
            "Arms of $experiment",
            "Visitors of each arm who saw lists in the period. The page of experiments judges the arms.",
            queries.sql("recommender/arms"),
            {"arm_name": Column("Arm"), "visitors": Column("Visitors", "short")},
            HALF,
        ),
    ]


def _health(queries: PanelQueries) -> list[PanelBuilder]:
    """Return the panels of how varied, fair and complete recommendations are."""
    return [
        stat_panel(
            "Coverage",
            "Products and sellers that were recommended, and the share of the products on offer.",
            queries.sql("recommender/coverage"),
            {
                "shown_products": Column("Products shown", "short"),
                "offered_products": Column("Products on offer", "short"),
                "shown_share": Column("Share of the catalogue", "percentunit", decimals=1),
                "shown_sellers": Column("Sellers shown", "short"),
            },
            FULL,
        ),
        time_series_panel(
            "Variety",
            "Pairs of products of a list that differ in category, and what a visitor sees of one category.",
            queries.sql("recommender/variety"),
            {
                "mean_diversity": Column("Pairs that differ", "percentunit", decimals=1),
                "largest_category": Column("Largest category", "percentunit", decimals=1),
            },
        ),
        table_panel(
            "Fairness to sellers",
            "Sellers' share of exposure beside their share of the offers, the most exposed first.",
            queries.sql("recommender/fairness"),
            {
                "seller_id": Column("Seller"),
                "exposure_share": Column("Exposure", "percentunit", decimals=1),
                "catalogue_share": Column("Offers", "percentunit", decimals=1),
                "ratio": Column("Exposure ÷ offers", "none", decimals=2),
            },
        ),
        time_series_panel(
            "Time of an answer",
            "From the request until the list was chosen: the median and the 99th percentile of each day.",
            queries.sql("recommender/answer_times"),
            {"half_ms": Column("Median", "ms"), "most_ms": Column("99th percentile", "ms")},
        ),
        time_series_panel(
            "Poor answers",
            "The share of empty answers, and of personal answers that have popular products alone.",
            queries.sql("recommender/poor_answers"),
            {
                "empty_share": Column("Empty", "percentunit", decimals=1),
                "popular_only_share": Column("Popular products alone", "percentunit", decimals=1),
            },
        ),
        table_panel(
            "Newest trainings",
            "The newest trainings of the recommender, what started each, and how it ended.",
            queries.sql("recommender/trainings"),
            {
                "started_at": Column("Started", "dateTimeAsIso"),
                "started_by": Column("By"),
                "ended_with": Column("Outcome"),
                "model_version": Column("Version"),
                "events": Column("Events", "short"),
                "duration_s": Column("Duration", "s"),
                "peak_memory": Column("Peak memory", "decbytes"),
            },
            FULL,
        ),
    ]


def _answers() -> list[PanelBuilder]:
    """Return the panels of the API's answers: how many, how fast, from what, and what was refused."""
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
    """Return the panels of what recommendations are made from: the job, its events, and the models."""
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
        metric_panel(
            "Newest model",
            "How long ago the model was trained that is served, and the newest one.",
            "time() - max by (what) (souk_trained_at_seconds)",
            Column("{{what}}", "s"),
            THIRD,
        ),
        metric_panel(
            "Trainings",
            "Trainings of the last day that ended, by the way they ended.",
            "sum by (outcome) (increase(souk_trainings_total[1d]))",
            Column("{{outcome}}", "short"),
            THIRD,
        ),
        metric_panel(
            "Drift",
            "How far what is viewed has drifted from the training data (PSI); from 0.2 a training begins.",
            "max by (dimension) (souk_training_drift_psi)",
            Column("{{dimension}}", "none", decimals=2, yellow_from=0.1, red_from=0.2),
            THIRD,
        ),
        metric_panel(
            "Refused models",
            "Published models, rows of models and weights for each second that a process did not use.",
            "sum by (reason) (rate(souk_recommender_models_refused_total[15m]))",
            Column("{{reason}}", "ops"),
            THIRD,
        ),
    ]
