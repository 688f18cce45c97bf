"""Makes topics and schemas exist as this code says; running it again, or twice at once, changes nothing."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

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
from common.kafka import Cluster
from common.patience import PATIENCE_S
from common.settings import Settings
from schemas.events import Event, all_events
from schemas.registry import FULL_TRANSITIVE, Registry
from schemas.topics import Topic, all_topics

_TIMEOUT_S = 20.0
_TRIES_S = 60.0
"""For how long topics are asked for again while no broker takes them: where its only one comes and goes, the
client may look past it for `PATIENCE_S` each time."""

_TRY_S = 5.0
"""One question of the client in C, which hears nothing meanwhile."""

_NO_BROKER = (
    KafkaError._TIMED_OUT,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.INVALID_REPLICATION_FACTOR,
)
"""What is said while a cluster's only broker counts as dead (`Cluster`): a client waits for a controller, a
controller finds nobody to hold a topic."""

_BROKER_DEFAULT = -1
_WORKERS = 8
_POLL_S = 0.05


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
        SoukError: Kafka refuses a topic; the message says why.
    """
    created: list[str] = []
    changed: list[str] = []
    deadline = time.monotonic() + _TRIES_S
    while True:
        cluster = Cluster(bootstrap)
        partitions = _partitions(cluster, given_up)
        admin = cluster.client
        try:
            _create(admin, [topic for topic in topics if topic.name not in partitions], created)
            there = [topic for topic in topics if topic.name in partitions]
            _grow(admin, [topic for topic in there if topic.partitions > partitions[topic.name]], changed)
            _configure(admin, there, changed)
            break
        except KafkaException as error:
            in_vain = time.monotonic() >= deadline or (given_up and given_up.is_set())
            if in_vain or error.args[0].code() not in _NO_BROKER:
                raise PartUnavailable(f"Kafka at {bootstrap} did not take the topics: {error}") from error
        time.sleep(_POLL_S)
    _wait_until_known(cluster, {topic.name for topic in topics} - set(partitions))
    return created, sorted(set(changed))


def _partitions(cluster: Cluster, given_up: threading.Event | None = None) -> dict[str, int]:
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            topics = cluster.metadata(_TRY_S).topics
            return {name: len(topic.partitions) for name, topic in topics.items()}
        except KafkaException as error:
            if time.monotonic() >= deadline or (given_up and given_up.is_set()):
                why = f"does not answer ({error.args[0].str()})"
                advice = "start it with `./souk up`, or set SOUK_KAFKA_BOOTSTRAP"
                raise PartUnavailable(f"Kafka at {cluster.bootstrap} {why}: {advice}") from error
        time.sleep(_POLL_S)


def _wait_until_known(cluster: Cluster, names: set[str]) -> None:
    """A broker learns of a topic a moment after the controller made it."""
    deadline = time.monotonic() + _TIMEOUT_S
    while names and (missing := names - set(_partitions(cluster))):
        if time.monotonic() > deadline:
            raise PartUnavailable(
                f"Kafka at {cluster.bootstrap} made {', '.join(sorted(missing))} but does not show it"
            )
        time.sleep(_POLL_S)


def _create(admin: AdminClient, topics: list[Topic], created: list[str]) -> None:
    new = [
        NewTopic(t.name, num_partitions=t.partitions, replication_factor=_BROKER_DEFAULT, config=t.config())
        for t in topics
    ]
    if new:
        made = admin.create_topics(new, operation_timeout=PATIENCE_S, request_timeout=PATIENCE_S)
        _heard(made, KafkaError.TOPIC_ALREADY_EXISTS, "create topic", created)


def _grow(admin: AdminClient, topics: list[Topic], changed: list[str]) -> None:
    wanted = [NewPartitions(topic.name, topic.partitions) for topic in topics]
    if wanted:
        grown = admin.create_partitions(wanted, operation_timeout=PATIENCE_S, request_timeout=PATIENCE_S)
        _heard(grown, KafkaError.INVALID_PARTITIONS, "add partitions to", changed)


def _heard(answers: Mapping[str, "Future[None]"], already: int, what: str, done: list[str]) -> None:
    """Wait for the answers; names of what was done go to `done`, not of what another `up` did `already`.

    Raises:
        KafkaException: no broker did something; ask for it again.
        SoukError: Kafka refuses something.
    """
    undone = None
    for name, answer in answers.items():
        try:
            answer.result()
            done.append(name)
        except KafkaException as error:
            code = error.args[0].code()
            if code in _NO_BROKER:
                undone = error
            elif code != already:
                raise SoukError(f"Kafka did not {what} {name}: {error.args[0].str()}") from error
    if undone:
        raise undone


def _configure(admin: AdminClient, topics: list[Topic], changed: list[str]) -> None:
    """Set the configs that differ; names of the topics that did go to `changed`."""
    if not topics:
        return
    resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics]
    described = admin.describe_configs(resources, request_timeout=PATIENCE_S)
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
        altered = admin.incremental_alter_configs(alterations, request_timeout=PATIENCE_S)
        for resource, future in altered.items():
            future.result()
            changed.append(resource.name)
