"""Finds panels on Prometheus that select series which no process of a running platform exports."""

from collections.abc import Iterable, Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from common.settings import LOOPBACK, Part, Settings
from tests.integration.grafana_panels import prometheus_panels
from tests.promql import selectors_of

PROCESSES: tuple[Part, ...] = (
    "serving", "commerce", "clickhouse", "jobs", "rollups", "training", "simulator",
)  # fmt: skip
"""The jobs of Prometheus' configuration but `audit`, whose series no panel needs."""

SELDOM_ASKED = ("payments", "alerts", "configuration")
SENDING_SELDOM = ("users", "sellers", "products", "alerts", "configuration")
"""Services whose routes nobody calls, and those that send no event, unless a person does something."""

MAY_BE_MISSING: Mapping[str, str] = {
    'status=~"5.."': "no request failed",
    'outcome=~"retried|rejected"': "no message failed",
    "souk_requests_refused_total": "the gateway refused no request",
    "souk_last_answers_total": "ClickHouse always answered",
    "souk_recommendation_fallbacks_total": "every process offers the strategy of every arm",
    "souk_recommender_models_refused_total": "no model was broken",
    "souk_recommendation_rule_effects_total": "the shop has no rule",
    'souk_recommendation_sources_total{outcome!="answered"}': "every source answered",
    "souk_training_drift_psi": "there was no training before",
    "souk_trained_at_seconds": "there was no training before",
    "souk_cache_requests_total": "nobody opened a page whose responses are cached",
    "souk_cache_changes_total": "no event dropped a cached response",
    "souk_live_listeners": "no page is open",
    "souk:": "Prometheus records it",
    "ALERTS": "Prometheus makes it of alerts",
    **{
        f'souk_http_{metric}{{service="{service}"': "nobody called the service"
        for service in SELDOM_ASKED
        for metric in ("requests_total", "request_seconds_bucket")
    },
    **{
        f'souk_outbox_{metric}{{service="{service}"}}': "the service sent no event"
        for service in SENDING_SELDOM
        for metric in ("published_total", "delay_seconds_bucket")
    },
}
"""A part of a selector → why a demo may lack its series."""


def missing(settings: Settings) -> dict[str, list[str]]:
    """Return panel → its selectors that no exported series matches, without those of `MAY_BE_MISSING`."""
    series = list(scraped(settings))
    found: dict[str, list[str]] = {}
    for dashboard, panel in prometheus_panels(settings):
        for target in panel["targets"]:
            for selector in selectors_of(target["expr"]):
                is_excused = any(part in selector.text for part in MAY_BE_MISSING)
                if not is_excused and not any(selector.matches(*one) for one in series):
                    found.setdefault(f"{dashboard}: {panel['title']}", []).append(selector.text)
    return found


def scraped(settings: Settings) -> Iterable[tuple[str, Mapping[str, str]]]:
    """Yield name and labels of every series, with the label `job` that Prometheus adds."""
    for process in PROCESSES:
        url = f"http://{LOOPBACK}:{settings.port(process)}/metrics"
        text = httpx.get(url, trust_env=False, timeout=30).raise_for_status().text
        yield "up", {"job": process}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield sample.name, {**sample.labels, "job": process}
