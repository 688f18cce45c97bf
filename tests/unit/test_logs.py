"""The logs of all parts: parsed, merged in the order of time, selected, and printed."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.logs import _selected
from common.errors import UserError
from local.logs.files import Follower, all_lines, last_lines
from local.logs.record import (
    LogRecord,
    Selection,
    as_json,
    lines_with,
    merged,
    parse_level,
    parse_line,
    parse_time,
    read_records,
    readable,
)
from local.supervision.log_rotation import rotate

AT = datetime(2026, 11, 24, 3, 4, 5, 678_000, UTC)

OURS = (
    '{"timestamp":"2026-11-24T03:04:05.678000Z","level":"warning","process":"commerce","pid":7,'
    '"event":"waiting","correlation_id":"order-1","trace_id":"aa","who":"orders relay"}'
)


def record(line: str, part: str = "kafka") -> LogRecord:
    found = parse_line(part, line)
    assert isinstance(found, LogRecord)
    return found


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        (
            "2026-11-24 03:04:05.678 UTC [1041] LOG:  database system is ready",
            "info",
            "database system is ready",
        ),
        (
            "2026-11-24 03:04:05.678 UTC [1041] FATAL:  no pg_hba.conf entry",
            "critical",
            "no pg_hba.conf entry",
        ),
        ("2026-11-24T03:04:05,678Z INFO  KafkaRaftServer - started", "info", "KafkaRaftServer - started"),
        ("2026-11-24T05:04:05,678+02:00 WARN  Task - Slow.", "warning", "Task - Slow."),
        ("2026-11-24T03:04:05,678 ERROR RegistryStorage - gone", "error", "RegistryStorage - gone"),
        ("[2026-11-24 03:04:05,678] INFO [KafkaServer id=1] started", "info", "[KafkaServer id=1] started"),
        ("2026-11-24 03:04:05,678 CRIT Server 'unix' running", "critical", "Server 'unix' running"),
        ("31415:M 24 Nov 2026 03:04:05.678 # Out of memory", "warning", "Out of memory"),
        (
            "31415:M 24 Nov 2026 03:04:05.678 * Ready to accept connections tcp",
            "info",
            "Ready to accept connections tcp",
        ),
        ("2026-11-24T00:04:05.678-0300 [error    ] broken", "error", "broken"),
        (OURS, "warning", "waiting"),
    ],
)
def test_time_level_and_message_are_read_in_every_part_s_format(line: str, level: str, message: str) -> None:
    found = record(line)

    assert (found.at, found.level, found.message) == (AT, level, message)


def test_fields_of_our_lines_are_kept_and_a_traceback_becomes_details() -> None:
    line = orjson.dumps({**orjson.loads(OURS), "exception": "Traceback:\nValueError: no"}).decode()
    found = record(line, "commerce")

    assert found.fields["who"] == "orders relay"
    assert found.details == ("Traceback:", "ValueError: no")


@pytest.mark.parametrize("line", ["", "Traceback:", "2026-99-99 03:04:05 LOG no time", '{"a": 1}', "{broken"])
def test_a_line_without_a_time_continues_the_entry_before(line: str) -> None:
    [found] = read_records("kafka", ["2026-11-24T03:04:05,678Z ERROR Task - failed", line])

    assert found.details == (line,)


def test_a_detail_of_postgresql_belongs_to_its_error() -> None:
    [found] = read_records(
        "postgres",
        [
            "2026-11-24 03:04:05.678 UTC [7] ERROR:  duplicate key value",
            "2026-11-24 03:04:05.678 UTC [7] DETAIL:  Key (email)=(ana@example.com) already exists.",
        ],
    )

    assert found.details == ("DETAIL: Key (email)=([masked]) already exists.",)


def test_entries_of_all_logs_come_by_time_and_entries_of_one_log_keep_their_order() -> None:
    logs = {
        "serving": ["starting", "2026-11-24T03:00:01Z INFO one", "2026-11-24T03:00:05Z ERROR five", "  boom"],
        "kafka": [
            "2026-11-24T03:00:03Z INFO three",
            "2026-11-24T03:00:02Z INFO late",
            "2026-11-24T03:00:06Z INFO six",
        ],
    }
    found = list(merged(read_records(part, lines) for part, lines in logs.items()))

    assert [each.message for each in found] == ["starting", "one", "three", "late", "five", "six"]
    assert found[4].details == ("  boom",)


@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=4))
def test_merging_loses_nothing_and_sorts_logs_that_are_sorted(seconds: list[list[int]]) -> None:
    logs = [
        [LogRecord(f"part{part}", AT + timedelta(seconds=each), "info", str(each)) for each in sorted(times)]
        for part, times in enumerate(seconds)
    ]
    found = [each.at for each in merged(logs)]

    assert found == sorted(each.at for records in logs for each in records)


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(), True),
        (Selection(level="warning"), True),
        (Selection(level="error"), False),
        (Selection(since=AT, until=AT), True),
        (Selection(since=AT + timedelta(milliseconds=1)), False),
        (Selection(until=AT - timedelta(milliseconds=1)), False),
        (Selection(ids=frozenset({"order-1"})), True),
        (Selection(ids=frozenset({"order-2", "aa"})), True),
        (Selection(ids=frozenset({"order-2"})), False),
    ],
)
def test_entries_are_selected_by_level_time_and_id(selection: Selection, selected: bool) -> None:
    assert selection.matches(record(OURS)) is selected


def own_line(order_id: str) -> str:
    return orjson.dumps({**orjson.loads(OURS), "correlation_id": order_id}).decode()


def test_lines_after_an_entry_of_another_order_are_not_in_the_story(tmp_path) -> None:
    path = tmp_path / "serving.log"
    path.write_text("\n".join((own_line("order-1"), "crash of 1", own_line("order-2"), "crash of 2")))

    (found,) = _selected(path, Selection(ids=frozenset({"order-1"})), None)

    assert found.details == ("crash of 1",)


LINES = st.sampled_from(
    [
        own_line("order-1"),
        own_line("order-2"),
        "2026-11-24T03:04:05Z INFO of order-1",
        "2026-11-24T03:04:05Z INFO of order-2",
        "Traceback of order-1",
        "Traceback",
        '{"a": "order-1"}',
        '{"a": 1}',
    ]
)


@given(st.lists(LINES, max_size=12))
def test_lines_that_are_not_parsed_change_no_selection(lines: list[str]) -> None:
    selection = Selection(ids=frozenset({"order-1"}))
    fewer = lines_with({"order-1"}, lines)

    assert [*selection.of(read_records("x", fewer))] == [*selection.of(read_records("x", lines))]


def test_an_entry_without_a_time_is_not_in_a_period() -> None:
    unknown = LogRecord("kafka", None, "info", "starting")

    assert not Selection(since=AT).matches(unknown)
    assert Selection(level="info").matches(unknown)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("15m", AT - timedelta(minutes=15)),
        ("2d", AT - timedelta(days=2)),
        ("2026-11-24T03:04:05", AT.replace(microsecond=0)),
        ("2026-11-24T00:04:05-03:00", AT.replace(microsecond=0)),
    ],
)
def test_a_time_is_an_age_or_iso_8601_in_utc(text: str, time: datetime) -> None:
    assert parse_time(text, AT) == time


@pytest.mark.parametrize("text", ["yesterday", "15", "m", "999999d"])
def test_another_text_is_no_time(text: str) -> None:
    with pytest.raises(UserError, match="is not a time: give an age such as 15m"):
        parse_time(text, AT)


def test_an_unknown_level_names_those_that_exist() -> None:
    assert parse_level("Warning") == "warning"
    with pytest.raises(UserError, match="choose from debug, info, warning, error, critical"):
        parse_level("loud")


def test_a_readable_line_has_time_part_level_message_and_fields() -> None:
    [line] = readable(record(OURS, "commerce"), part_width=10)

    assert line == '2026-11-24 03:04:05.678Z commerce   WARNING  waiting  who="orders relay"'


def test_the_indentation_of_a_stack_trace_stays() -> None:
    _, line = readable(LogRecord("x", AT, "error", "failed", {}, ("\tat org.Flink.run(Flink.java:7)",)))

    assert line == "        at org.Flink.run(Flink.java:7)"


def test_a_line_can_not_change_the_terminal() -> None:
    lines = readable(LogRecord("x", AT, "info", "a\x1b[31mb\n", {"c": "\x07"}, ("\x9b1m",)))

    assert all(line.isprintable() for line in lines)


def test_json_has_every_field() -> None:
    content = orjson.loads(as_json(record(OURS, "commerce")))

    assert content["timestamp"] == "2026-11-24T03:04:05.678000Z"
    assert (content["part"], content["message"], content["trace_id"]) == ("commerce", "waiting", "aa")


def test_a_field_does_not_replace_the_message() -> None:
    content = orjson.loads(as_json(LogRecord("x", AT, "info", "processed", {"message": "m", "part": "p"})))

    assert (content["message"], content["part"]) == ("processed", "x")


def test_a_large_log_is_rotated_while_a_part_writes_and_two_files_are_kept(tmp_path) -> None:
    path = tmp_path / "kafka.log"
    with path.open("ab", buffering=0) as log:
        follower = Follower(path)
        for number in range(5):
            log.write(f"line {number}\n".encode())
            assert follower.new_lines() == [f"line {number}"]
            assert not rotate(path, 100)
            if number < 4:
                assert rotate(path, 5)
                assert follower.new_lines() == []

    assert list(all_lines(path)) == ["line 2", "line 3", "line 4"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["kafka.log", "kafka.log.1", "kafka.log.2"]
    assert (tmp_path / "kafka.log.1").stat().st_mode & 0o777 == 0o600


def test_only_complete_lines_are_followed(tmp_path) -> None:
    path = tmp_path / "kafka.log"
    path.write_text("old\n")
    follower = Follower(path)
    with path.open("a") as log:
        log.write("ha")
        log.flush()
        assert follower.new_lines() == []
        log.write("lf\n")
    assert follower.new_lines() == ["half"]


def test_the_last_lines_of_a_log(tmp_path) -> None:
    path = tmp_path / "kafka.log"
    path.write_bytes(b"one\ntwo\nthr\xffee\n")

    assert last_lines(path, 2) == ["two", "thr\N{REPLACEMENT CHARACTER}ee"]
    assert last_lines(path, 0) == []
