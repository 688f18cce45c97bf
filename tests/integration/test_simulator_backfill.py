"""Every event of the simulated history arrives in a real Kafka, also after interruptions."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from common.command_line import exit_code
from common.settings import ROOT, Settings
from producers.kit.inbox.subscription import headers_of
from producers.kit.outbox.message import ORIGIN
from producers.simulator import saved_world
from producers.simulator.__main__ import app
from producers.simulator.history.days import SimulatedHistory
from schemas.codec import Decoder
from schemas.registry import SchemaRegistry
from schemas.setup import register
from schemas.topics import EVENT_TOPICS
from tests.integration.servers import Server, await_true
from tests.log_lines import read_structured

SIZES = ("--seed", "5", "--sellers", "20", "--products", "100", "--shoppers", "500")


@pytest.fixture
def copy(settings: Settings, kafka: Server, registry: Server, tmp_path: Path) -> Settings:  # noqa: ARG001
    """The shared Kafka, and a new home for each test."""
    register(settings)
    return settings.model_copy(update={"home": tmp_path / "home"})


def start(settings: Settings, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "SOUK_HOME": str(settings.home), "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_REGISTRY_URL": settings.registry,
    }  # fmt: skip
    command = [sys.executable, "-m", "producers.simulator", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(settings: Settings, *arguments: str) -> tuple[int, str, str]:
    """Return exit code, output and errors."""
    process = start(settings, *arguments)
    out, err = process.communicate()
    return process.returncode, out, err


@pytest.fixture
def complain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """A function that runs a command in this process; returns exit code and errors."""

    def run_here(settings: Settings, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("SOUK_HOME", str(settings.home))
        code = exit_code(lambda: app([*arguments], prog_name="simulator", standalone_mode=False))
        return code, capsys.readouterr().err

    return run_here


def ends(settings: Settings) -> dict[tuple[str, int], int]:
    """The end of every partition of every event's topic."""
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "test"})

    def end_of(partition: TopicPartition) -> tuple[int, int] | None:
        with suppress(KafkaException):  # a topic that was just made has no leader yet
            return consumer.get_watermark_offsets(partition, timeout=20)
        return None

    found = {
        (topic.name, number): await_true(partial(end_of, TopicPartition(topic.name, number)))[1]
        for topic in EVENT_TOPICS
        for number in range(topic.partitions)
    }
    consumer.close()
    return found


def arrived(settings: Settings, since: dict[tuple[str, int], int]) -> Counter[tuple[str, str]]:
    """Return (event, event_id) → how often it is in Kafka after these offsets, without events of services."""
    until = ends(settings)
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka, "group.id": "test", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(name, number, offset) for (name, number), offset in since.items()])
    expected = sum(until.values()) - sum(since.values())
    found: Counter[tuple[str, str]] = Counter()
    done = 0
    with SchemaRegistry(settings.registry) as schemas:
        decoder = Decoder(schemas.schema)

        def read_on() -> bool:
            nonlocal done
            for message in consumer.consume(5_000, 1.0):
                assert message.error() is None, message.error()
                done += 1
                if ORIGIN not in headers_of(message):
                    found[message.topic(), decoder.decode(message.value())["event_id"]] += 1
            return done >= expected

        await_true(read_on, "reading all of it")
    consumer.close()
    return found


def expected_ids(settings: Settings) -> set[tuple[str, str]]:
    """(event, event_id) of the whole history of this home."""
    saved = saved_world.read(settings.home)
    assert saved is not None
    return {
        (events.name, event_id)
        for timeline in SimulatedHistory(saved.plan).days()
        for events in timeline.events
        for event_id in events.ids()
    }


def status_of(settings: Settings) -> dict[str, Any]:
    status: dict[str, Any] = json.loads((settings.home / "simulator" / "status.json").read_text())
    return status


@pytest.mark.nightly
def test_a_history_that_was_killed_and_interrupted_arrives_whole_and_ends_where_it_was_to_end(
    copy: Settings,
) -> None:
    since = ends(copy)
    options = ("backfill", *SIZES, "--weeks", "1", "--events", "100000")

    for stop in (signal.SIGKILL, signal.SIGINT):
        process = start(copy, *options)
        before = saved_world.read(copy.home)
        sent_before = before.progress.sent if before and before.progress else 0

        def came_further(least: int = sent_before) -> bool:
            saved = saved_world.read(copy.home)
            return bool(saved and saved.progress and saved.progress.sent > least)

        await_true(came_further, "the first events")
        process.send_signal(stop)
        out, _ = process.communicate()
        stopped = saved_world.read(copy.home)
        assert stopped is not None
        assert stopped.progress is not None
        assert stopped.progress.finished_at is None, out
    finished = run(copy, *options)
    again = run(copy, "backfill")

    found = arrived(copy, since)
    saved = saved_world.read(copy.home)
    assert finished[0] == again[0] == 0, finished[2] + again[2]
    assert "resuming" in {line["event"] for line in read_structured(finished[2].splitlines())}
    assert saved is not None
    assert saved.end_ms == stopped.end_ms
    assert set(found) == expected_ids(copy)
    assert status_of(copy)["phase"] == "back-filled"
    # One per cent of the events is sent twice, and what was sent just before the kill may be sent again.
    assert len(found) < status_of(copy)["total"] <= found.total()
    assert status_of(copy)["done"] == status_of(copy)["total"]

    truth = np.load(copy.home / "simulator" / "truth" / "visits.npz")
    views = np.load(copy.home / "simulator" / "truth" / "views.npz")
    assert len(truth["session_id"]) > 1_000
    assert truth["organic_views"].sum() == (~views["recommended"]).sum()
    assert "visits.npz" in (copy.home / "simulator" / "truth" / "README.md").read_text()


def test_a_backfill_without_a_terminal_writes_structured_lines_only(copy: Settings) -> None:
    code, out, err = run(copy, "backfill", *SIZES, "--weeks", "1", "--events", "3000")
    [line] = read_structured(err.splitlines())
    refused, _, reason = run(copy, "backfill", "--seed", "6")

    assert (code, refused, out) == (0, 2, "")
    assert line["event"] == "the history is in Kafka"
    assert line["events"] > 0
    assert "--seed 6" in read_structured(reason.splitlines())[0]["reason"]


def test_another_world_in_the_same_home_is_refused_in_one_line(
    copy: Settings, complain: Callable[..., tuple[int, str]]
) -> None:
    assert run(copy, "backfill", *SIZES, "--weeks", "1", "--events", "3000")[0] == 0

    for options, said in (
        (("backfill", "--seed", "6"), "--seed 6"),
        (("backfill", "--weeks", "2"), "--weeks 2"),
        (("live", "--shoppers", "7"), "--shoppers 7"),
    ):
        code, err = complain(copy, *options)
        assert code == 2
        assert said in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backfill", "--weeks", "0"), "--weeks 0"),
        (("backfill", "--weeks", "soon"), "--weeks"),
        (("backfill", "--events", "10"), "--events 10"),
        (("live", "--rate", "0"), "--rate 0"),
        (("live", "--rate", "nan"), "--rate nan"),
        (("live", "--rat", "1"), "--rat"),
        (("neither",), "neither"),
    ],
)
def test_a_mistake_gets_one_line(
    settings: Settings,
    tmp_path: Path,
    complain: Callable[..., tuple[int, str]],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    code, err = complain(settings.model_copy(update={"home": tmp_path}), *arguments)

    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1
