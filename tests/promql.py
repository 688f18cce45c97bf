"""Compares the metrics and labels of a PromQL expression with those that the platform exports."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import yaml

from common.metrics import REGISTRY
from dashboards.prometheus.configuration import rules

SCRAPED = {"job", "instance", "le"}
"""Labels that Prometheus adds, and those of histogram buckets."""

ALERTS, LABELS_OF_ALERTS = "ALERTS", {"alertname", "alertstate", "severity"}
"""The series that Prometheus makes of firing alerts."""

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def known() -> set[str]:
    """Return the names of all samples that some process exports."""
    ours = {
        family.name + suffix for family in REGISTRY.collect() for suffix in _SUFFIXES.get(family.type, ("",))
    }
    return ours | {"up", ALERTS} | set(recorded())


@cache
def recorded() -> dict[str, set[str]]:
    """Return the names of the series that rules record, with the labels that the rules add."""
    found: dict[str, set[str]] = {}
    for group in yaml.safe_load(rules())["groups"]:
        for rule in group["rules"]:
            if "record" in rule:
                found.setdefault(rule["record"], set()).update(rule.get("labels", {}))
    return found


def families() -> set[str]:
    """Return the names of all metrics, without the suffixes of their samples."""
    return {family.name for family in REGISTRY.collect()}


def metrics_of(expression: str) -> set[str]:
    """Return the metrics that an expression names."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\bby \([^)]*\)', "", expression)
    return set(re.findall(r"\b(up|ALERTS|souk:[\w:]+|(?:souk|process|python)_\w+)", bare))


def labels_of(expression: str) -> set[str]:
    """Return the labels that an expression groups by or selects."""
    grouped = [label for found in re.findall(r"\bby \(([^)]*)\)", expression) for label in found.split(",")]
    selected = re.findall(r"[{,]\s*(\w+)\s*[=!]~?", expression)
    return {label.strip() for label in (*grouped, *selected)}


def unknown_in(expression: str) -> set[str]:
    """Return the metrics that no process exports, and the labels that none of the named metrics has."""
    named = metrics_of(expression)
    labels = {
        label
        for metric in REGISTRY._names_to_collectors.values()
        if getattr(metric, "_name", "") and any(name.startswith(metric._name) for name in named)
        for label in metric._labelnames
    }
    labels |= {label for name, added in recorded().items() if name in named for label in added}
    labels |= LABELS_OF_ALERTS if ALERTS in named else set()
    return (named - known()) | (labels_of(expression) - labels - SCRAPED)


@dataclass(frozen=True)
class Selector:
    """A metric with matchers of its labels: (label, operator, value)."""

    text: str
    metric: str
    matchers: tuple[tuple[str, str, str], ...]

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether Prometheus would select a series of this name and with these labels."""
        return name == self.metric and all(
            _MATCHES[operator](labels.get(label, ""), value) for label, operator, value in self.matchers
        )


_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda found, value: found == value,
    "!=": lambda found, value: found != value,
    "=~": lambda found, value: re.fullmatch(value, found) is not None,
    "!~": lambda found, value: re.fullmatch(value, found) is None,
}


def selectors_of(expression: str) -> list[Selector]:
    """Return the selectors of an expression."""
    bare = re.sub(r"\bby \([^)]*\)", "", expression)
    found = []
    for match in re.finditer(r"\b(up|ALERTS|souk:[\w:]+|(?:souk|process|python)_\w+)(\{[^}]*\})?", bare):
        matchers = re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"', match[2] or "")
        found.append(Selector(match[0], match[1], tuple(matchers)))
    return found
