"""`./souk diagrams`: draws `docs/diagrams/` from the code, as Markdown pages with Mermaid diagrams."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from clickhouse.views import FOLDER as QUERIES
from common.settings import ROOT
from jobs.metrics.logic import QUERIES as METRIC_QUERIES
from jobs.metrics.logic import VIEWS
from producers.orders.model import PREDECESSORS
from producers.registry import SERVICES
from schemas.metrics import METRICS
from schemas.topics import EVENT_TOPICS

FOLDER = ROOT / "docs" / "diagrams"

_COMMENT = re.compile(r"--.*")
_SOURCE = re.compile(r"\b(?:FROM|JOIN)\s+(?:events\.)?(\w+)")


def command(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = FOLDER,
) -> None:
    """Write every page of docs/diagrams anew."""
    out.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (out / name).write_text(page, encoding="utf-8")
        print(out / name)


def pages() -> Mapping[str, str]:
    """File name → Markdown of every page."""
    return {
        "README.md": _page("Diagrams", "The saga, the states of an order, the tables.", _index()),
        "saga.md": _page("The checkout saga", "Which service emits an event, and which act on it.", saga()),
        "order-states.md": _page(
            "The states of an order", "From which states an order can reach each state.", order_states()
        ),
        "tables.md": _page(
            "The tables",
            "Which events feed each metric of job `metrics`, and which queries of the API read the metric's "
            "table. Job `facts` also copies each event into a table of its name, which is not drawn.",
            tables(),
        ),
    }


def saga() -> str:
    """The services as nodes; an edge for each event from its emitter to each service that acts on it."""
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


def order_states() -> str:
    """A state diagram of the transitions that the orders service allows."""
    lines = [f"    [*] --> {state}" for state, before in PREDECESSORS.items() if not before]
    lines += [f"    {one} --> {state}" for state, before in PREDECESSORS.items() for one in sorted(before)]
    left = {one for before in PREDECESSORS.values() for one in before}
    lines += [f"    {state} --> [*]" for state in PREDECESSORS if state not in left]
    return _mermaid("stateDiagram-v2", lines)


def tables() -> str:
    """Events → metrics → queries of the API."""
    events = {topic.name for topic in EVENT_TOPICS}
    views = {view.name: view.query for view in METRIC_QUERIES.views(VIEWS)}
    lines = []
    for metric in METRICS:
        shape = f"{metric.table}[({metric.table})]"
        found = _events_of(METRIC_QUERIES.of(metric.table), views) & events
        lines += [f"    {event} --> {shape}" for event in sorted(found)]
    for path in sorted(QUERIES.glob("*.sql")):
        read = _sources(path.read_text(encoding="utf-8")) & {metric.table for metric in METRICS}
        lines += [f"    {table} --> {path.stem}{{{{{path.stem}}}}}" for table in sorted(read)]
    return _mermaid("flowchart LR", lines)


def _events_of(select: str, views: Mapping[str, str]) -> set[str]:
    """All that a SELECT reads, through the views that it names."""
    read = _sources(select)
    return read.union(*(_events_of(views[name], views) for name in read & views.keys()))


def _sources(sql: str) -> set[str]:
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


def _page(title: str, sentence: str, body: str) -> str:
    return f"# {title}\n\n{sentence} `./souk diagrams` writes this page from the code.\n\n{body}\n"
