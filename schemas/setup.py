"""Makes topics and schemas exist as this code says; running it again, or twice at once, changes nothing."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports these without __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from common.background import in_background
from common.errors import PartUnavailable, SoukError
from common.settings import Settings
from schemas.events import Event, all_events
from schemas.registry import FULL_TRANSITIVE, Registry
from schemas.topics import Topic, all_topics

_TIMEOUT_S = 20.0
_TRY_S = 2.0
"""One question of the client in C, which hears nothing meanwhile."""

_BROKER_DEFAULT = -1
_WORKERS = 8
_POLL_S = 0.05

Wanted = TypeVar("Wanted")


@dataclass(frozen=True)
class Registered:
    """What `register` found or made: the schema id of each event, and the topics that were new or changed."""

    schema_ids: dict[str, int]
    created: list[str]
    changed: list[str]


def register(settings: Settings) -> Registered:
    """Create what is missing in Kafka and in the registry; under a second when nothing is.

    Raises:
        PartUnavailable: Kafka or the registry does not answer.
        SchemaRefused: a schema breaks an earlier version of itself.
    """
    given_up = threading.Event()
    topics = in_background(lambda: set_up_topics(settings.kafka, list(all_topics()), given_up))
    with Registry(settings.registry) as registry:
        try:
            ids = register_schemas(registry, list(all_events().values()))
            created, changed = topics.result()
        finally:
            given_up.set()  # nobody waits for a Kafka that is away once the registry has failed
    return Registered(ids, created, changed)


def register_schemas(registry: Registry, events: list[Event]) -> dict[str, int]:
    """Register each event's schema and demand FULL_TRANSITIVE of its successors. Event name → schema id."""

    def share(first: int) -> dict[str, int]:
        return {event.name: _register(registry, event) for event in events[first::_WORKERS]}

    shares = [in_background(partial(share, first)) for first in range(_WORKERS)]
    found = {name: schema_id for each in shares for name, schema_id in each.result().items()}
    return {event.name: found[event.name] for event in events}


def _register(registry: Registry, event: Event) -> int:
    schema_id = registry.register(event.subject, event.text)
    if registry.compatibility(event.subject) != FULL_TRANSITIVE:
        registry.set_compatibility(event.subject)
    return schema_id


def set_up_topics(
    bootstrap: str, topics: list[Topic], given_up: threading.Event | None = None
) -> tuple[list[str], list[str]]:
    """Create missing topics, raise partition counts, set what `Topic.config` says. Names created, changed.

    Raises:
        PartUnavailable: Kafka does not answer, or stayed away until `given_up` was set.
    """
    try:
        admin, partitions = _connected(bootstrap, given_up)
        there = [topic for topic in topics if topic.name in partitions]
        grown = _grow(admin, [topic for topic in there if topic.partitions > partitions[topic.name]])
        changed = _configure(admin, there)
        created = _create(admin, [topic for topic in topics if topic.name not in partitions])
        _wait_until_known(bootstrap, {topic.name for topic in topics} - set(partitions))
    except KafkaException as error:
        raise PartUnavailable(f"Kafka at {bootstrap} did not take the topics: {error}") from error
    return created, sorted({*grown, *changed})


def _connected(bootstrap: str, given_up: threading.Event | None = None) -> tuple[AdminClient, dict[str, int]]:
    """A client that has seen a broker, and how many partitions each topic has."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        refused = None
        # A new one each time: librdkafka forgets all addresses when it is told of no broker (its issue 5301).
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 15_000})
        try:
            metadata = admin.list_topics(timeout=_TRY_S)
            if metadata.brokers:
                return admin, {name: len(topic.partitions) for name, topic in metadata.topics.items()}
        except KafkaException as error:
            refused = error
        if time.monotonic() >= deadline or (given_up and given_up.is_set()):
            what = "does not answer" if refused else "answers, but none of its brokers is alive"
            advice = "start it with `./souk up`, or set SOUK_KAFKA_BOOTSTRAP"
            raise PartUnavailable(f"Kafka at {bootstrap} {what}: {advice}") from refused
        time.sleep(_POLL_S)


def _create(admin: AdminClient, topics: list[Topic]) -> list[str]:
    new = {
        t.name: NewTopic(t.name, t.partitions, replication_factor=_BROKER_DEFAULT, config=t.config())
        for t in topics
    }
    return _done(admin.create_topics, new, KafkaError.TOPIC_ALREADY_EXISTS, "create topic")


def _wait_until_known(bootstrap: str, names: set[str]) -> None:
    """A broker learns of a topic a moment after the controller made it."""
    deadline = time.monotonic() + _TIMEOUT_S
    while names and (missing := names - set(_connected(bootstrap)[1])):
        if time.monotonic() > deadline:
            raise PartUnavailable(
                f"Kafka at {bootstrap} made {', '.join(sorted(missing))} but does not show it"
            )
        time.sleep(_POLL_S)


def _grow(admin: AdminClient, topics: list[Topic]) -> list[str]:
    wanted = {topic.name: NewPartitions(topic.name, topic.partitions) for topic in topics}
    return _done(admin.create_partitions, wanted, KafkaError.INVALID_PARTITIONS, "add partitions to")


def _done(
    ask: Callable[..., Mapping[str, "Future[None]"]], wanted: dict[str, Wanted], already: int, what: str
) -> list[str]:
    """Names of what was done; not of what another `up` did `already` meanwhile."""
    deadline = time.monotonic() + _TIMEOUT_S
    done = []
    while wanted:
        later = {}
        for name, future in ask(list(wanted.values()), operation_timeout=_TIMEOUT_S).items():
            try:
                future.result()
                done.append(name)
            except KafkaException as error:
                code = error.args[0].code()
                if code == KafkaError.INVALID_REPLICATION_FACTOR and time.monotonic() < deadline:
                    later[name] = wanted[name]  # of one broker: there is none at the moment
                elif code != already:
                    raise SoukError(f"Kafka did not {what} {name}: {error.args[0].str()}") from error
        wanted = later
        time.sleep(_POLL_S if later else 0)
    return done


def _configure(admin: AdminClient, topics: list[Topic]) -> list[str]:
    """Set the configs that differ. Names of the topics that did."""
    if not topics:
        return []
    described = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics])
    found = {resource.name: future.result() for resource, future in described.items()}
    alterations = []
    for topic in topics:
        differing = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in topic.config().items()
            if found[topic.name][name].value != value
        ]
        if differing:
            resource = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=differing)
            alterations.append(resource)
    if alterations:
        for future in admin.incremental_alter_configs(alterations).values():
            future.result()
    return [resource.name for resource in alterations]
