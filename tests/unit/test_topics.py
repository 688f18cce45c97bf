from collections import Counter
from datetime import timedelta

from common.settings import ROOT, Settings
from jobs.facts import logic as facts
from producers.kit.inbox.dead_letter_queue import dead_letter_topics
from schemas.services import ROOMS
from schemas.topics import EVENT_TOPICS, JOB_OUTPUTS, all_topics


def test_every_event_and_everything_that_jobs_write_has_one_dead_letter_topic() -> None:
    names = Counter(topic.name for topic in all_topics())

    assert set(names.values()) == {1}
    assert {f"{topic.name}_dlq" for topic in EVENT_TOPICS} <= set(names)
    assert {f"{table}_dlq" for table in JOB_OUTPUTS} <= set(names)


def test_dead_letters_of_every_topic_can_be_looked_at() -> None:
    assert set(dead_letter_topics()) == {topic.name for topic in all_topics() if topic.name.endswith("_dlq")}


def test_a_letter_is_kept_longer_than_the_message_that_it_is_of() -> None:
    kept = {topic.name: topic.retention or timedelta.max for topic in all_topics()}

    for topic in EVENT_TOPICS:
        letters, messages = kept[topic.dead_letter_topic], kept[topic.name]
        assert letters > messages or letters == messages == timedelta.max, topic.name


def test_retention_counts_from_arrival_so_that_a_replay_of_old_events_is_kept() -> None:
    assert {topic.config()["message.timestamp.type"] for topic in all_topics()} == {"LogAppendTime"}


def test_money_and_orders_are_never_deleted() -> None:
    kept = {topic.name for topic in EVENT_TOPICS if topic.config()["retention.ms"] == "-1"}

    assert {
        "order_placed", "order_cancelled", "order_returned", "payment_captured", "payment_refunded",
        "payout_paid", "ledger_posted",
    } <= kept  # fmt: skip


def test_kafka_keeps_the_newest_message_of_each_setting_and_every_message_of_other_topics() -> None:
    policies = {topic.name: topic.config()["cleanup.policy"] for topic in all_topics()}

    assert [name for name, policy in policies.items() if policy == "compact"] == ["setting_changed"]
    assert set(policies.values()) == {"compact", "delete"}


def test_every_room_that_emits_or_reads_events_is_a_folder() -> None:
    assert [room for room in ROOMS if not (ROOT / room).is_dir()] == []


def test_job_facts_reads_every_event() -> None:
    plan = facts.plan(Settings())

    assert [output.table for output in plan.outputs] == [
        *(topic.name for topic in EVENT_TOPICS),
        facts.PROGRESS_TABLE,
    ]
