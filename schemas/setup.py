"""Creates topics and registers schemas. Repeated and concurrent runs are safe."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
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
from common.kafka import KafkaCluster
from common.kafka_errors import is_retriable
from common.settings import Settings
from common.timeouts import PEER_TIMEOUT_S
from schemas.events import EventSchema, all_events
from schemas.registry import FULL_TRANSITIVE, SchemaRegistry
from schemas.topics import Topic, all_topics

_TIMEOUT_S = 20.0
_RETRY_S = 60.0
"""Time for which creating topics is retried while no broker is available. With one unstable broker, each
attempt may take `PEER_TIMEOUT_S`."""

_REQUEST_TIMEOUT_S = 5.0
"""Timeout of one metadata request; the client in C can't be interrupted during it."""

_TRANSIENT_CODES = (
    KafkaError._TIMED_OUT,
    KafkaError.INVALID_REPLICATION_FACTOR,
)
"""Errors that occur while a cluster's only broker counts as dead (`KafkaCluster`): the client finds no
controller, or the controller finds no broker for a topic."""

_BROKER_DEFAULT = -1
_WORKERS = 8
_POLL_S = 0.05


@dataclass(frozen=True)
class RegistrationResult:
    """The schema id of each event, and the topics that `register` created or changed."""

    schema_ids: dict[str, int]
    created: list[str]
    changed: list[str]


def register(settings: Settings) -> RegistrationResult:
    """Create missing topics and register schemas; takes less than a second if nothing is missing.

    Raises:
        PartUnavailable: Kafka or the registry does not answer.
        SchemaRefused: a schema breaks an earlier version of itself.
    """
    cancelled = threading.Event()
    topics = in_background(lambda: set_up_topics(settings.kafka, list(all_topics()), cancelled))
    with SchemaRegistry(settings.registry) as registry:
        try:
            ids = register_schemas(registry, list(all_events().values()))
            created, changed = topics.result()
        finally:
            cancelled.set()  # if the registry has failed, don't wait for Kafka
    return RegistrationResult(ids, created, changed)


def register_schemas(registry: SchemaRegistry, events: list[EventSchema]) -> dict[str, int]:
    """Register each event's schema as FULL_TRANSITIVE. Returns event name → schema id."""

    def share(first: int) -> dict[str, int]:
        return {event.name: _register(registry, event) for event in events[first::_WORKERS]}

    shares = [in_background(partial(share, first)) for first in range(_WORKERS)]
    found = {name: schema_id for each in shares for name, schema_id in each.result().items()}
    return {event.name: found[event.name] for event in events}


def _register(registry: SchemaRegistry, event: EventSchema) -> int:
    schema_id = registry.register(event.subject, event.text)
    if registry.compatibility(event.subject) != FULL_TRANSITIVE:
        registry.set_compatibility(event.subject)
    return schema_id


def set_up_topics(
    bootstrap: str, topics: list[Topic], cancelled: threading.Event | None = None
) -> tuple[list[str], list[str]]:
    """Create missing topics, add partitions and set `Topic.config`.

    Returns the names of created topics and those of changed topics.

    Raises:
        PartUnavailable: Kafka does not answer. If `cancelled` is set, this error is raised without retries.
        SoukError: Kafka refuses a topic; the message says why.
    """
    created: list[str] = []
    changed: list[str] = []
    deadline = time.monotonic() + _RETRY_S
    while True:
        cluster = KafkaCluster(bootstrap)
        partitions = _partitions(cluster, cancelled)
        admin = cluster.client
        try:
            _create(admin, [topic for topic in topics if topic.name not in partitions], created)
            existing = [topic for topic in topics if topic.name in partitions]
            _add_partitions(
                admin, [topic for topic in existing if topic.partitions > partitions[topic.name]], changed
            )
            _configure(admin, existing, changed)
            break
        except KafkaException as error:
            give_up = time.monotonic() >= deadline or (cancelled and cancelled.is_set())
            if give_up or not _is_transient(error.args[0]):
                raise PartUnavailable(
                    f"Kafka at {bootstrap} could not create or change the topics: {error}"
                ) from error
        time.sleep(_POLL_S)
    _wait_for_metadata(cluster, {topic.name for topic in topics} - set(partitions))
    return created, sorted(set(changed))


def _partitions(cluster: KafkaCluster, cancelled: threading.Event | None = None) -> dict[str, int]:
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            topics = cluster.metadata(_REQUEST_TIMEOUT_S).topics
            return {name: len(topic.partitions) for name, topic in topics.items()}
        except KafkaException as error:
            if time.monotonic() >= deadline or (cancelled and cancelled.is_set()):
                why = f"does not answer ({error.args[0].str()})"
                advice = "start it with `./souk up`, or set SOUK_KAFKA_BOOTSTRAP"
                raise PartUnavailable(f"Kafka at {cluster.bootstrap} {why}: {advice}") from error
        time.sleep(_POLL_S)


def _wait_for_metadata(cluster: KafkaCluster, names: set[str]) -> None:
    """Wait until the broker's metadata contains the topics that the controller has just created."""
    deadline = time.monotonic() + _TIMEOUT_S
    while names and (missing := names - set(_partitions(cluster))):
        if time.monotonic() > deadline:
            raise PartUnavailable(
                f"Kafka at {cluster.bootstrap} created {', '.join(sorted(missing))} but does not list it"
            )
        time.sleep(_POLL_S)


def _create(admin: AdminClient, topics: list[Topic], created: list[str]) -> None:
    new = [
        NewTopic(t.name, num_partitions=t.partitions, replication_factor=_BROKER_DEFAULT, config=t.config())
        for t in topics
    ]
    if new:
        futures = admin.create_topics(new, operation_timeout=PEER_TIMEOUT_S, request_timeout=PEER_TIMEOUT_S)
        _await_all(futures, KafkaError.TOPIC_ALREADY_EXISTS, "create topic", created)


def _add_partitions(admin: AdminClient, topics: list[Topic], changed: list[str]) -> None:
    requests = [NewPartitions(topic.name, topic.partitions) for topic in topics]
    if requests:
        futures = admin.create_partitions(
            requests, operation_timeout=PEER_TIMEOUT_S, request_timeout=PEER_TIMEOUT_S
        )
        _await_all(futures, KafkaError.INVALID_PARTITIONS, "add partitions to", changed)


def _await_all(
    futures: Mapping[str, "Future[None]"], ignored_code: int, action: str, done: list[str]
) -> None:
    """Wait for the futures and append the names that succeeded to `done`.

    Names that fail with `ignored_code` are skipped: a concurrent `./souk up` has made the same change.

    Raises:
        KafkaException: no broker was available for some names; retry them.
        SoukError: Kafka rejects a name.
    """
    transient = None
    for name, answer in futures.items():
        try:
            answer.result()
            done.append(name)
        except KafkaException as error:
            code = error.args[0].code()
            if _is_transient(error.args[0]):
                transient = error
            elif code != ignored_code:
                raise SoukError(f"Kafka did not {action} {name}: {error.args[0].str()}") from error
    if transient:
        raise transient


def _is_transient(error: KafkaError) -> bool:
    return is_retriable(error) or error.code() in _TRANSIENT_CODES


def _configure(admin: AdminClient, topics: list[Topic], changed: list[str]) -> None:
    """Set the configs that differ, and append the names of these topics to `changed`."""
    if not topics:
        return
    resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics]
    described = admin.describe_configs(resources, request_timeout=PEER_TIMEOUT_S)
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
        altered = admin.incremental_alter_configs(alterations, request_timeout=PEER_TIMEOUT_S)
        for resource, future in altered.items():
            future.result()
            changed.append(resource.name)
