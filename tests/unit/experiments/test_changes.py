"""Starting and stopping experiments and arms."""

from datetime import timedelta
from typing import Any

import pytest

from common.experiments.changes import arm_stopped, started, stopped
from common.experiments.reading import BadExperiment, read_experiments, write_experiments
from tests.unit.experiments.test_definitions import MOMENT, definition, read

LATER = MOMENT + timedelta(hours=1)


def test_an_experiment_stops_now() -> None:
    (experiment,) = stopped(read(definition()), "blend_home", LATER)
    assert experiment.stop == LATER
    with pytest.raises(BadExperiment, match="has stopped already"):
        stopped((experiment,), "blend_home", LATER + timedelta(hours=1))


def test_an_experiment_that_has_not_started_is_removed() -> None:
    assert stopped(read(definition()), "blend_home", MOMENT - timedelta(hours=1)) == ()


def test_an_experiment_starts_before_its_time() -> None:
    before = MOMENT - timedelta(hours=1)
    (experiment,) = started(read(definition()), "blend_home", before)
    assert experiment.start == before
    with pytest.raises(BadExperiment, match="has started already"):
        started(read(definition()), "blend_home", LATER)


def test_an_arm_stops_and_the_others_keep_their_places() -> None:
    (experiment,) = arm_stopped(read(definition()), "blend_home", "blend", LATER)
    assert [(arm.name, arm.stopped_at) for arm in experiment.arms] == [("live", None), ("blend", LATER)]
    assert read_experiments(write_experiments((experiment,))) == (experiment,)


@pytest.mark.parametrize(
    ("name", "arm", "message"),
    [
        ("nothing", "blend", "there is no experiment nothing"),
        ("blend_home", "nothing", "no running arm nothing"),
        ("blend_home", "live", "is the control of blend_home: stop the experiment instead"),
    ],
)
def test_an_arm_that_can_not_stop_is_refused(name: str, arm: str, message: str) -> None:
    experiments: Any = read(definition())
    with pytest.raises(BadExperiment, match=message):
        arm_stopped(experiments, name, arm, LATER)
