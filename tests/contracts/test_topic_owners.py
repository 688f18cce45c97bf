"""`schemas/topics.py` names the room that emits each event and the rooms that read it, as the code does."""

import pytest

from common.settings import ROOT, Settings
from jobs.facts import logic as facts
from jobs.rankings import logic as rankings
from jobs.recommendations import logic as recommendations
from jobs.signals import logic as signals
from producers.registry import SERVICES
from producers.simulator.live import order_consumer
from schemas.events import all_events
from schemas.topics import EVENT_TOPICS, EXTERNAL, Topic
from serving.cache.events import DROPPED_BY
from serving.intake.validators import BROWSING
from serving.recommendations import answer_log

READS = {
    **{
        f"producers/{name}": {one.event for one in service.subscriptions}
        for name, service in SERVICES.items()
    },
    "producers/simulator": set(order_consumer.TOPICS),
    "jobs/rankings": set(rankings.EVENTS),
    "jobs/recommendations": set(recommendations.EVENTS),
    "jobs/signals": set(signals.EVENTS),
    "serving/cache": set(DROPPED_BY),
}
EMITS = {
    **{f"producers/{name}": set(service.emits) for name, service in SERVICES.items()},
    "serving/intake": set(BROWSING),
    "serving/recommendations": {answer_log.EVENT},
}

topics = pytest.mark.parametrize("topic", EVENT_TOPICS, ids=lambda topic: topic.name)


@topics
def test_the_consumers_of_a_topic_are_the_rooms_whose_code_reads_it(topic: Topic) -> None:
    assert set(topic.consumers) == {room for room, events in READS.items() if topic.name in events}
    assert len(set(topic.consumers)) == len(topic.consumers)


@topics
def test_the_owner_of_a_topic_is_the_one_room_that_emits_its_event(topic: Topic) -> None:
    emitting = [room for room, events in EMITS.items() if topic.name in events]

    assert [topic.owner] == (emitting or [EXTERNAL])


def test_every_owner_and_consumer_is_a_folder_of_the_repository() -> None:
    rooms = {room for topic in EVENT_TOPICS for room in (topic.owner, *topic.consumers)} - {EXTERNAL}

    assert [room for room in sorted(rooms) if not (ROOT / room).is_dir()] == []


def test_job_facts_reads_every_event() -> None:
    plan = facts.plan(Settings(), all_events().values())

    assert [output.table for output in plan.outputs] == [topic.name for topic in EVENT_TOPICS]
