"""The panels of the recommender that Prometheus answers: how fast and how fresh recommendations are."""

from dashboards.panels import FULL, HALF, THIRD, Column, PanelBuilder, metric_panel

ROUTES = "/v1/recommendations/.*|/v1/products/[^/]+/similar"


def answers() -> list[PanelBuilder]:
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


def freshness() -> list[PanelBuilder]:
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
