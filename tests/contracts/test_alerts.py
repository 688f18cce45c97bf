"""Every alert fires on what it is about, and only then: promtool runs the rules on made series."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.prometheus.configuration import rules
from dashboards.prometheus.objectives import ALERTS, OBJECTIVES

STEP_S = 5
"""The interval of scrapes and evaluations, as in prometheus.yml."""


@dataclass(frozen=True)
class Case:
    """Series with which an alert fires after `after_s` seconds, and changed series with which it does not.

    Values are written as promtool reads them: `0+1x24` is 0, 1, 2 … 24.
    """

    alert: str
    bad: dict[str, str]
    good: dict[str, str]
    after_s: int = 60
    step_s: int = STEP_S


def cache_requests(**rates: int) -> dict[str, str]:
    name = "souk_cache_requests_total{{cache='product', outcome='{}'}}"
    return {name.format(outcome): f"0+{rate}x12" for outcome, rate in {**rates, "shared": 9}.items()}


def sources(**rates: int) -> dict[str, str]:
    name = "souk_recommendation_sources_total{{source='item_neighbours', outcome='{}'}}"
    return {name.format(outcome): f"0+{rate}x12" for outcome, rate in rates.items()}


OLD_AS_OF = {
    "souk_figures_as_of_seconds{figures='all'}": "10x12",
    "souk_messages_behind{group='facts', job_name='facts'}": "5x12",
}
OLD_RECOMMENDATIONS = {
    "souk_recommendations_as_of_seconds{event='product_viewed'}": "10x12",
    "souk_messages_behind{group='recommendations@1', job_name='recommendations'}": "5x12",
}
FEWER_CLICKS = {
    "souk_recommendation_click_rate{days='newest'}": "0.034x380",
    "souk_recommendation_click_rate{days='usual'}": "0.05x380",
}

CASES = [
    Case("ProcessDown", {"up{job='commerce'}": "1 1 0x10"}, {"up{job='simulator'}": "0x12"}),
    Case("ProcessDown", {"up{job='training'}": "1 1 0x10"}, {"up{job='audit'}": "0x12"}),
    Case(
        "ProcessDown",
        {"up{job='training'}": "1x12 0x360"},
        {"up{job='training'}": "0x372"},
        after_s=31 * 3_600,
        step_s=300,
    ),
    Case(
        "PartDown", {"souk_part_ready{part='redis'}": "0x12"}, {"souk_part_ready{part='redis'}": "0 0 1x10"}
    ),
    Case(
        "JobDown",
        {"souk_job_running{job_name='facts'}": "0x12"},
        {"souk_job_running{job_name='facts'}": "1x12"},
    ),
    Case(
        "ConsumerBehind",
        {"souk_messages_behind{group='facts'}": "60000x72"},
        {"souk_messages_behind{group='facts'}": "60000x70 100 60000"},
        after_s=360,
    ),
    Case(
        "EventsNotRead",
        {
            "souk_messages_behind{group='souk_inventory'}": "0x6 3+1x40",
            "souk_inbox_messages_total{service='inventory', outcome='acted'}": "0+1x6 6x40",
        },
        {
            "souk_messages_behind{group='souk_inventory'}": "0x6 3+1x40",
            "souk_inbox_messages_total{service='inventory', outcome='acted'}": "0+1x46",
        },
        after_s=200,
    ),
    Case(
        "RecommendationAnswersDropped",
        {"souk_recommendation_answers_logged_total{outcome='dropped'}": "0+50x12"},
        {"souk_recommendation_answers_logged_total{outcome='logged'}": "0+50x12"},
    ),
    Case(
        "DeadLetters",
        {"souk_dead_letters_unresolved{topic='order_placed_dlq'}": "0x6 1x6"},
        {"souk_dead_letters_unresolved{topic='order_placed_dlq'}": "1x6 0x6"},
    ),
    Case(
        "CircuitBreakerOpen",
        {"souk_circuit_breaker_state{breaker='commerce.orders'}": "0x6 2 1 2 1 2 1"},
        {"souk_circuit_breaker_state{breaker='commerce.orders'}": "0x6 1 1 0 0 0 0"},
    ),
    Case(
        "UnexpectedErrors",
        {"souk_unexpected_errors_total{service='orders', event='stock_reserved'}": "0x6 1x6"},
        {"souk_unexpected_errors_total{service='orders', event='stock_reserved'}": "1x12"},
    ),
    Case(
        "OutboxStuck",
        {"souk_outbox_age_seconds{service='orders'}": "0+5x12"},
        {"souk_outbox_age_seconds{service='orders'}": "19x12"},
    ),
    Case(
        "NoCheckpoint",
        {"souk_checkpoint_age_seconds{job_name='facts'}": "91x12"},
        {"souk_checkpoint_age_seconds{job_name='facts'}": "89x12"},
    ),
    Case(
        "RollupsOld",
        {"souk_rollup_refreshed_at_seconds{metric='payments_minute'}": "10x130"},
        {"souk_rollup_refreshed_at_seconds{metric='payments_minute'}": "60x130"},
        after_s=630,
    ),
    Case(
        "SearchIndexOld",
        {"souk_search_complete_at_seconds{index='live'}": "10x24"},
        {"souk_search_complete_at_seconds{index='live'}": "0+5x24"},
        after_s=110,
    ),
    Case(
        "ModelOld",
        {"souk_trained_at_seconds{what='model'}": "-259200x12"},
        {"souk_trained_at_seconds{what='model'}": "-259000x12"},
    ),
    Case(
        "TrainingFails",
        {"souk_trainings_total{outcome='no_room'}": "0x6 1x6"},
        {"souk_trainings_total{outcome='trained'}": "0x6 1x6"},
    ),
    Case(
        "ModelRefused",
        {"souk_recommender_models_refused_total{reason='damaged'}": "0+1x200"},
        {"souk_recommender_models_refused_total{reason='damaged'}": "0+1x20 20x180"},
        after_s=1_000,
    ),
    Case(
        "RecommendationClicksFall",
        FEWER_CLICKS,
        FEWER_CLICKS | {"souk_recommendation_click_rate{days='newest'}": "0.036x380"},
        after_s=1_850,
    ),
    Case(
        "RecommendationCoverageFalls",
        {
            "souk_recommendation_coverage{days='newest'}": "0.2x380",
            "souk_recommendation_coverage{days='usual'}": "0.4x380",
        },
        {
            "souk_recommendation_coverage{days='newest'}": "0.2x300 0.4x80",
            "souk_recommendation_coverage{days='usual'}": "0.4x380",
        },
        after_s=1_850,
    ),
    Case(
        "FiguresOld", OLD_AS_OF, OLD_AS_OF | {"souk_messages_behind{group='facts', job_name='facts'}": "0x12"}
    ),
    Case(
        "JobBackPressured",
        {"souk_job_back_pressure_ratio{job_name='facts'}": "0.95x36"},
        {"souk_job_back_pressure_ratio{job_name='facts'}": "0.95x30 0.5 0.95x5"},
        after_s=180,
    ),
    Case(
        "RecommendationsOld",
        OLD_RECOMMENDATIONS,
        OLD_RECOMMENDATIONS | {"souk_recommendations_as_of_seconds{event='product_viewed'}": "10+5x12"},
    ),
    Case(
        "RecommendationsWithoutRedis",
        sources(no_redis=4, answered=1),
        sources(no_redis=1, answered=2),
    ),
    Case(
        "CacheFails",
        cache_requests(error=2, miss=1),
        cache_requests(error=1, miss=2),
    ),
    Case(
        "LastFiguresShown",
        {"souk_last_answers_total{question='sales', outcome='known'}": "0+1x12"},
        {"souk_last_answers_total{question='sales', outcome='known'}": "9x12"},
    ),
    Case(
        "ClickHouseRestarted",
        {"souk_clickhouse_ended_at_seconds": "10x12"},
        {"souk_clickhouse_ended_at_seconds": "0x12"},
    ),
    Case(
        "RequestsRefused",
        {"souk_requests_refused_total{traffic='browse', reason='load'}": "0+10x18"},
        {"souk_requests_refused_total{traffic='browse', reason='quota'}": "0+10x18"},
        after_s=90,
    ),
    Case(
        "AuditDiffers",
        {"souk_audit_differences{comparison='kafka_vs_facts'}": "0x6 3x6"},
        {"souk_audit_differences{comparison='kafka_vs_facts'}": "3x6 0x6"},
    ),
    Case(
        "AuditIncomplete",
        {"souk_audit_unread{comparison='kafka_vs_facts'}": "1x12"},
        {"souk_audit_unread{comparison='kafka_vs_facts'}": "0x12"},
    ),
    Case(
        "AuditFails",
        {"souk_nightly_audits_total{outcome='failed'}": "0x60 1x120"},
        {"souk_nightly_audits_total{outcome='finished'}": "0x60 1x120"},
        after_s=3 * 3_600,
        step_s=60,
    ),
]

REQUESTS = "souk_http_requests_total{{job='serving', route='/shop', method='GET', status='{status}'}}"
SECONDS = "souk_http_request_seconds{suffix}{{job='serving', route='/v1/products'{le}}}"
WHOLE_AUDIT = "souk_whole_audit_at_seconds{what='platform'}"
CHECKOUTS = "souk_http_requests_total{{job='serving', route='/v1/orders', method='POST', status='{status}'}}"

HOUR_S = 3_600
HOUR, SIX_HOURS = "x60", "x360"
"""Repetitions of a value, one a minute."""


@dataclass(frozen=True)
class BurnRate(Case):
    """A case of an objective: only the alert with this long window is looked at."""

    window: str = "1h"
    after_s: int = HOUR_S
    step_s: int = 60


def answered(good: str, failed: str, name: str = REQUESTS) -> dict[str, str]:
    return {name.format(status=200): good, name.format(status=503): failed}


def timed(quick: str, total: str) -> dict[str, str]:
    bucket = SECONDS.format(suffix="_bucket", le=", le='0.2'")
    return {bucket: quick, SECONDS.format(suffix="_count", le=""): total}


def figures(as_of: str) -> dict[str, str]:
    waiting = "souk_messages_behind{group='facts', job_name='facts'}"
    return {"souk_figures_as_of_seconds{figures='all'}": as_of, waiting: f"5{HOUR}"}


def audit(whole_at: str) -> dict[str, str]:
    """One comparison was made again a moment ago, alone."""
    label = "{comparison='a'}"
    series = {f"souk_audit_{kind}{label}": f"0{HOUR}" for kind in ("differences", "unread")}
    series |= {f"souk_audited_at_seconds{label}": f"0{HOUR}"}
    return series | {WHOLE_AUDIT: whole_at}


BURN_RATES = [
    # 14.4 times the budget of 0.1 % is 1.44 %: 15 of 1,000 requests burn too fast, 14 do not.
    BurnRate(
        "AvailabilityBudget",
        answered(f"0+985{HOUR}", f"0+15{HOUR}"),
        answered(f"0+986{HOUR}", f"0+14{HOUR}"),
    ),
    # The short window ends the alert: the last failures were seven minutes ago.
    BurnRate(
        "AvailabilityBudget",
        answered(f"0+900{HOUR}", f"0+100{HOUR}"),
        answered(f"0+900{HOUR}", "0+100x53 5300x7"),
    ),
    # A failure of few requests is no outage.
    BurnRate("AvailabilityBudget", answered("0+10x10", "0+10x10"), answered("0+1x10", "0+1x10"), after_s=600),
    # Without any success there is no series of them.
    BurnRate(
        "AvailabilityBudget",
        {REQUESTS.format(status=503): "0+10x10"},
        {REQUESTS.format(status=200): "0+10x10"},
        after_s=600,
    ),
    # 6 times the budget is 0.6 %.
    BurnRate(
        "AvailabilityBudget",
        answered(f"0+993{SIX_HOURS}", f"0+7{SIX_HOURS}"),
        answered(f"0+995{SIX_HOURS}", f"0+5{SIX_HOURS}"),
        after_s=6 * HOUR_S,
        window="6h",
    ),
    # The budget itself, for days: the windows of days are computed from recorded rates of 5 minutes.
    BurnRate(
        "AvailabilityBudget",
        answered("0+1198x210", "0+2x210"),
        answered("0+11999x210", "0+1x210"),
        after_s=7 * HOUR_S,
        step_s=120,
        window="3d",
    ),
    BurnRate(
        "CheckoutBudget",
        answered(f"0+985{HOUR}", f"0+15{HOUR}", CHECKOUTS),
        answered(f"0+986{HOUR}", f"0+14{HOUR}", CHECKOUTS),
    ),
    BurnRate("LatencyBudget", timed(f"0+850{HOUR}", f"0+1000{HOUR}"), timed(f"0+860{HOUR}", f"0+1000{HOUR}")),
    BurnRate("FreshnessBudget", figures(f"0{HOUR}"), figures(f"0+60{HOUR}")),
    # In the first ten minutes of a Prometheus: 8 bad minutes are no bad hour.
    BurnRate("FreshnessBudget", figures(f"0{HOUR}"), figures("0x7 480+60x52"), after_s=600),
    BurnRate("AuditBudget", audit(f"-129600{HOUR}"), audit(f"-120000{HOUR}")),
    # No audit has ever compared anything.
    BurnRate("AuditBudget", {WHOLE_AUDIT: f"-129600{HOUR}"}, {WHOLE_AUDIT: f"-120000{HOUR}"}),
]


def promtool(arguments: list[str], folder: Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not on PATH (Debian's package prometheus)")
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def as_promtool_reads(case: Case, *, fires: bool) -> dict[str, object]:
    series = case.bad if fires else case.good
    window = f", window='{case.window}'" if isinstance(case, BurnRate) else ""
    firing = f"max(ALERTS{{alertname='{case.alert}', alertstate='firing'{window}}})"
    samples = [{"labels": "{}", "value": 1}] if fires else []
    expression = {"expr": firing, "eval_time": f"{case.after_s}s", "exp_samples": samples}
    return {
        "interval": f"{case.step_s}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [expression],
    }


@cache
def _groups() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(rules())["groups"]
    return found


def _rules_of(alert: str) -> str:
    """Return the rules of an alert and those that record its rates: promtool evaluates all at each step.

    The groups of an objective have the same beginning of their names.
    """
    (own,) = {group["name"] for group in _groups() for rule in group["rules"] if rule.get("alert") == alert}
    groups = [
        {**group, "rules": [rule for rule in group["rules"] if rule.get("alert", alert) == alert]}
        for group in _groups()
        if group["name"].startswith(own)
    ]
    return json.dumps({"groups": groups})


def run(case: Case, folder: Path) -> None:
    tests = [as_promtool_reads(case, fires=fires) for fires in (True, False)]
    (folder / "rules.yml").write_text(_rules_of(case.alert))
    written = {"rule_files": ["rules.yml"], "evaluation_interval": f"{case.step_s}s", "tests": tests}
    (folder / "test.yml").write_text(json.dumps(written))
    promtool(["test", "rules", "test.yml"], folder)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_on_what_it_is_about_and_not_otherwise(case: Case, tmp_path: Path) -> None:
    run(case, tmp_path)


@pytest.mark.parametrize("case", BURN_RATES, ids=lambda case: f"{case.alert} {case.window}")
def test_an_objective_is_alerted_when_its_budget_burns_too_fast(case: BurnRate, tmp_path: Path) -> None:
    run(case, tmp_path)


def test_every_alert_has_a_case() -> None:
    alerts = {rule["alert"] for group in _groups() for rule in group["rules"] if "alert" in rule}
    assert alerts == {case.alert for case in (*CASES, *BURN_RATES)}


def test_each_objective_has_an_alert_for_each_pair_of_windows() -> None:
    made = [
        (rule["alert"], rule["labels"]["window"])
        for group in _groups()
        for rule in group["rules"]
        if "window" in rule.get("labels", {})
    ]
    assert sorted(made) == sorted((one.alert, alert.long) for one in OBJECTIVES for alert in ALERTS)
