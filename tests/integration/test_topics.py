"""Topics are created and brokers listed on a Kafka whose only broker is fenced again and again."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]

from common.kafka import KafkaCluster
from common.settings import Settings
from local.parts import kafka
from schemas.setup import set_up_topics
from schemas.topics import Topic
from tests.integration.servers import TEST_TIMEOUT_S, await_true, running
from tests.ports import free_offset

ROUNDS = 6


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Kafka whose broker sends a heartbeat every two seconds, with a session timeout of one second."""
    settings = Settings(home=tmp_path_factory.mktemp("forgetful"), port_offset=free_offset())
    part = kafka.part(settings)
    assert part.launch
    beats = ["broker.heartbeat.interval.ms=2000", "broker.session.timeout.ms=1000"]
    argv = [*part.launch.argv, *(each for beat in beats for each in ("--override", beat))]
    with running(replace(part, launch=replace(part.launch, argv=argv)), settings):
        # Clients ignore a metadata response without brokers and topics, so one topic exists.
        set_up_topics(settings.kafka, [Topic("there", "order_id", 1, None)])
        yield settings


@pytest.mark.nightly
def test_topics_are_made_though_the_broker_counts_as_dead_now_and_then(forgetful: Settings) -> None:
    topics = [Topic(f"topic_{number}", "order_id", 1, None) for number in range(ROUNDS)]
    assert set_up_topics(forgetful.kafka, topics[:1]) == (["topic_0"], [])

    for number, topic in enumerate(topics[1:], 1):
        await_true(lambda: counts_as_dead(forgetful), "a cluster without a broker")
        assert set_up_topics(forgetful.kafka, topics[: number + 1]) == ([topic.name], [])


def test_a_topic_is_made_though_the_broker_counts_as_dead_once_it_was_seen(
    forgetful: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = KafkaCluster.metadata

    def once(cluster: KafkaCluster, timeout_s: float) -> ClusterMetadata:
        found = seen(cluster, timeout_s)
        monkeypatch.undo()
        await_true(lambda: counts_as_dead(forgetful), "a cluster without a broker")
        return found

    monkeypatch.setattr(KafkaCluster, "metadata", once)
    assert set_up_topics(forgetful.kafka, [Topic("late", "order_id", 1, None)]) == (["late"], [])


def test_who_asks_for_the_brokers_hears_when_there_is_none_and_again_of_them(forgetful: Settings) -> None:
    cluster = KafkaCluster(forgetful.kafka)

    for _ in range(3):
        await_true(lambda: answers(cluster), "a broker")
        await_true(lambda: not answers(cluster), "a cluster without a broker")
    await_true(lambda: answers(cluster), "a broker")


def counts_as_dead(settings: Settings) -> bool:
    """Return whether a new client gets no broker."""
    return not AdminClient({"bootstrap.servers": settings.kafka}).list_topics(timeout=TEST_TIMEOUT_S).brokers


def answers(cluster: KafkaCluster) -> bool:
    try:
        return bool(cluster.metadata(TEST_TIMEOUT_S))
    except KafkaException as error:
        if error.args[0].code() != KafkaError.BROKER_NOT_AVAILABLE:
            raise
    return False
