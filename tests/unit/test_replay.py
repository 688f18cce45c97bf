"""The parts of a replay that do not depend on the data set: columns, pace, journal, messages."""

import json
import uuid
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.ids import derived_event_id
from common.money import InexactMoney, to_minor
from producers.feed.events import Events, merge
from producers.feed.timeline_sender import MAX_WAIT_S, Pace, messages, parse_speed
from producers.importer import dataset, journal
from producers.importer.columns import deterministic_uniform, minor_units
from producers.importer.journal import JournalEntry
from schemas.codec import Decoder
from schemas.events import all_events

REPLAYED = JournalEntry(
    data_set="olist", fingerprint="f", cluster="c", timezone="America/Sao_Paulo", start_ms=None, end_ms=None,
    directory="/data", total=10, position=0, counts={}, totals={}, report="r", started_at="2026-01-01",
)  # fmt: skip


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_every_price_in_cents_is_exact(price: Decimal) -> None:
    minor, exact = minor_units(pa.chunked_array([[float(price)]]), "BRL")

    assert exact[0]
    assert minor[0] == price * 100


@given(st.floats())
def test_an_amount_is_exact_where_its_shortest_decimal_is(amount: float) -> None:
    minor, exact = minor_units(pa.chunked_array([[amount]]), "BRL")
    try:
        expected = to_minor(amount, "BRL")
    except InexactMoney:
        expected = -1

    assert exact[0] == (0 <= expected < 2**53)
    assert not exact[0] or minor[0] == expected


def test_a_currency_without_minor_units_is_counted_in_whole_units() -> None:
    assert minor_units(pa.chunked_array([[500.0]]), "JPY")[0].tolist() == [500]


def test_what_is_drawn_depends_only_on_what_and_key_and_is_spread_evenly() -> None:
    keys = [str(number) for number in range(10_000)]

    drawn = deterministic_uniform("a", keys)

    assert drawn[7] == deterministic_uniform("a", ["7"])[0] != deterministic_uniform("b", ["7"])[0]
    assert np.histogram(drawn, bins=10, range=(0, 1))[0].min() > 850


@given(st.integers(min_value=0, max_value=2**48 - 1), st.text(), st.text())
def test_a_derived_id_is_a_version_7_uuid_of_its_time(moment: int, left: str, right: str) -> None:
    derived = uuid.UUID(derived_event_id(moment, left, right))

    assert (derived.version, derived.variant, derived.int >> 80) == (7, uuid.RFC_4122, moment)


def confirmations(*moments: int) -> Events:
    ids = [f"o{moment}" for moment in moments]
    columns = {"order_id": ids, "shopper_id": ["s"] * len(ids)}
    return Events("order_confirmed", "test", np.array(moments, np.int64), columns, ("order_id",), "order_id")


def test_messages_of_a_resumed_timeline_are_those_that_would_have_followed() -> None:
    cancelled = confirmations(20, 40)
    timeline = merge([confirmations(10, 30, 50), cancelled])
    ids = {"order_confirmed": 3}

    def sent(start: int) -> list[object]:
        sources = messages(timeline, start, ids)
        return [next(sources[which]) for which in timeline.which[start:].tolist()]

    everything = sent(0)
    assert [sent(start) for start in range(6)] == [everything[start:] for start in range(6)]


def test_a_message_carries_its_key_chain_and_trace() -> None:
    order_id = "0123456789abcdef" * 2
    events = replace(
        confirmations(10), columns={"order_id": [order_id], "shopper_id": ["s"]}, causes=["cause-id"]
    )

    message = next(messages(merge([events]), 0, {"order_confirmed": 3})[0])

    record = Decoder(lambda _: all_events()["order_confirmed"].schema).decode(message.value)
    headers = dict(message.headers)
    span = record["event_id"].replace("-", "")[16:]
    assert message.key == headers["correlation_id"] == order_id.encode()
    assert headers["causation_id"] == b"cause-id"
    assert headers["traceparent"] == f"00-{order_id}-{span}-00".encode()


def test_at_a_given_speed_events_fall_due_as_they_happened() -> None:
    now_s = 100.0
    pace = Pace(np.array([0, 60_000, 120_000, 3_600_000]), 1, 60.0, now_s=lambda: now_s)

    assert pace.due() == 2
    assert pace.wait_s(2) == MAX_WAIT_S
    now_s = 100.9
    assert pace.wait_s(2) == pytest.approx(0.1)
    now_s = 101.0
    assert pace.due() == 3


def test_what_a_window_needs_from_before_it_is_due_at_once() -> None:
    now_s = 100.0
    pace = Pace(np.array([0, 60_000, 500_000, 560_000, 680_000]), 0, 60.0, 500_000, lambda: now_s)

    assert pace.due() == 3
    assert pace.wait_s(1) == 0
    now_s = 101.0
    assert pace.due() == 4


def test_at_full_speed_everything_is_due() -> None:
    assert Pace(np.array([0, 10**12]), 0, parse_speed("max")).due() == 2


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan", "inf", ""])
def test_a_speed_that_is_none_is_a_clear_error(speed: str) -> None:
    with pytest.raises(UserError, match="times faster than real time"):
        parse_speed(speed)


def test_the_journal_keeps_one_entry_a_replay_the_latest_last(tmp_path: Path) -> None:
    other = replace(REPLAYED, start_ms=5)
    with journal.exclusive(tmp_path, "olist"):
        for entry in (REPLAYED, other, REPLAYED.at_position(4, 1_000)):
            journal.write(tmp_path, entry)

    assert journal.read(tmp_path, "olist") == [other, REPLAYED.at_position(4, 1_000)]


def test_a_replay_is_complete_when_its_last_event_is_acknowledged() -> None:
    assert not REPLAYED.at_position(9, 2_000).complete
    assert REPLAYED.at_position(9, 2_000).finished_at is None
    assert REPLAYED.at_position(10, None).complete
    assert REPLAYED.at_position(10, None).finished_at is not None


@pytest.mark.parametrize("text", ["", "{", "[1]", json.dumps([{"data_set": "olist"}])])
def test_a_journal_that_can_not_be_read_counts_as_none(tmp_path: Path, text: str) -> None:
    journal.directory_of(tmp_path).mkdir()
    (journal.directory_of(tmp_path) / "olist.json").write_text(text)

    assert journal.read(tmp_path, "olist") == []


def test_a_second_replay_of_a_data_set_at_once_is_kept_out(tmp_path: Path) -> None:
    with (
        journal.exclusive(tmp_path, "olist"),
        pytest.raises(UserError, match="already running"),
        journal.exclusive(tmp_path, "olist"),
    ):
        pass


def test_an_unknown_data_set_is_a_clear_error() -> None:
    with pytest.raises(UserError, match="choose one of olist"):
        dataset.load_data_set("olis")
