"""The traffic and the goals of `./souk bench spike`."""

from collections import Counter
from dataclasses import replace

import pytest

from bench.http_load import LoadResult
from bench.serving.spike import ClassFigures, SpikeBenchResult
from bench.serving.spike_traffic import GUESTS, MIXED, SHARES, make_requests, mix
from common.settings import Settings


def figures(succeeded: int, refused: int, refused_s: float = 0.01) -> ClassFigures:
    return ClassFigures.of(LoadResult([0.01] * succeeded, [refused_s] * refused, {503: refused}))


REACHED = SpikeBenchResult(
    saturated_rate=100,
    spike_rate=500,
    calm={},
    spike={"checkout": figures(99, 1), "page": figures(10, 90)},
    sender_cores=0.5,
    stolen=0.0,
    normal_after_s=3.0,
    accepted_orders=99,
    lost_orders=0,
    audit_differences=0,
)


def test_a_spike_in_which_only_less_important_traffic_is_refused_misses_no_goal() -> None:
    assert REACHED.missed == []


@pytest.mark.parametrize(
    ("result", "goal"),
    [
        (replace(REACHED, spike={"checkout": figures(98, 2)}), "checkouts succeed"),
        (replace(REACHED, spike={"checkout": figures(99, 1, refused_s=1.5)}), "refusals within"),
        (replace(REACHED, normal_after_s=11.0), "normal within"),
        (replace(REACHED, normal_after_s=None), "normal within"),
        (replace(REACHED, lost_orders=1), "no order lost"),
        (replace(REACHED, audit_differences=None), "the audit"),
        (replace(REACHED, audit_differences=2), "the audit"),
    ],
)
def test_each_goal_can_be_missed(result: SpikeBenchResult, goal: str) -> None:
    (missed,) = result.missed
    assert goal in missed


def test_what_is_answered_in_the_spike_counts_all_classes() -> None:
    assert REACHED.answered_rate == pytest.approx(500 * (99 + 10) / 200)


def test_the_mix_has_each_class_in_its_share() -> None:
    requests = make_requests(Settings(), 1)
    class_of = {id(request): traffic for traffic, each in requests.items() for request in each}
    counts = Counter(class_of[id(request)] for request in mix(requests, 1))
    assert sum(SHARES.values()) == pytest.approx(1)
    assert {traffic: counts[traffic] / MIXED for traffic in SHARES} == pytest.approx(SHARES, abs=0.03)


def test_every_checkout_is_of_a_guest_of_its_own_and_sent_with_a_new_key_each_time() -> None:
    checkouts = make_requests(Settings(), 1)["checkout"]
    assert len({request.body for request in checkouts}) == GUESTS
    assert checkouts[0].encode("a") != checkouts[0].encode("a")
