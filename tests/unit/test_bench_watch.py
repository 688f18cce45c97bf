"""What `./souk bench watch` says of pairs of results."""

from typing import Any

import pytest

from bench.pipeline.watch import LIMITS, Limit, Pair, growth, judge, read, verdict
from common.errors import UserError

RATE = Limit(0.15, more_is_better=True)
COST = Limit(0.15)


def result(rate: float, view_us: float = 10.0, idle: float = 0.2, views: int = 40) -> dict[str, Any]:
    return {
        "flink": {"per_second": rate},
        "total_cpu_us_per_event": 30.0 + view_us,
        "total_idle_cores": idle,
        "freshness": {"facts": {"p50_ms": 200.0, "p99_ms": 400.0}},
        "cpu_us_per_event": {"clickhouse": view_us, "kafka": 3.0},
        "idle_cores": {"clickhouse": idle},
        "shape": {"materialised views": views, "jobs": 4},
    }


@pytest.mark.parametrize(
    ("limit", "ratios", "expected"),
    [
        (RATE, (0.80, 0.84, 0.70), "worse"),
        (RATE, (0.80, 0.84, 1.01), "within noise"),
        (RATE, (0.86, 0.87, 0.80), "within noise"),
        (RATE, (1.20, 1.18, 1.30), "better"),
        (COST, (1.20, 1.18, 1.30), "worse"),
        (COST, (1.20, 0.99, 1.30), "within noise"),
        (COST, (0.70, 0.80, 0.84), "better"),
        (COST, (1.00, 1.00, 1.00), "within noise"),
    ],
)
def test_a_figure_is_worse_only_beyond_its_limit_and_if_all_pairs_agree(limit, ratios, expected):
    assert verdict(limit, ratios) == expected


def test_the_ratio_of_each_pair_is_of_its_own_two_runs():
    pairs = [Pair(result(50), result(100)), Pair(result(600), result(1_000)), Pair(result(70), result(100))]

    rate = next(each for each in judge(pairs) if each.title == "events/s overall")

    assert rate.ratios == (0.5, 0.6, 0.7)
    assert rate.ratio == 0.6
    assert rate.verdict == "worse"


def test_a_figure_that_one_run_lacks_is_left_out_and_p99_is_only_printed():
    pairs = [Pair(result(100), result(100)), Pair(result(100), result(100) | {"total_idle_cores": None})]

    found = {each.title: each.verdict for each in judge(pairs)}

    assert "cores without traffic" not in found
    assert found["facts readable p99 ms"] is None
    assert found["facts readable p50 ms"] == "within noise"


def test_what_grew_names_views_and_the_parts_with_the_largest_growth_first():
    pair = Pair(result(90, view_us=14.0, idle=0.3, views=41), result(100))

    assert growth([pair]) == [
        "40 materialised views → 41",
        "clickhouse: 10 → 14 µs an event",
        "clickhouse: 0.2 → 0.3 cores without traffic",
    ]


def test_the_stored_commit_has_a_reason_and_ratios_of_watched_figures():
    watched = read()

    assert watched.reason.strip()
    assert set(watched.since_first) <= set(LIMITS)


def test_a_stored_commit_without_a_reason_is_refused(tmp_path):
    file = tmp_path / "watched.toml"
    file.write_text('commit = "abc"\nfirst = "5c868850"\nreason = " "\n')

    with pytest.raises(UserError, match="the reason why"):
        read(file)
