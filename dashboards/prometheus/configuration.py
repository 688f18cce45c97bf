"""Prometheus' configuration with the addresses of the processes, and all of its rules."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from ruamel.yaml import YAML

from common.settings import LOOPBACK, PORTS, Settings
from dashboards.prometheus import objectives

FOLDER = Path(__file__).parent

OPTIONAL_PARTS = ("training", "audit", "seller_sql", "search")
"""The parts that an installation can be without."""

OPTIONAL_JOB = """\
  - job_name: {part}
    static_configs: [{{targets: ["{address}"]}}]
"""

ALERTING = """
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["{alertmanager}"]}}]
"""


def texts(addresses: Mapping[str, str], alertmanager: str = "") -> dict[str, str]:
    """Return file name → content: `prometheus.yml` and `rules.yml`.

    `addresses` are those of the processes' metrics, by part; an optional part without an address is not
    scraped. `alertmanager` is the host and port to which alerts are sent; if it is empty, they are only shown
    by Prometheus.
    """
    template = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    optional = "".join(
        OPTIONAL_JOB.format(part=part, address=addresses[part])
        for part in OPTIONAL_PARTS
        if part in addresses
    )
    alerting = ALERTING.format(alertmanager=alertmanager) if alertmanager else ""
    configuration = Template(template).substitute(addresses) + optional + alerting
    return {"prometheus.yml": configuration, "rules.yml": rules()}


def rules() -> str:
    """Return the alerts that are written by hand, and after them the generated rules of the objectives."""
    written = (FOLDER / "rules.yml").read_text(encoding="utf-8")
    generated = "".join(f"\n  - {_yaml(group)}\n" for group in objectives.groups())
    return f"{written}\n  # Generated from dashboards/prometheus/objectives.py.{generated}"


def hand_written_alerts() -> Iterator[tuple[str, str, str, str]]:
    """Yield name, severity, expression and `for` (may be empty) of each alert in the file `rules.yml`."""
    for rule in YAML(typ="safe").load(FOLDER / "rules.yml")["groups"][0]["rules"]:
        yield rule["alert"], rule["labels"]["severity"], " ".join(rule["expr"].split()), rule.get("for", "")


def local_addresses(settings: Settings) -> dict[str, str]:
    """Return part → host and port of its metrics, for an installation on one machine.

    A training or a nightly audit that is turned off has none.
    """
    is_on = {"training": settings.training_enabled, "audit": settings.audit_enabled}
    return {part: f"{LOOPBACK}:{settings.port(part)}" for part in PORTS if is_on.get(part, True)}


def _yaml(group: dict[str, object]) -> str:
    """Return a rule group as an entry of the list of groups; JSON is YAML, too."""
    return json.dumps(group, indent=2, ensure_ascii=False).replace("\n", "\n    ")
