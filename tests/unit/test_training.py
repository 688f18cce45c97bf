"""Training: the comparison of the new model with the one in use, and the stored versions."""

from dataclasses import replace

import numpy as np
import pytest

from cli.train import repeat
from common.errors import UserError
from recommenders.evaluation.intervals import Interval, PairedDifference
from recommenders.evaluation.metrics import Metric
from recommenders.interactions import DAY_S, Interactions, from_columns
from recommenders.model_selection.candidates import Candidate
from recommenders.model_selection.comparison import ModelComparison
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.training.train import (
    NO_MODEL_IN_USE,
    NoChampion,
    TrainingOptions,
    cpu_clock,
    newest_days,
    train,
    verdict,
)
from recommenders.training.training_data import TrainingData

OPTIONS = TrainingOptions({"popularity": Popularity}, Metric("ndcg", 5), days=2, budget_s=1, seed=0)
OLD, NEW = Candidate.of(Popularity, {"window": 0.1}), Candidate.of(Popularity, {})


@pytest.fixture
def log() -> Interactions:
    rng = np.random.default_rng(4)
    times = np.sort(rng.integers(0, 10 * DAY_S, 600))
    return from_columns(rng.integers(0, 30, 600), np.minimum(rng.geometric(0.3, 600), 15), times=times)


def quiet(done: int, of: int, doing: str) -> None:
    pass


def comparison(low: float, high: float) -> ModelComparison:
    found = PairedDifference(Interval((low + high) / 2, low, high), 0.5)
    return ModelComparison([], {str(OLD): {"ndcg@5": found}}, Popularity())


@pytest.mark.parametrize(("cpu", "elapsed", "shown"), [(20.0, 25.0, 20.0), (1.0, 60.0, 20.0)])
def test_a_search_has_its_budget_of_cpu_time_and_an_end(cpu, elapsed, shown):
    now = {"cpu": 7.0, "elapsed": 1_000.0}
    clock = cpu_clock(lambda: now["cpu"], lambda: now["elapsed"])
    assert clock() == 0.0

    now["cpu"] += cpu
    now["elapsed"] += elapsed

    assert clock() == shown


def test_the_newest_days_are_judged_and_not_learned_from(log):
    eval_split = newest_days(log, 2)

    cut = log.times.max() - 2 * DAY_S
    assert eval_split.log.times.max() <= cut
    assert len(eval_split.log) == (log.times <= cut).sum()


def test_a_log_of_a_day_is_too_short(log):
    with pytest.raises(UserError, match="all events are of the newest 20 days"):
        newest_days(log, 20)


def test_the_first_model_is_published_and_knows_all_events(log):
    trained = train(TrainingData(log, None), NO_MODEL_IN_USE, OPTIONS, lambda: 1.0, quiet)

    assert trained.reason == "there was no model in use"
    assert trained.model is not None
    assert trained.model.popularity.sum() == log.popularity.sum()
    assert trained.card.data.events < len(log)
    assert trained.card.searched is not None


@pytest.mark.parametrize(
    ("low", "high", "published"),
    [(0.01, 0.02, True), (-0.01, 0.02, True), (0.0, 0.0, True), (-0.02, 0.01, False), (-0.02, -0.001, False)],
)
def test_a_champion_that_is_better_on_average_stays(low, high, published):
    won, reason = verdict(NEW, OLD, comparison(low, high), OPTIONS.metric)

    assert won is published
    assert "against popularity in use" in reason


def test_the_same_settings_are_published_again_with_newer_events():
    assert verdict(OLD, OLD, comparison(-1, -1), OPTIONS.metric)[0]


def test_a_model_in_use_that_can_not_be_read_is_the_reason_that_is_recorded(log):
    trained = train(
        TrainingData(log, None),
        NoChampion("the model in use is of another format"),
        OPTIONS,
        lambda: 1.0,
        quiet,
    )

    assert trained.model is not None
    assert trained.reason == "the model in use is of another format"


def test_a_champion_that_is_a_baseline_too_is_judged_once(log):
    options = replace(OPTIONS, models={model.NAME: model for model in (ItemItem, Popularity)})
    first = train(TrainingData(log, None), NO_MODEL_IN_USE, options, lambda: 1.0, quiet)
    baseline = first.card.judged[1].candidate

    again = train(TrainingData(log, None), baseline, options, lambda: 1.0, quiet)

    judged = [each.candidate for each in again.card.judged]
    assert baseline in judged[1:]
    assert len(judged) == len(set(judged))


def test_a_champion_takes_part_in_the_duel(log):
    trained = train(TrainingData(log, None), OLD, OPTIONS, lambda: 1.0, quiet)

    judged = [each.candidate for each in trained.card.judged]
    assert OLD in judged


def test_a_schedule_goes_on_after_a_failure_and_ends_when_it_is_stopped():
    exit_codes, moments, pauses = iter([1, 0, 130]), iter([0.0, 50.0, 100.0, 220.0, 220.0]), []

    repeat(lambda: next(exit_codes), 100.0, lambda: next(moments), pauses.append)

    assert pauses == [50.0, 0.0]
    assert next(exit_codes, None) is None
