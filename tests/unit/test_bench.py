"""What the benchmark computes from what it saw, and the stream it makes."""

import pytest

from bench.freshness import freshness
from bench.stream import EVENTS, line_count, order_id, orders, placed_ms
from bench.watch import Seen, rate, watch
from common.errors import SoukError
from schemas.codec import Encoder
from schemas.events import all_events


def test_every_event_of_the_stream_fits_its_schema():
    encoders = {name: Encoder(all_events()[name], 1) for name in EVENTS}

    sent = [encoders[name].encode(record) for name, _, record in orders(0, 50)]

    assert len(sent) == 50 * len(EVENTS)


def test_the_stream_is_the_same_however_it_is_cut():
    whole = list(orders(0, 20))

    assert [*orders(0, 7), *orders(7, 13)] == whole
    assert line_count(0, 20) == sum(len(r["lines"]) for name, _, r in whole if name == "order_placed")


def test_order_ids_sort_as_numbers_and_ten_orders_share_a_minute():
    assert order_id(9) < order_id(10) < order_id(16)
    assert placed_ms(20) % 60_000 == 0


def test_a_rate_begins_at_the_last_look_at_nothing():
    seen = [Seen(0, 0), Seen(5, 0), Seen(6, 100), Seen(14, 900), Seen(15, 1_000)]

    found = rate(seen)

    assert found.rows == 1_000
    assert found.seconds == 10
    assert found.per_second == 100
    assert found.steady_per_second == 100


def test_a_rate_of_rows_that_were_all_there_at_once_is_finite():
    assert rate([Seen(1, 50)]).rows == 50


def test_watching_ends_at_the_deadline_with_what_was_there():
    with pytest.raises(SoukError, match="only 3 of 5 rows"):
        watch(lambda: 3, until=5, timeout_s=0)


def test_freshness_is_from_production_to_the_first_look_that_shows_the_event():
    sent_s = [0.0, 0.1, 0.2, 0.3]
    seen = [Seen(0.05, 0), Seen(0.25, 2), Seen(0.5, 4)]

    found = freshness(sent_s, seen)

    assert found.events == 4
    assert found.p50_ms == pytest.approx(225)


def test_freshness_leaves_out_what_came_while_warming_up():
    seen = [Seen(9.0, 1), Seen(9.1, 2), Seen(9.2, 3)]

    found = freshness([0.0, 9.0, 9.0], seen, first=1)

    assert (found.events, found.p50_ms) == (2, 150.0)


def test_events_that_no_query_showed_are_not_called_fresh():
    assert freshness([0.0, 0.1], [Seen(0.2, 1)]).events == 1
