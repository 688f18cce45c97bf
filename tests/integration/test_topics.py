"""Topics are made on a Kafka that loses sight of its only broker again and again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.settings import Settings
from local.parts import kafka
from schemas.setup import set_up_topics
from schemas.topics import Topic
from tests.integration.servers import running
from tests.ports import free_offset

ROUNDS = 25


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Settings]:
    """A Kafka whose broker tells of itself every two seconds, and counts as dead after one."""
    settings = Settings(home=tmp_path, port_offset=free_offset())
    part = kafka.part(settings)
    assert part.launch
    beats = ["broker.heartbeat.interval.ms=2000", "broker.session.timeout.ms=1000"]
    argv = [*part.launch.argv, *(each for beat in beats for each in ("--override", beat))]
    with running(replace(part, launch=replace(part.launch, argv=argv)), settings):
        yield settings


def test_topics_are_made_though_the_broker_counts_as_dead_now_and_then(forgetful: Settings) -> None:
    topics = [Topic(f"topic_{number}", "order_id", 1, None) for number in range(ROUNDS)]
    for number, topic in enumerate(topics):
        assert set_up_topics(forgetful.kafka, topics[: number + 1]) == ([topic.name], [])
    assert set_up_topics(forgetful.kafka, topics) == ([], [])
