"""Prometheus' rules are well formed, have helpful annotations, and use metrics that exist."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from cli.__main__ import COMMANDS, build
from common.metrics import UNEXPECTED_ERRORS
from common.settings import ROOT, Settings
from dashboards.build import write
from dashboards.prometheus.configuration import rules
from serving.web.admin.operations import FIGURES
from tests.promql import families, known, labels_of, metrics_of, unknown_in

ALL = [rule for group in yaml.safe_load(rules())["groups"] for rule in group["rules"]]
RULES = [rule for rule in ALL if "alert" in rule and "souk:" not in rule["expr"]]
"""The alerts that read the metrics of the processes, not recorded ones."""

RECORDED = [rule for rule in ALL if "record" in rule and not rule["expr"].startswith("vector")]
ALERTS = {
    "outbox_age_s": "OutboxStuck",
    "unresolved_dead_letters": "DeadLetters",
    "messages_behind": "ConsumerBehind",
    "checkpoint_age_s": "NoCheckpoint",
    "back_pressure": "JobBackPressured",
    "rollups_age_s": "RollupsOld",
}
"""Figure of the page of operations → the alert about it."""

WITHOUT_ALERT = {"error_share": 0.01}
"""Figure → its limit on the page. The alerts about errors are those of the objectives, which have budgets."""

RUNBOOKS = ROOT / "docs" / "runbooks"


def unknown_words(words: Sequence[str]) -> set[str]:
    """Return the subcommands and options of a command line that do not exist."""
    if words[0] not in COMMANDS:
        return {words[0]}
    command: Any = typer.main.get_command(build(words[0]))
    rest = [*words]
    while isinstance(command, TyperGroup) and rest:
        if rest[0] not in command.commands:
            return {rest[0]}
        command = command.commands[rest.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    return {word for word in rest if word.startswith("-")} - options


def test_parts_that_are_down_lag_and_dead_letters_have_alerts() -> None:
    assert {"PartDown", "ConsumerBehind", "DeadLetters"} <= {rule["alert"] for rule in RULES}


def test_an_unexpected_error_of_any_service_fires_an_alert_at_once() -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == "UnexpectedErrors"]
    (family,) = UNEXPECTED_ERRORS.collect()

    assert re.fullmatch(rf"sum by \(([^)]*)\) \(increase\({family.name}_total\[\d+m\]\)\) > 0", rule["expr"])
    assert labels_of(rule["expr"]) == {"service", "event"} == set(UNEXPECTED_ERRORS._labelnames)
    assert "for" not in rule


@pytest.mark.parametrize("rule", [rule for rule in ALL if "alert" in rule], ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, object]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[ms]", str(rule.get("for", "1m")))
    assert rule["labels"]["severity"] in ("warning", "critical")  # type: ignore[index]
    assert set(rule["annotations"]) == {"summary", "action", "runbook"}  # type: ignore[call-overload]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_uses_existing_metrics_and_labels(rule: dict[str, str]) -> None:
    assert metrics_of(rule["expr"])
    assert not unknown_in(rule["expr"])


def test_recorded_rules_use_existing_metrics_or_other_recorded_rules() -> None:
    names = {rule["record"] for rule in ALL if "record" in rule}
    for rule in ALL:
        assert set(re.findall(r"\bsouk:[\w:]+", rule["expr"])) <= names
    for rule in RECORDED:
        if "souk:" not in rule["expr"]:
            assert metrics_of(rule["expr"])
            assert not unknown_in(rule["expr"])


def test_the_page_of_operations_marks_a_figure_from_the_limit_of_its_alert() -> None:
    limits = {name: how.limit for name, how in FIGURES.items() if how.limit is not None}
    expressions = {rule["alert"]: rule["expr"] for rule in RULES}
    of_alerts = {name: float(expressions[alert].rpartition("> ")[2]) for name, alert in ALERTS.items()}
    assert limits == of_alerts | WITHOUT_ALERT


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    alerts = {rule["alert"]: rule["annotations"]["runbook"] for rule in ALL if "alert" in rule}
    assert alerts == {name: f"docs/runbooks/{name}.md" for name in alerts}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == set(alerts)


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_names_commands_pages_and_metrics_that_exist(page: Path) -> None:
    text = page.read_text()
    commands = re.findall(r"`\./souk ([a-z][^`]*)`", text)
    assert {command: found for command in commands if (found := unknown_words(command.split()))} == {}
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (page.parent / link).is_file(), link
    assert set(re.findall(r"\bsouk_[a-z_]+\b", text)) <= known() | families()
    assert set(re.findall(r"\bSOUK_[A-Z_]+[A-Z]\b", text)) <= {
        f"SOUK_{name.upper()}" for name in Settings.model_fields
    }


def test_a_rule_about_an_unknown_metric_would_be_found() -> None:
    assert unknown_in("sum by (topic) (souk_dead_letter)") == {"souk_dead_letter", "topic"}
    assert unknown_in("sum by (colour) (souk_dead_letters)") == {"colour"}


def test_an_unknown_command_or_option_would_be_found() -> None:
    assert unknown_words(["nothing"]) == {"nothing"}
    assert unknown_words(["dlq", "repeat", "EVENT"]) == {"repeat"}
    assert unknown_words(["dlq", "replay", "EVENT", "--all"]) == {"--all"}
    assert unknown_words(["dlq", "discard", "EVENT", "--all"]) == set()


def test_scraped_jobs_have_the_names_that_the_rules_use(tmp_path: Path) -> None:
    write(Settings(home=Path("/nowhere")), tmp_path)
    scraped = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]
    assert {one["job_name"] for one in scraped} == {
        "serving",
        "commerce",
        "clickhouse",
        "jobs",
        "simulator",
        "rollups",
        "training",
        "audit",
        "seller_sql",
        "search",
    }
    targets = [target for one in scraped for made in one["static_configs"] for target in made["targets"]]
    assert len(set(targets)) == len(targets)


def test_a_training_or_an_audit_that_is_turned_off_is_not_scraped(tmp_path: Path) -> None:
    write(Settings(home=Path("/nowhere"), training_enabled=False, audit_enabled=False), tmp_path)
    scraped = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]
    assert not {one["job_name"] for one in scraped} & {"training", "audit"}


def test_prometheus_own_tool_finds_nothing_wrong(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH")
    write(Settings(home=Path("/nowhere")), tmp_path)
    subprocess.run([promtool, "check", "config", tmp_path / "prometheus.yml"], check=True)
