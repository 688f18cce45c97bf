"""`./souk diagrams`: writes the pages of `docs/` that are made from the code."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli import reference
from clickhouse.metric_catalogue.definition import read_domains, read_every_metric
from clickhouse.metrics.definition import read_definitions
from clickhouse.query_files import FOLDER as QUERIES
from common.settings import ROOT
from dashboards import monitoring
from jobs.rankings.logic import EVENTS as READ_BY_RANKINGS
from producers.registry import SERVICES
from producers.services.orders.model import PREDECESSORS
from schemas.topics import RANKINGS

FOLDER = ROOT / "docs" / "diagrams"

UNITS = {
    "money": "money, in the smallest unit of the shop's currency",
    "count": "a count",
    "number": "a number",
    "share": "a share, a fraction of 1",
    "hours": "hours",
}
"""Unit → its description in docs/metrics.md."""

OF_SINGLE_SELLERS = "no figure, because it is about single sellers"

_COMMENT = re.compile(r"--.*")
_SOURCE = re.compile(r"\b(?:FROM|JOIN)\s+(?:events\.)?(\w+)")


def command(
    out: Annotated[
        Path, typer.Option(help="Folder to write to.", show_default=str(FOLDER.relative_to(ROOT)))
    ] = FOLDER,
) -> None:
    """Write the pages of docs/ that are made from the code, such as the diagrams and settings.md."""
    out.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (out / name).write_text(page(), encoding="utf-8")
        print(out / name)


def saga() -> str:
    """Return the services as nodes, with an edge from an event's emitter to each service that acts on it."""
    emitters = {event: service.name for service in SERVICES.values() for event in service.emits}
    edges: dict[tuple[str, str], list[str]] = defaultdict(list)
    for service in SERVICES.values():
        for subscription in service.subscriptions:
            emitter = emitters.get(subscription.event, "sellers and carriers")
            if emitter != service.name:
                edges[emitter, service.name].append(subscription.event)
    lines = [
        f'    {_node(emitter)} -- "{"<br/>".join(sorted(events))}" --> {_node(service)}'
        for (emitter, service), events in sorted(edges.items())
    ]
    return _mermaid("flowchart LR", lines)


def metrics() -> str:
    """Return a section for each domain of the catalogue, with a part for each metric."""
    parts, domain = [], ""
    for metric in read_every_metric().values():
        if metric.domain != domain:
            domain = metric.domain
            about = read_domains()[domain]
            parts.append(f"## {about.title}\n\n{about.description}\n\n")
        facts = {
            "Formula": metric.formula,
            "Unit": UNITS[metric.unit],
            "Split by": ", ".join(metric.dimensions),
            "Rows": f"{metric.source.file.description.rstrip('.')} (`{metric.source.name}`)",
            "Cost": metric.source.file.cost.rstrip("."),
            "Marketplace": " ".join(metric.marketplace_notes).rstrip(".") or OF_SINGLE_SELLERS,
            "Since": metric.since.isoformat(),
        }
        parts.append(f"### {metric.title} (`{metric.name}`)\n\n{metric.definition}\n\n")
        parts += [f"- {name}: {value}.\n" for name, value in facts.items()]
        parts += [f"- {case}\n" for case in metric.edge_cases]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def order_states() -> str:
    """Return a state diagram of the transitions that the orders service allows."""
    lines = [f"    [*] --> {state}" for state, before in PREDECESSORS.items() if not before]
    lines += [f"    {old} --> {state}" for state, before in PREDECESSORS.items() for old in sorted(before)]
    with_successor = {state for before in PREDECESSORS.values() for state in before}
    lines += [f"    {state} --> [*]" for state in PREDECESSORS if state not in with_successor]
    return _mermaid("stateDiagram-v2", lines)


def tables() -> str:
    """Return a graph of events → metrics → queries of the API."""
    metrics = read_definitions()
    lines = [
        f"    {source} --> {metric.name}"
        for metric in metrics.values()
        for source in (*metric.sources, *sorted(metric.reads))
    ]
    lines += [f"    {event} --> {name}[({name})]" for name in RANKINGS for event in READ_BY_RANKINGS]
    for path in sorted(QUERIES.glob("*.sql")):
        lines += [
            f"    {table} --> {path.stem}{{{{{path.stem}}}}}"
            for table in sorted(_table_names(path.read_text(encoding="utf-8")) & metrics.keys())
        ]
    return _mermaid("flowchart LR", lines)


def _table_names(sql: str) -> set[str]:
    return set(_SOURCE.findall(_COMMENT.sub("", sql)))


def _index() -> str:
    titles = {
        "saga.md": "The checkout saga",
        "order-states.md": "The states of an order",
        "tables.md": "The tables",
    }
    return "\n".join(f"- [{title}]({name})" for name, title in titles.items())


def _node(name: str) -> str:
    return f'{name.replace(" ", "_")}["{name}"]'


def _mermaid(kind: str, lines: list[str]) -> str:
    return "\n".join(["```mermaid", kind, *lines, "```"])


def _made(title: str, sentence: str, body: Callable[[], str]) -> Callable[[], str]:
    note = f"{sentence} `./souk diagrams` writes this page from the code."
    return lambda: f"# {title}\n\n{note}\n\n{body()}\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "README.md": _made("Diagrams", "The saga, the states of an order, the tables.", _index),
    "saga.md": _made(
        "The checkout saga",
        "Each arrow shows which service emits an event and which service acts on it.",
        saga,
    ),
    "order-states.md": _made(
        "The states of an order", "Each arrow is a transition that the orders service allows.", order_states
    ),
    "tables.md": _made(
        "The tables",
        "The diagram shows which events feed each metric, and which queries of the API read it. Job "
        "`rankings` computes the rankings, and ClickHouse derives the metrics from facts. "
        "The diagram leaves out the tables into which job `facts` copies each event.",
        tables,
    ),
    "../commands.md": _made("The commands", "What each command of `./souk` does.", reference.commands),
    "../settings.md": _made("The settings", "What can be set, and what it means.", reference.settings),
    "../events.md": _made("The events", "What is said in Kafka, and by whom.", reference.events),
    "../tables.md": _made("The tables of ClickHouse", "Their keys and columns.", reference.tables),
    "../metrics.md": _made(
        "The metrics",
        "What each metric means, how it is computed, and what to know about it. "
        "`GET /v1/analytics/metrics` returns the same.",
        metrics,
    ),
    "../monitoring.md": _made(
        "Monitoring", "What the platform measures, its objectives and its alerts.", monitoring.page
    ),
    "../data-dictionary.md": _made(
        "The data dictionary",
        "The views for analysts, and what their columns mean.",
        reference.data_dictionary,
    ),
}
"""File name, from docs/diagrams → a function that returns the page as Markdown."""
