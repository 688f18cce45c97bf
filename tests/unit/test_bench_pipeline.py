"""The pipeline benchmark's figures, and its order stream."""

import pytest
from rich.console import Console

from bench.order_stream import EVENTS, count_lines, order_id, orders, placed_ms
from bench.pipeline import watch
from bench.pipeline.freshness import freshness
from bench.pipeline.sampling import Sample, poll_until, rate
from common.errors import SoukError, UserError
from schemas.codec import Encoder
from schemas.events import all_events


def test_every_event_of_the_stream_fits_its_schema():
    encoders = {name: Encoder(all_events()[name], 1) for name in EVENTS}

    sent = [encoders[name].encode(record) for name, _, record in orders(0, 50)]

    assert len(sent) == 50 * len(EVENTS)


def test_the_stream_is_the_same_in_one_piece_or_in_several():
    whole = list(orders(0, 20))

    assert [*orders(0, 7), *orders(7, 13)] == whole
    assert count_lines(0, 20) == sum(len(r["lines"]) for name, _, r in whole if name == "order_placed")


def test_a_confirmation_has_the_lines_of_its_order():
    found = [record for name, _, record in orders(0, 20) if name in ("order_placed", "order_confirmed")]

    assert len(found) == 40
    for placed, confirmed in zip(found[::2], found[1::2], strict=True):
        assert (confirmed["placed_at"], confirmed["currency"], confirmed["lines"]) == (
            placed["occurred_at"], placed["currency"], placed["lines"],
        )  # fmt: skip


def test_order_ids_sort_as_numbers_and_ten_orders_share_a_minute():
    assert order_id(9) < order_id(10) < order_id(16)
    assert placed_ms(20) % 60_000 == 0


def test_a_rate_begins_at_the_last_sample_without_any_row():
    samples = [Sample(0, 0), Sample(5, 0), Sample(6, 100, 0), Sample(14, 900, 800), Sample(15, 1_000, 1_000)]

    found = rate(samples)

    assert found.rows == 1_000
    assert found.seconds == 10
    assert found.per_second == 100
    assert found.steady_per_second == 100


def test_a_topic_that_is_read_after_the_others_does_not_shorten_the_time():
    assert rate([Sample(0, 0), Sample(8, 800, 0), Sample(10, 1_000, 1_000)]).seconds == 10


def test_a_rate_of_a_single_sample_is_finite():
    assert rate([Sample(1, 50, 50)]).rows == 50


def test_polling_fails_at_the_deadline_with_the_number_of_events():
    with pytest.raises(SoukError, match="only 3 of 5 events were complete"):
        poll_until(lambda: (4, 3), until=5, timeout_s=0)


def test_freshness_is_from_production_to_the_first_sample_with_the_event():
    sent_s = [0.0, 0.1, 0.2, 0.3]
    samples = [Sample(0.05, 0), Sample(0.25, 2), Sample(0.5, 4)]

    found = freshness(sent_s, samples)

    assert found.events == 4
    assert found.p50_ms == pytest.approx(225)


def test_freshness_leaves_out_events_of_the_warm_up():
    samples = [Sample(9.0, 1), Sample(9.1, 2), Sample(9.2, 3)]

    found = freshness([0.0, 9.0, 9.0], samples, first=1)

    assert (found.events, found.p50_ms) == (2, 150.0)


def test_events_that_no_query_showed_do_not_count():
    assert freshness([0.0, 0.1], [Sample(0.2, 1)]).events == 1


def test_two_commits_are_compared_by_the_figures_that_both_have():
    here = {"flink": {"per_second": 90.0}, "total_cpu_us_per_event": 20.0}
    there = {"flink": {"per_second": 45.0}}

    found = watch.figures(here, there)

    assert found["events/s overall"] == (90.0, 45.0)
    assert found["CPU µs an event"] == (20.0, None)


def test_a_commit_that_does_not_exist_is_a_users_mistake():
    with pytest.raises(UserError, match="there is no commit nowhere"):
        watch.run_against("nowhere", 50, 1, 1, Console(quiet=True))
