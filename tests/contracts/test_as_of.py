"""`as_of` of each table is limited by the service that emits its events."""

import re

from clickhouse.metrics.definition import facts_of, read_definitions
from jobs.metrics.logic import QUERIES, VIEWS
from schemas.events import all_events
from schemas.metrics import METRICS
from serving.clickhouse import load_queries

AS_OF = load_queries()["as_of"]
OWNERS = {name: event.topic.owner for name, event in all_events().items()}
SERVICES = {owner.removeprefix("producers/") for owner in OWNERS.values() if owner.startswith("producers/")}


def tables(service: str) -> set[str]:
    """Return the tables that the query limits by the reports of a service."""
    found = re.findall(rf"table_name IN \(([^)]*)\),\s*\['{service}'\]", AS_OF)
    return {name for names in found for name in re.findall(r"'(\w+)'", names)}


def services_of(query: str) -> set[str]:
    """Return the services that emit the events that a query reads, directly or through views."""
    events = {OWNERS[name].removeprefix("producers/") for name in re.findall(r"\bevents\.(\w+)", query)}
    views = [view.query for view in QUERIES.views(VIEWS) if re.search(rf"\b{view.name}\b", query)]
    return events.union(*(services_of(view) for view in views if view != query)) & SERVICES


def test_the_service_that_emits_an_event_limits_its_table() -> None:
    for service in SERVICES:
        owned = {name for name, owner in OWNERS.items() if owner == f"producers/{service}"}
        assert tables(service) & set(OWNERS) == owned


def test_every_service_that_a_figure_reads_limits_its_table() -> None:
    for metric in METRICS:
        if not metric.in_redis:
            limiting = {service for service in SERVICES if metric.table in tables(service)}
            assert limiting == services_of(QUERIES.of(metric.table)), metric.table


def test_a_metric_of_clickhouse_is_complete_where_all_facts_that_feed_it_are() -> None:
    (feeds,) = re.findall(r"map\((.*?)\) AS facts_of", AS_OF, re.DOTALL)
    listed = {
        name: set(re.findall(r"'(\w+)'", facts))
        for name, facts in re.findall(r"'(\w+)', \[([^\]]*)\]", feeds)
    }

    definitions = read_definitions()
    assert listed == {name: facts_of(name, definitions) for name in definitions}
