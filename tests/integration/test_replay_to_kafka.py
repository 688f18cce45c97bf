"""Schemas and replay with a real Kafka and a real registry: no event is lost, whatever is killed."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from cli.__main__ import main
from common.errors import PartUnavailable, Rejected
from common.settings import ROOT, Settings
from producers.feed.timeline_sender import TimelineProducer
from producers.importer import dataset, journal, run
from schemas.events import all_events
from schemas.registry import FULL_TRANSITIVE, SchemaRefused, SchemaRegistry
from schemas.setup import register, set_up_topics
from schemas.topics import Topic
from tests.integration.event_topics import ids_of, read_from, topic_ends
from tests.integration.servers import Server, await_true
from tests.ports import free_offset

ORDERS = 800
SPEED = 200.0
"""A speed at which as many seconds as there are orders take 4 seconds."""


@pytest.fixture(scope="module")
def schema_ids(settings: Settings, kafka: Server, registry: Server) -> dict[str, int]:  # noqa: ARG001
    """Schemas and topics in Kafka and the registry, as two processes register them at once."""
    with ThreadPoolExecutor(2) as two:
        first, second = two.map(register, [settings, settings])
    assert first.schema_ids == second.schema_ids
    return first.schema_ids


@pytest.fixture
def prepared(
    settings: Settings,
    small_olist: dict[str, Any],
    write_olist: Any,
    tmp_path: Path,
) -> tuple[Settings, run.ReplayOptions, run.PreparedReplay]:
    """A new replay of an order a second, with its own home."""
    settings = settings.model_copy(update={"home": tmp_path / "home"})
    plan = run.ReplayOptions(dataset.load_data_set("olist"), write_olist(one_a_second(small_olist, ORDERS)))
    with journal.exclusive(settings.home, "olist"):
        return settings, plan, run.prepare(plan, settings, *run.convert(plan, settings), "a cluster")


def one_a_second(tables: dict[str, Any], orders: int) -> dict[str, Any]:
    """The tables with nothing but `orders` orders like `b`, placed a second apart."""
    first = datetime.fromisoformat("2017-10-05 08:00:00")
    times = {f"b{number}": str(first + timedelta(seconds=number)) for number in range(orders)}
    copied = {
        table: [
            row | {"order_id": order_id}
            for order_id in times
            for row in tables[table]
            if row["order_id"] == "b"
        ]
        for table in ("orders", "order_items", "order_payments")
    }
    for order in copied["orders"]:
        order["order_purchase_timestamp"] = times[order["order_id"]]
    return {name: rows for name, rows in tables.items() if name != "order_reviews"} | copied


def ids_in(prepared: run.PreparedReplay, name: str) -> set[str]:
    return set(next(events for events in prepared.timeline.events if events.name == name).ids())


def test_registering_again_changes_nothing(settings: Settings, schema_ids: dict[str, int]) -> None:
    register(settings)  # other tests have made some of the topics as they need them
    again = register(settings)

    assert (again.schema_ids, again.created, again.changed) == (schema_ids, [], [])


@pytest.mark.usefixtures("schema_ids")
def test_topics_are_as_the_list_says_and_are_mended_when_they_are_not(settings: Settings) -> None:
    topic = Topic("order_placed", "order_id", 6, None)
    without_event_time = replace(topic, name="topic_to_mend", partitions=1)

    assert set_up_topics(settings.kafka, [without_event_time]) == (["topic_to_mend"], [])
    assert set_up_topics(settings.kafka, [replace(without_event_time, partitions=3)]) == (
        [], ["topic_to_mend"],
    )  # fmt: skip

    admin = AdminClient({"bootstrap.servers": settings.kafka})
    assert len(admin.list_topics().topics["topic_to_mend"].partitions) == 3
    resource = ConfigResource(ResourceType.TOPIC, "order_placed")
    config = admin.describe_configs([resource])[resource].result()
    assert config["retention.ms"].value == "-1"
    assert config["message.timestamp.type"].value == "LogAppendTime"


@pytest.mark.usefixtures("schema_ids")
def test_the_registry_refuses_what_is_not_full_transitive_and_says_so(settings: Settings) -> None:
    event = all_events()["order_confirmed"]
    broken = event.schema | {"fields": event.fields[:3]}  # without the shopper, who has no default

    with SchemaRegistry(settings.registry) as schemas:
        assert schemas.compatibility(event.subject) == FULL_TRANSITIVE
        assert [version["name"] for version in schemas.versions(event.subject)] == ["order_confirmed"]
        with pytest.raises(SchemaRefused, match="souk schemas check"):
            schemas.register(event.subject, json.dumps(broken))
        with pytest.raises(SchemaRefused):
            schemas.register(event.subject, "{")
        with pytest.raises(Rejected, match="no schema with id 999999"):
            schemas.schema(999_999)
        assert schemas.versions("never_registered-value") == []


def test_what_does_not_answer_is_named(settings: Settings) -> None:
    elsewhere = Settings(home=settings.home, port_offset=free_offset())

    with SchemaRegistry(elsewhere.registry) as schemas, pytest.raises(PartUnavailable, match="souk up"):
        schemas.subjects()


def test_every_event_arrives_once_in_event_time_order_within_its_partition(
    prepared: tuple[Settings, run.ReplayOptions, run.PreparedReplay], schema_ids: dict[str, int]
) -> None:
    settings, _, ready = prepared
    begin = {name: topic_ends(settings, name) for name in ready.timeline.counts()}

    replayed = run.send(ready, settings, schema_ids, None, lambda _: None)

    assert replayed.complete
    assert journal.read(settings.home, "olist") == [replayed]
    for name, count in ready.timeline.counts().items():
        arrived = read_from(settings, begin[name])
        assert sum(map(len, arrived.values())) == count
        assert ids_of(arrived) == ids_in(ready, name)
        for records in arrived.values():
            moments = [record["occurred_at"] for record in records]
            assert moments == sorted(moments)


def test_a_stopped_replay_goes_on_after_what_was_acknowledged(
    prepared: tuple[Settings, run.ReplayOptions, run.PreparedReplay], schema_ids: dict[str, int]
) -> None:
    settings, plan, ready = prepared
    begin = topic_ends(settings, "order_placed")

    def stop_early(feed: TimelineProducer) -> None:
        if feed.acknowledged:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.send(ready, settings, schema_ids, SPEED, stop_early)
    resumed = run.prepare(plan, settings, *run.convert(plan, settings), "a cluster")
    other_cluster = run.prepare(plan, settings, *run.convert(plan, settings), "another cluster")

    assert 0 < resumed.entry.position < resumed.entry.total
    assert resumed.entry.reached_ms == ready.timeline.time_of(resumed.entry.position)
    assert other_cluster.entry.position == 0
    assert run.send(resumed, settings, schema_ids, None, lambda _: None).complete
    assert ids_of(read_from(settings, begin)) == ids_in(ready, "order_placed")


def test_nothing_is_lost_when_kafka_is_killed_in_the_middle(
    prepared: tuple[Settings, run.ReplayOptions, run.PreparedReplay],
    schema_ids: dict[str, int],
    kafka: Server,
) -> None:
    settings, _, ready = prepared
    begin = {name: topic_ends(settings, name) for name in ("order_placed", "payment_captured")}
    killed = []
    restart = threading.Thread(target=kafka.start)

    def kill_once(feed: TimelineProducer) -> None:
        if not killed and feed.acknowledged:
            kafka.kill()
            killed.append(feed.acknowledged)
            restart.start()

    replayed = run.send(ready, settings, schema_ids, SPEED, kill_once)
    restart.join()

    assert replayed.complete
    assert 0 < killed[0] < replayed.total
    for name, start in begin.items():
        sent = ids_in(ready, name)
        with suppress(AssertionError):  # the next assertion says what is missing
            await_true(lambda s=start, e=sent: e <= ids_of(read_from(settings, s)), f"every {name}")
        found = ids_of(read_from(settings, start))
        missing_and_further = len(sent - found), len(found - sent)
        assert missing_and_further == (0, 0), (name, killed, start, topic_ends(settings, name))


@pytest.mark.nightly
@pytest.mark.usefixtures("schema_ids")
def test_the_command_replays_once_and_again_only_when_told(
    settings: Settings,
    small_olist: dict[str, Any],
    write_olist: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    directory = write_olist(small_olist)
    environment = {
        "SOUK_HOME": str(tmp_path / "home"),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_REGISTRY_URL": settings.registry,
    }

    def replay(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli", "replay", "olist", str(directory), "--no-up", *options]
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
        )

    def mistaken(*options: str) -> str:
        """Return the error of a command that this process runs."""
        monkeypatch.setattr(sys, "argv", ["souk", "replay", "olist", str(directory), "--no-up", *options])
        assert main() == 2
        return capsys.readouterr().err

    report = tmp_path / "report.json"
    first = replay("--json-report", str(report))
    again = replay()
    restarted = replay("--restart", "--speed", "1000000000")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    swapped = mistaken("--from", "2018-01-02", "--to", "2018-01-01")
    no_date = mistaken("--from", "soon")
    (directory / "olist_sellers_dataset.csv").unlink()
    broken = mistaken()

    assert first.returncode == again.returncode == restarted.returncode == 0, first.stderr
    assert json.loads(report.read_text())["replay"]["counts"]["order_placed"] == 2
    assert f"{settings.serving}/" in first.stdout
    assert "were sent by" in again.stdout
    assert "totals" in restarted.stdout
    for error, said in ((swapped, "is not before"), (no_date, "is not a date"), (broken, "lacks sellers")):
        assert said in error
        assert len(error.splitlines()) == 1
