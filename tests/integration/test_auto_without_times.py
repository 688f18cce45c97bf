"""On a log without times, auto is at least as good as the best single model that a user can name."""

import os
from pathlib import Path

import pytest

from bench.recommenders.published_results import MATCHED_SHARE, MOVIELENS, TASKS
from bench.recommenders.run import RecommendersBenchPlan, evaluate, judged_singles, share_of_best_single
from common.settings import ROOT

DATA = Path(os.environ.get("SOUK_TEST_DATA") or ROOT.parent / "shared" / "data")
BUDGET_S = 120.0

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        not (DATA / MOVIELENS).is_file(), reason=f"needs {MOVIELENS} in {DATA} (SOUK_TEST_DATA)"
    ),
]


def test_auto_matches_the_best_single_model_on_films_without_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    task = TASKS["movielens-untimed"]
    plan = RecommendersBenchPlan(DATA, ["movielens-untimed"], BUDGET_S, [], 0, 0, seed=0)

    card = evaluate(task, plan, "auto")

    assert card["order"].startswith("none: the log has neither times nor positions")
    assert card["searched"]["cuts"].keys() == {"another random fifth of each shopper's events"}
    best, share = share_of_best_single(card["judged"][0], judged_singles(task, plan))
    assert share >= MATCHED_SHARE, f"{best} is better"
