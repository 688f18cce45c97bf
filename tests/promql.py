"""Compares the metrics and labels of a PromQL expression with those that the platform exports."""

import re

from common.metrics import REGISTRY

SCRAPED = {"job", "instance", "le"}
"""Labels that Prometheus adds, and those of histogram buckets."""

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def known() -> set[str]:
    """Return the names of all samples that some process exports."""
    ours = {
        family.name + suffix for family in REGISTRY.collect() for suffix in _SUFFIXES.get(family.type, ("",))
    }
    return ours | {"up"}


def families() -> set[str]:
    """Return the names of all metrics, without the suffixes of their samples."""
    return {family.name for family in REGISTRY.collect()}


def metrics_of(expression: str) -> set[str]:
    """Return the metrics that an expression names."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\bby \([^)]*\)', "", expression)
    return set(re.findall(r"\b(up|(?:souk|process|python)_\w+)\b", bare))


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
    return (named - known()) | (labels_of(expression) - labels - SCRAPED)
