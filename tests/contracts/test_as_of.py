"""`as_of` of each table is limited by the service that emits its events."""

import re

from clickhouse.metrics.definition import facts_of, read_definitions
from clickhouse.query_files import load_queries
from schemas.events import all_events

AS_OF = load_queries()["as_of"]
OWNERS = {name: event.topic.owner for name, event in all_events().items()}
SERVICES = {owner.removeprefix("producers/") for owner in OWNERS.values() if owner.startswith("producers/")}


def tables(service: str) -> set[str]:
    """Return the tables that the query limits by the reports of a service."""
    found = re.findall(rf"table_name IN \(([^)]*)\),\s*\['{service}'\]", AS_OF)
    return {name for names in found for name in re.findall(r"'(\w+)'", names)}


def test_the_service_that_emits_an_event_limits_its_table() -> None:
    for service in SERVICES:
        owned = {name for name, owner in OWNERS.items() if owner == f"producers/{service}"}
        assert tables(service) & set(OWNERS) == owned


def test_a_metric_of_clickhouse_is_complete_where_all_facts_that_feed_it_are() -> None:
    (feeds,) = re.findall(r"map\((.*?)\) AS facts_of", AS_OF, re.DOTALL)
    listed = {
        name: set(re.findall(r"'(\w+)'", facts))
        for name, facts in re.findall(r"'(\w+)', \[([^\]]*)\]", feeds)
    }

    definitions = read_definitions()
    assert listed == {name: facts_of(name, definitions) for name in definitions}
