"""The lines of several logs, merged in the order of time."""

from datetime import UTC, datetime

import pytest

from local.log_merge import merged, time_of

AT = datetime(2026, 11, 24, 3, 4, 5, 678_000, UTC)
LOCAL = AT.replace(tzinfo=None)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-24T03:04:05.678000Z [info     ] ready  port=8000 process=serving",
        "2026-11-24 03:04:05.678 UTC [1041] LOG:  database system is ready to accept connections",
        "[2026-11-24 03:04:05,678] INFO [KafkaServer id=1] started (kafka.server.KafkaServer)",
        "2026-11-24 03:04:05,678 INFO  org.apache.flink.runtime.taskexecutor.TaskExecutor - Started.",
        "31415:M 24 Nov 2026 03:04:05.678 * Ready to accept connections tcp",
        '{"event": "ready", "timestamp": "2026-11-24T03:04:05.678Z"}',
    ],
)
def test_the_time_of_a_line_is_read_in_every_format(line: str) -> None:
    found = time_of(line)

    assert found is not None
    assert found in (AT, LOCAL.astimezone())


@pytest.mark.parametrize("line", ["", "Traceback (most recent call last):", "2026-99-99 03:04:05 no time"])
def test_a_line_without_a_time_has_none(line: str) -> None:
    assert time_of(line) is None


def test_lines_of_all_logs_come_by_time_and_a_traceback_follows_its_line() -> None:
    logs = {
        "serving": [
            "starting",
            "2026-11-24T03:00:01Z [info] one",
            "2026-11-24T03:00:05Z [error] five",
            "Traceback:",
            "  boom",
        ],
        "kafka": ["2026-11-24T03:00:03Z three", "2026-11-24T03:00:06Z six"],
    }

    assert [line.split()[-1] for _, line in merged(logs)] == [
        "starting", "one", "three", "five", "Traceback:", "boom", "six",
    ]  # fmt: skip
    assert [part for part, _ in merged(logs)].count("kafka") == 2
